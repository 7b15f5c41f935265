"""Which rows of a table a report hands in: all, or one page of a list that is too long."""

from typing import NamedTuple

from saastracker.scope import Scope


class Part(NamedTuple):
    """Rows from `start` to before `end`, and what the table says of the others."""

    start: int
    end: int
    whole: bool
    next: int | None


def part(scope: Scope, total: int, most: int) -> Part:
    """All of `total` rows if they are no more than `most`, else the page that the scope asks for."""
    if total <= most:
        return Part(0, total, True, None)
    start = min(scope.after or 0, total)
    end = min(start + scope.limit, total)
    return Part(start, end, False, end if end < total else None)
