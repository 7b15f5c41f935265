"""Patterns of paths: the rules of a project, and the path that they make of one that was sent."""

import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from saastracker.errors import Invalid
from saastracker.event import PATH_MAX

PATTERNS_MAX = 50
PATTERN_MAX = 200  # characters
HEX_MIN = 16  # digits: shorter ones may be words

Pattern: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=PATTERN_MAX)]

_PLACEHOLDER = re.compile(":[A-Za-z][A-Za-z0-9_-]{0,39}")
_HEX = re.compile(f"[0-9A-Fa-f]{{{HEX_MIN},}}")


class PathRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of paths before they are stored. A project has at most one; should there be more, the oldest."""

    patterns: Annotated[
        tuple[Pattern, ...],
        msgspec.Meta(
            max_length=PATTERNS_MAX,
            description="Such as /u/:id, which all of /u/1, /u/2 become. :name stands for one part of a path, * for "
            "one that stays as it is, at the end for all that follow. The first that fits counts. "
            "A path is not kept as it was sent: there is no way back for events that arrived meanwhile.",
        ),
    ] = ()
    numbers: Annotated[bool, msgspec.Meta(title="Parts that are numbers become :number")] = False
    uuids: Annotated[bool, msgspec.Meta(title="Parts that are UUIDs become :uuid")] = False
    hex: Annotated[
        bool,
        msgspec.Meta(
            title="Parts of 16 or more hexadecimal digits become :hex",
            description="These three look at what no pattern has written out.",
        ),
    ] = False


def check(rules: PathRules) -> None:
    """Raises Invalid for what could never fit, or never before another."""
    for place, pattern in enumerate(rules.patterns):
        where = f"$.patterns[{place}]"
        if not pattern.startswith("/") or re.search(r"[\x00-\x20?#]|//", pattern):
            raise Invalid(f"{where}: Expected a path such as /u/:id, without spaces, query and empty parts")
        for part in pattern.split("/"):
            if part.startswith(":") and not _PLACEHOLDER.fullmatch(part):
                raise Invalid(f"{where}: After a colon expected a name of letters, digits, _ and -, such as :id")
            if "*" in part and part != "*":
                raise Invalid(f"{where}: Expected * alone between slashes")
        if pattern in rules.patterns[:place]:
            raise Invalid(f"{where}: Expected each pattern once")


class Cleaner:
    """The rules of one project, ready for use."""

    def __init__(self, rules: PathRules) -> None:
        self._patterns = [_parts(pattern)[1] for pattern in rules.patterns]
        self._numbers, self._uuids, self._hex = rules.numbers, rules.uuids, rules.hex

    def clean(self, path: str) -> str:
        """What a path becomes; a path that was cleaned stays as it is."""
        head, parts, tail = _parts(path)
        written: Sequence[str] = next((pattern for pattern in self._patterns if head and _fits(pattern, parts)), ())
        for place, part in enumerate(parts):
            if place < len(written) and written[place] != "*":
                parts[place] = written[place]
            else:
                parts[place] = self._built_in(part)
        return (head + "/".join(parts) + tail)[:PATH_MAX]

    def _built_in(self, part: str) -> str:
        if self._numbers and part.isascii() and part.isdigit():
            return ":number"
        if self._uuids and _is_uuid(part):
            return ":uuid"
        if self._hex and _HEX.fullmatch(part):
            return ":hex"
        return part


def _parts(path: str) -> tuple[str, list[str], str]:
    """A path without its first and its last slash, between them."""
    head = "/" if path.startswith("/") else ""
    rest = path[len(head) :]
    tail = "/" if rest.endswith("/") else ""
    return head, rest.removesuffix("/").split("/"), tail


def _fits(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    if pattern[-1] == "*":
        pattern = pattern[:-1]
        if len(parts) < len(pattern):
            return False
    elif len(parts) != len(pattern):
        return False
    return all(
        part == wanted or (bool(part) and (wanted == "*" or wanted[:1] == ":"))
        for wanted, part in zip(pattern, parts, strict=False)
    )


def _is_uuid(part: str) -> bool:
    if len(part) != 36:
        return False
    try:
        return str(UUID(part)) == part.lower()
    except ValueError:
        return False
