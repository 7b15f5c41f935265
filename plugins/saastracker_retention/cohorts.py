"""The blocks of the retention report, from cells of the index."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import cast

from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import Day, bitmap, day_number
from saastracker.report import Column, Grid, Number, Report, Table
from saastracker.scope import FIRST_DATE, Scope, Span
from saastracker_retention.periods import By, beginning, between, later

LIMITS: dict[By, int] = {"day": 31, "week": 26, "month": 24}  # periods down and across


def report(reader: Reader, scope: Scope) -> Report:
    by = cast("By", scope.parameters["by"])
    starts = _starts(scope, by)
    running = between(starts[0], beginning(scope.today, by), by) if starts else -1
    across = min(running + 1, LIMITS[by])
    sizes: list[int] = []
    values: list[list[Number]] = []
    if starts:
        began, came = _sets(reader, scope, by, starts, running)
        for row, members in enumerate(_cohorts(began[: len(starts) + 1])):
            begun = min(running - row + 1, across)
            back = [members.intersection_cardinality(came[row + period]) for period in range(1, begun)]
            sizes.append(len(members))
            values.append([len(members), *back, *[None] * (across - begun)])
    counting = {(row, running - row) for row in range(len(starts)) if running - row < across}
    noun = scope.parameters["of"].capitalize()
    return Report(
        blocks=(
            Grid(
                key="cohorts",
                title=f"{noun} who came back, by {by}",
                rows=tuple(starts),
                columns=tuple(str(period) for period in range(across)),
                values=values,
                kind="cohort",
                running=frozenset(counting),
            ),
            Table(
                key="sizes",
                title="Cohorts",
                columns=(
                    Column("cohort", f"First {by}", "date"),
                    Column("size", noun, "number", about=f"{noun} whose first event ever lies in that {by}."),
                    Column("curve", "Came back", "spark"),
                ),
                rows=[
                    [start, size, [value for value in row[1:] if value is not None]]
                    for start, size, row in zip(starts, sizes, values, strict=True)
                ],
            ),
        )
    )


def _starts(scope: Scope, by: By) -> list[date]:
    """The first days of the cohorts: the periods that the span touches and that have begun, the latest of them."""
    newest = beginning(min(scope.span.last, scope.today), by)
    oldest = beginning(scope.span.first, by)
    count = between(oldest, newest, by) + 1
    return [later(oldest, by, place) for place in range(max(0, count - LIMITS[by]), count)]


def _sets(
    reader: Reader, scope: Scope, by: By, starts: Sequence[date], running: int
) -> tuple[list[BitMap], list[BitMap]]:
    """Those with a first event, before the cohorts and in each period; those with one that counts as coming back."""
    actors = reader.actors(scope.project)
    end = later(beginning(scope.today, by), by, 1) - timedelta(days=1)
    count = min(running + 1, len(starts) + LIMITS[by])
    edges = [day_number(later(starts[0], by, place)) for place in range(count + 1)]

    def sets(name: str, since: date) -> list[BitMap]:
        span = Span(since, end, scope.span.timezone)
        found = cells(reader, scope, actors, span, "name" if name else "all", [name] if name else None)
        return _by_period(found, edges, actors, scope.parameters["of"])

    began = sets(scope.parameters["start"], FIRST_DATE)
    came = began
    if scope.parameters["return"] != scope.parameters["start"]:
        came = sets(scope.parameters["return"], starts[0])
    if scope.parameters["at"] == "later":
        came = list(accumulate(reversed(came), BitMap.__or__))[::-1]
    return began, came[1:]


def _by_period(found: Iterable[Day], edges: Sequence[int], actors: Actors, of: str) -> list[BitMap]:
    """Who is in some cells: before the first edge, between each two, and after the last."""
    members: list[list[BitMap]] = [[] for _ in range(len(edges) + 1)]
    for day, _, cell in found:
        members[bisect_right(edges, day)].append(cell.actors)
    distinct = actors.persons if of == "persons" else actors.organizations
    return [bitmap(distinct(BitMap.union(*who))) if who else BitMap() for who in members]


def _cohorts(began: Sequence[BitMap]) -> Iterable[BitMap]:
    """Those of each set that are in none before it; the first set only tells who began earlier."""
    seen, *periods = began
    for period in periods:
        yield period - seen
        seen = seen | period
