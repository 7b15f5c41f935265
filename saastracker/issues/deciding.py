"""What is to be kept when people decide about an issue: its status, and which keys are one issue."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from saastracker.issues.catalogue import Known


def keys(issue: Known) -> list[str]:
    return list(issue.decided.keys) if issue.decided else [issue.id]


def with_status(issue: Known, status: str, until: int | None = None) -> dict[str, Any]:
    """The fields of an issue's definition with another status, decided now; `until` errors for one that is ignored."""
    value: dict[str, Any] = {"keys": keys(issue), "status": status}
    return value if until is None else value | {"ignored_until_events": until}


def with_keys(issue: Known, own: list[str]) -> dict[str, Any]:
    """The fields of an issue's definition with other keys; the moment stays that of the decision."""
    value: dict[str, Any] = msgspec.to_builtins(issue.decided) if issue.decided else {}
    since = datetime.fromtimestamp(issue.since / 1000, UTC).isoformat()
    status = value.get("status", "open")
    if status != "open":
        value["ignored_at" if status == "ignored" else "resolved_at"] = since
    return value | {"keys": own}


def merged(issue: Known, other: Known) -> tuple[Known, dict[str, Any]]:
    """The issue into which both become one, and its definition's fields.

    Where both have a definition, the older one gets the other's keys, for it owns what both have.
    """
    defined = sorted((each for each in (issue, other) if each.defined), key=_age)
    into = defined[0] if defined else issue
    added = keys(other if into is issue else issue)
    return into, with_keys(into, list(dict.fromkeys([*keys(into), *added])))


def _age(issue: Known) -> str:
    return issue.defined.id if issue.defined else ""  # ids sort by age
