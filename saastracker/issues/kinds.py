"""What people decide about errors: the status of issues, which keys are one issue, and rules of grouping."""

import re
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from saastracker.errors import Invalid
from saastracker.event import NAME_MAX
from saastracker.issues.grouping import KEY, MESSAGE_MAX, Failure, hashed, key

ISSUE = "issue"
GROUPING = "error-grouping"
KEYS_MAX = 200
RULES_MAX = 50
RULED = "r1"  # the version of keys that a rule gives

_TOLD = re.compile(r"\{(type|message|scene|name)\}")

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MESSAGE_MAX)]
Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class Issue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was decided about one issue. Errors without it are an issue of their own, which is open.

    Several keys lead to one issue, known by the first of them: to merge, add a key; to split off, take
    it out. Where two definitions have a key, it belongs to the older one. The moments default to the
    last change of the definition.
    """

    keys: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=KEYS_MAX)]
    status: Literal["open", "resolved", "resolved-in-next", "ignored"] = "open"
    resolved_at: Moment | None = None
    resolved_release: Name | None = None  # the newest one then: only in later ones is it seen again
    ignored_at: Moment | None = None
    ignored_until_events: (
        Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000, title="Errors until it is open again")] | None
    ) = None  # None: for good


def check_issue(issue: Issue) -> None:
    for place, each in enumerate(issue.keys):
        if not KEY.fullmatch(each):
            raise Invalid(f"$.keys[{place}]: expected the key of an issue, such as 1-0123456789abcdef0123")
    if len(set(issue.keys)) < len(issue.keys):
        raise Invalid("$.keys: name each key once")
    if issue.ignored_until_events is not None and issue.status != "ignored":
        raise Invalid('$.ignored_until_events: only with the status "ignored"')


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that is given must fit."""

    type: Name | None = None
    message_contains: Text | None = None
    module: Name | None = None  # of any call of the stack, as break-downs and frames show it


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    match: Match
    # All errors with the same are one issue; {type}, {message}, {scene} and {name} stand for what the error has.
    fingerprint: Text

    def fits(self, error: Failure) -> bool:
        match = self.match
        return (
            match.type in {None, error.type}
            and (match.message_contains or "") in error.message
            and (match.module is None or any(frame.module == match.module for frame in error.frames))
        )


class Grouping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rules that group errors otherwise; the first that fits counts, before the client's signature too.

    They take effect once the index has counted by them.
    """

    rules: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1, max_length=RULES_MAX)]


def check_grouping(grouping: Grouping) -> None:
    for place, rule in enumerate(grouping.rules):
        if rule.match == Match():
            raise Invalid(f"$.rules[{place}].match: give type, message_contains or module")


def key_of(error: Failure, grouping: Grouping | None) -> str:
    """The key of an error by a project's rules, else by those for all."""
    for rule in grouping.rules if grouping else ():
        if rule.fits(error):
            return hashed(RULED, _TOLD.sub(lambda match: getattr(error, match[1]), rule.fingerprint))
    return key(error)
