"""What people can decide on the page of an issue: its status, and which errors belong to it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from saastracker.contracts import Reader
from saastracker.issues.catalogue import OPEN, Catalogue, Known
from saastracker.issues.kinds import ISSUE
from saastracker.issues.raw import failures
from saastracker.report import Action

UNTIL = 100  # more errors, unless people type another number
MERGE_MAX = 20  # issues offered, those last seen
TITLE_MAX = 80  # characters


def actions(reader: Reader, known: Catalogue, issue: Known) -> tuple[Action, ...]:
    return (*_statuses(issue), *_merges(reader, known, issue))


def split_off(issue: Known, key: str) -> Action | None:
    """Of one of several keys: what it stands for becomes an issue of its own."""
    rest = [each for each in _keys(issue) if each != key]
    return _action("Split off", issue, _value(issue, keys=rest)) if issue.defined and rest else None


def _statuses(issue: Known) -> tuple[Action, ...]:
    keys = _keys(issue)
    if issue.status not in OPEN:
        return (_action("Reopen", issue, {"keys": keys, "status": "open"}),)
    ignored: dict[str, Any] = {"keys": keys, "status": "ignored"}
    until = ignored | {"ignored_until_events": UNTIL}
    return (
        _action("Resolve", issue, {"keys": keys, "status": "resolved"}),
        _action("Resolve in next release", issue, {"keys": keys, "status": "resolved-in-next"}),
        _action("Ignore", issue, ignored),
        msgspec.structs.replace(_action("Ignore until", issue, until), asks=("ignored_until_events",)),
    )


def _merges(reader: Reader, known: Catalogue, issue: Known) -> list[Action]:
    others = sorted((each for each in known.issues.values() if each is not issue), key=lambda each: -each.last)
    told = failures(reader, [each.newest for each in others[:MERGE_MAX]])
    return [
        _merge(told[other.newest].title[:TITLE_MAX], issue, other)
        for other in others[:MERGE_MAX]
        if other.newest in told
    ]


def _merge(label: str, issue: Known, other: Known) -> Action:
    """Where both have a definition, the older one gets the other's keys, for it owns what both have."""
    defined = sorted((each for each in (issue, other) if each.defined), key=_age)
    into = defined[0] if defined else issue
    added = _keys(other if into is issue else issue)
    value = _value(into, keys=list(dict.fromkeys([*_keys(into), *added])))
    return msgspec.structs.replace(_action(label, into, value), group="Merge with")


def _age(issue: Known) -> str:
    return issue.defined.id if issue.defined else ""  # ids sort by age


def _action(label: str, issue: Known, value: dict[str, Any]) -> Action:
    defined = issue.defined
    place = {"replaces": defined.id, "version": defined.version} if defined else {}
    return Action(label=label, kind=ISSUE, value=value, **place)  # type: ignore[arg-type]


def _keys(issue: Known) -> list[str]:
    return list(issue.decided.keys) if issue.decided else [issue.id]


def _value(issue: Known, *, keys: list[str]) -> dict[str, Any]:
    """What was decided, with other keys; the moment stays that of the decision."""
    value: dict[str, Any] = msgspec.to_builtins(issue.decided) if issue.decided else {}
    since = datetime.fromtimestamp(issue.since / 1000, UTC).isoformat()
    status = value.get("status", "open")
    if status != "open":
        value["ignored_at" if status == "ignored" else "resolved_at"] = since
    return value | {"keys": keys}
