"""The sessions of a span: totals, by day, one by one, by release."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
from msgspec.structs import replace

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import Integers, day_number
from saastracker.late import Late
from saastracker.report import Column, Figure, Figures, Measure, Number, Point, Report, Series, Table
from saastracker.scope import Scope, Span
from saastracker.sums import Lengths, lengths, settled_lengths
from saastracker.visits import Visits, visits
from saastracker_sessions.choosing import chosen
from saastracker_sessions.paging import part

LENGTH = "From Session:Start to Session:End where both were sent, else from the first event to the last."
BOUNCE = "Sessions with one event, $pageleave and vitals not counted / sessions."
COLUMNS = (
    Column("session", "Session", "code", link="sessions/{session}"),
    Column("person", "Person", link="people/{person}", dimension="user"),
    Column(
        "org", "Organization", link="organizations/{org}", dimension="org", about="Of the first event that has one."
    ),
    Column("start", "Start", "time", about="The first event."),
    Column("seconds", "Length", "number", unit="seconds", about=LENGTH),
    Column("events", "Events", "number", link="sessions/{session}", about="Events of the session."),
    Column("release", "Release", "code", "wide", dimension="release", about="Of the first event."),
)
RELEASES = (
    Column("release", "Release", dimension="release", about="Of the session's first event."),
    Column(
        "sessions",
        "Sessions",
        "number",
        look="rank",
        link="sessions?f=release:is:{release}",
        about="Sessions that began in the span.",
    ),
    Column("median_seconds", "Median length", "number", unit="seconds", about=LENGTH),
    Column("bounce", "Bounces", "number", unit="share", look="ratio", about=BOUNCE),
)
SESSIONS_MAX = 10_000  # handed in at once, to be sorted and searched; beyond it a page at a time


def listing(reader: Reader, scope: Scope) -> Report:
    actors = reader.actors(scope.project)
    found, last = _found(reader, scope, actors)
    before = None
    if scope.compared:
        some = chosen(reader, scope, actors, scope.compared)
        before = lengths(reader, scope, actors, scope.compared) if some is None else Lengths.of(some, scope.compared)
    return Report(
        blocks=(
            _totals(found, before),
            _days(found, before, scope),
            _sessions(reader, scope, actors, found, last),
            _releases(reader, found),
        )
    )


def _found(reader: Reader, scope: Scope, actors: Actors) -> tuple[Lengths, Callable[[Span], Visits]]:
    """All sessions of the span, and what finds those of its last days; each put together once where that is enough."""
    some = chosen(reader, scope, actors, scope.span)
    if some is not None:  # what filters choose takes a look at every event
        return Lengths.of(some, scope.span), lambda _: some
    apart = visits(reader, scope, actors, scope.span, apart=True)
    settled = settled_lengths(reader, scope, scope.span)

    def last(days: Span) -> Visits:
        if (settled.day >= day_number(days.first)).any():
            return visits(reader, scope, actors, days)
        return apart.only(apart.row.first >= days.start)

    return Lengths.together([settled, Lengths.of(apart, scope.span)]), last


# --- Totals ---


def _totals(found: Lengths, before: Lengths | None) -> Figures:
    now = _values(found)
    then: dict[str, Number] = {} if before is None else _values(before)
    return Figures(
        key="totals",
        title="In the span",
        figures=(
            Figure(
                key="sessions",
                label="Sessions",
                value=now["sessions"],
                previous=then.get("sessions"),
                good="up",
                about="Sessions that began in the span.",
            ),
            Figure(
                key="median_seconds",
                label="Median length",
                value=now["median_seconds"],
                unit="seconds",
                previous=then.get("median_seconds"),
                good="up",
                about=LENGTH,
            ),
            Figure(
                key="mean_seconds",
                label="Mean length",
                value=now["mean_seconds"],
                unit="seconds",
                previous=then.get("mean_seconds"),
                good="up",
                about=LENGTH,
            ),
            Figure(
                key="events_per_session",
                label="Events per session",
                value=now["events_per_session"],
                previous=then.get("events_per_session"),
                good="up",
                about="Events of these sessions / sessions.",
            ),
            Figure(
                key="bounce",
                label="Bounces",
                value=now["bounce"],
                unit="share",
                previous=then.get("bounce"),
                good="down",
                about=BOUNCE,
            ),
        ),
    )


def _values(found: Lengths) -> dict[str, Number]:
    count = len(found)
    if not count:
        return {"sessions": 0, **dict.fromkeys(("median_seconds", "mean_seconds", "events_per_session", "bounce"))}
    return {
        "sessions": count,
        "median_seconds": float(np.median(found.milliseconds)) / 1000,
        "mean_seconds": float(found.milliseconds.mean()) / 1000,
        "events_per_session": float(found.events.mean()),
        "bounce": float(found.bounced.mean()),
    }


# --- Day by day ---


def _days(found: Lengths, before: Lengths | None, scope: Scope) -> Series:
    points = _points(found, scope.span)
    earlier = [] if before is None or scope.compared is None else _points(before, scope.compared)
    return Series(
        key="days",
        title="By day",
        interval="day",
        measures=(Measure("sessions", "Sessions"),),
        points=points,
        previous=earlier[: len(points)],  # a year earlier there may be one more
    )


def _points(found: Lengths, span: Span) -> list[Point]:
    days = [span.first + timedelta(days=place) for place in range((span.last - span.first).days + 1)]
    counts = np.bincount(found.day - day_number(span.first), minlength=len(days))
    return [Point(day, {"sessions": count}) for day, count in zip(days, counts.tolist(), strict=True)]


# --- One by one ---


def _sessions(reader: Reader, scope: Scope, actors: Actors, found: Lengths, last: Callable[[Span], Visits]) -> Table:
    """Of the sessions that were `found`."""
    start, end, whole, more = part(scope, len(found), SESSIONS_MAX)
    of_days = last(_last_days(found, scope.span, end))
    shown = of_days.only(_newest(of_days, end)[start:])
    first, seconds, events = shown.row.first.tolist(), shown.seconds.tolist(), shown.row.events.tolist()
    values = {"start": first.__getitem__, "seconds": seconds.__getitem__, "events": events.__getitem__}
    return Table(
        key="sessions",
        title="Sessions",
        columns=COLUMNS,
        rows=Late(range(len(shown)), partial(_rows, reader, actors, shown), values),
        whole=whole,
        total=len(found),
        next=more,
    )


def _rows(reader: Reader, actors: Actors, found: Visits, places: Sequence[int]) -> list[list[Any]]:
    """The rows of the sessions at some places."""
    shown = found.only(np.array(places, np.int64))
    person = [actors.person_codes[number] if number >= 0 else 0 for number in shown.person.tolist()]
    org = [actors.org_codes[number] if number >= 0 else 0 for number in shown.org.tolist()]
    session, release = shown.row.session.tolist(), shown.row.release.tolist()
    texts = reader.texts(list({*session, *person, *org, *release}))
    first, seconds, events = shown.row.first.tolist(), shown.seconds.tolist(), shown.row.events.tolist()
    return [
        [texts[session[at]], texts.get(person[at]), texts.get(org[at]), first[at], seconds[at], events[at],
         texts.get(release[at])]
        for at in range(len(shown))
    ]  # fmt: skip


def _last_days(found: Lengths, span: Span, count: int) -> Span:
    """The days on which the last `count` sessions of a span began."""
    until = np.cumsum(np.bincount(day_number(span.last) - found.day))  # sessions of the last day, the last two, …
    return replace(span, first=span.last - timedelta(days=int(np.searchsorted(until, count))))


def _newest(found: Visits, count: int) -> Integers:
    """The places of the `count` sessions that began last, the newest first."""
    first = found.row.first
    rows = np.arange(len(first))
    if count < len(first):
        rows = np.flatnonzero(first >= np.partition(first, -count)[-count]) if count else rows[:0]
    order = np.lexsort((found.row.first_sequence[rows], first[rows]))[::-1]
    return np.asarray(rows[order[:count]])


# --- By release ---


def _releases(reader: Reader, found: Lengths) -> Table:
    known = np.flatnonzero(found.release)
    codes, place, counts = np.unique(found.release[known], return_inverse=True, return_counts=True)
    seconds = found.milliseconds[known] / 1000
    seconds = seconds[np.lexsort((seconds, place))]
    starts = np.cumsum(counts) - counts
    median = (seconds[starts + (counts - 1) // 2] + seconds[starts + counts // 2]) / 2
    bounce = np.bincount(place, weights=found.bounced[known], minlength=len(codes)) / counts
    texts = reader.texts(codes.tolist())
    rows = [
        [texts[code], *values]
        for code, *values in zip(codes.tolist(), counts.tolist(), median.tolist(), bounce.tolist(), strict=True)
    ]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return Table(key="releases", title="By release", columns=RELEASES, rows=rows)
