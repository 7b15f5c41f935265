"""What people can decide on the page of an issue: its status, and which errors belong to it."""

from typing import Any

import msgspec

from saastracker.contracts import Reader
from saastracker.issues.catalogue import OPEN, Catalogue, Known
from saastracker.issues.deciding import keys, merged, with_keys, with_status
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
    rest = [each for each in keys(issue) if each != key]
    return _action("Split off", issue, with_keys(issue, rest)) if issue.defined and rest else None


def _statuses(issue: Known) -> tuple[Action, ...]:
    if issue.status not in OPEN:
        return (_action("Reopen", issue, with_status(issue, "open")),)
    until = _action("Ignore until", issue, with_status(issue, "ignored", UNTIL))
    return (
        _action("Resolve", issue, with_status(issue, "resolved")),
        _action("Resolve in next release", issue, with_status(issue, "resolved-in-next")),
        _action("Ignore", issue, with_status(issue, "ignored")),
        msgspec.structs.replace(until, asks=("ignored_until_events",)),
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
    into, value = merged(issue, other)
    return msgspec.structs.replace(_action(label, into, value), group="Merge with")


def _action(label: str, issue: Known, value: dict[str, Any]) -> Action:
    defined = issue.defined
    place = {"replaces": defined.id, "version": defined.version} if defined else {}
    return Action(label=label, kind=ISSUE, value=value, **place)  # type: ignore[arg-type]
