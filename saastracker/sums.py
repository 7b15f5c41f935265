"""What sessions add up to: where they entered and left, and how long they took."""

from datetime import timedelta

import numpy as np

from saastracker.actors import Actors
from saastracker.columns import Columns
from saastracker.conditions import DAY_MS
from saastracker.contracts import Reader
from saastracker.index import Integers, day_number, numbered, unique
from saastracker.scope import Scope, Span
from saastracker.visits import Visits, visits


class Landings(Columns):
    """Sessions with a page view by path; one path may have several rows."""

    path: Integers  # code, 0 for a view without one
    entries: Integers  # sessions whose first page view it was
    exits: Integers  # sessions whose last page view it was
    bounced: Integers  # entries that had no other event, `$pageleave` and vitals not counted

    @classmethod
    def of(cls, found: Visits) -> "Landings":
        viewed = np.flatnonzero(found.row.pages)
        entry, leave = found.row.entry[viewed], found.row.exit[viewed]
        paths, place = numbered(np.concatenate([entry, leave]))
        entered, left = np.split(place, 2)
        bounced = entered[found.bounced[viewed]]
        return cls(paths, *(np.bincount(each, minlength=len(paths)) for each in (entered, left, bounced)))

    def by_path(self) -> dict[int, tuple[int, int, int]]:
        """Entries, exits and bounced of each path."""
        paths, place = numbered(self.path)
        sums = np.zeros((3, len(paths)), np.int64)
        for number, column in enumerate((self.entries, self.exits, self.bounced)):
            np.add.at(sums[number], place, column)
        return dict(zip(paths.tolist(), zip(*sums.tolist(), strict=True), strict=True))


class Lengths(Columns):
    """One row for each session, in no order."""

    release: Integers  # code, 0 for none
    milliseconds: Integers
    events: Integers
    bounced: Integers  # 1 or 0
    day: Integers  # the local date on which it began, in days since 1970

    @classmethod
    def of(cls, found: Visits, span: Span) -> "Lengths":
        """`span` is that in which they began."""
        # Only the days around theirs: a span may have tens of thousands.
        days = unique((unique(found.row.first // DAY_MS)[:, None] + np.arange(-1, 3)).ravel())
        dates = [span.first + timedelta(days=place) for place in (days - day_number(span.first)).tolist()]
        starts = [Span(each, each, span.timezone).start for each in dates]
        day = days[np.searchsorted(starts, found.row.first, "right") - 1]
        order = np.lexsort((found.milliseconds, found.row.release))  # packs into half the bytes
        columns = found.row.release, found.milliseconds, found.row.events, found.bounced.astype(np.int64), day
        return cls(*(column[order] for column in columns))


def landings(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Landings:
    """Of the sessions that `visits` finds."""
    if scope.filters:
        return Landings.of(visits(reader, scope, actors, span))
    found = Landings.of(visits(reader, scope, actors, span, apart=True))
    return Landings.together([*map(Landings.decode, _settled(reader, scope, span, "landings")), found])


def lengths(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Lengths:
    """Of the sessions that `visits` finds."""
    if scope.filters:
        return Lengths.of(visits(reader, scope, actors, span), span)
    found = Lengths.of(visits(reader, scope, actors, span, apart=True), span)
    return Lengths.together([settled_lengths(reader, scope, span), found])


def settled_lengths(reader: Reader, scope: Scope, span: Span) -> Lengths:
    """Of those that settled days have counted; the others are `apart`."""
    return Lengths.together([*map(Lengths.decode, _settled(reader, scope, span, "lengths"))])


def _settled(reader: Reader, scope: Scope, span: Span, table: str) -> list[bytes]:
    return reader.settled(scope.project, table, day_number(span.first), day_number(span.last), scope.environment)
