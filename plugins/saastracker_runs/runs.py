"""The report on runs: how often they are attempted, completed, failed and abandoned."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saastracker.contracts import Reader
from saastracker.index import Integers, distinct
from saastracker.report import Column, Figure, Figures, Number, Report, Table, counting
from saastracker.scope import Scope
from saastracker_runs.attempts import ABANDONED, COMPLETED, FAILED, OUTCOMES, RUNNING, Attempts, attempts
from saastracker_runs.names import NAMESPACE

LOOKUP_ROWS = 10_000  # that one query names
COUNTS = (
    Column(
        "attempts",
        "Attempts",
        "number",
        look="rank",
        link="stream?name=Start:{name}",
        about="Events Start:… in the span.",
    ),
    Column(
        "completes",
        "Completed",
        "number",
        link="stream?name=Complete:{name}",
        about="Attempts whose session goes on to Complete:…",
    ),
    Column(
        "fails", "Failed", "number", link="stream?name=Fail:{name}", about="Attempts whose session goes on to Fail:…"
    ),
    Column(
        "abandoned",
        "Abandoned",
        "number",
        about="Attempts with no end before the next one in the session, or before the session's end.",
    ),
    Column(
        "completion", "Completion", "number", unit="share", about="Completed / all attempts that are not still running."
    ),
    Column(
        "attempts_to_complete",
        "Tries needed",
        "number",
        about="Attempts of a person in the span up to the first that was completed; the mean over those who did.",
    ),
    Column("median_value", "Median value", "number", about="The median value of the events Complete:…"),
)


def report(reader: Reader, scope: Scope) -> Report:
    actors = reader.actors(scope.project)
    found = attempts(reader, scope, actors, scope.span)
    before = attempts(reader, scope, actors, scope.compared) if scope.compared else None
    note = counting(reader.tagged(scope.project, NAMESPACE))
    return Report(blocks=(*note, _figures(found, before), _table(reader, scope, found)))


# --- All together ---


def _figures(found: Attempts, before: Attempts | None) -> Figures:
    values = _totals(found)
    previous = dict.fromkeys(values) if before is None else _totals(before)
    return Figures(
        key="totals",
        title="All runs",
        figures=tuple(
            Figure(
                key=column.key,
                label=column.label,
                value=values[column.key],
                previous=previous[column.key],
                unit=column.unit,
                about=column.about,
                good="up" if column.key in {"attempts", "completes", "completion"} else None,
            )
            for column in COUNTS
            if column.key in values
        ),
    )


def _totals(found: Attempts) -> dict[str, Number]:
    completes = found.count(COMPLETED)
    return {
        "attempts": len(found),
        "completes": completes,
        "fails": found.count(FAILED),
        "abandoned": found.count(ABANDONED),
        "completion": _share(completes, len(found) - found.count(RUNNING)),
    }


def _share(part: float, whole: float) -> Number:
    return part / whole if whole else None


# --- By run ---


def _table(reader: Reader, scope: Scope, found: Attempts) -> Table:
    by = scope.parameters["by"]
    labels, label = _labels(reader, found, by)
    groups, _, group = distinct(found.run, label)
    size = len(groups)
    counts = [np.bincount(group[found.outcome == outcome], minlength=size).tolist() for outcome in range(OUTCOMES)]
    tries = _tries(found, group, size)
    values = _values(reader, found, group, size)
    rows: list[list[Any]] = []
    for place, (run, number) in enumerate(groups):
        completed, failed, abandoned, running = (count[place] for count in counts)
        over = completed + failed + abandoned
        shares = _share(completed, over), tries[place], float(np.median(values[place])) if len(values[place]) else None
        name = [found.runs[run]] if by == "none" else [found.runs[run], labels[number]]
        rows.append([*name, over + running, completed, failed, abandoned, *shares])
    names = (
        [Column("name", "Run")]
        if by == "none"
        else [
            Column("name", "Run"),
            Column(by, "Release" if by == "release" else by, dimension=by if by == "release" else f"prop.{by}"),
        ]
    )
    rows.sort(key=lambda row: (-row[len(names)], row[0], row[1] is None, row[1]))
    return Table(key="runs", title="By run", columns=(*names, *COUNTS), rows=rows)


def _labels(reader: Reader, found: Attempts, by: str) -> tuple[list[str | None], Integers]:
    """What the attempts are broken down by, and each one's place in it."""
    if by == "none":
        return [None], np.zeros(len(found), np.int64)
    known = (
        _look_up(reader, found.sequence, "release")
        if by == "release"
        else _look_up(reader, found.sequence, "prop(:by)", by=by)
    )
    labels = list(dict.fromkeys(known.values()))
    numbered = {label: number for number, label in enumerate(labels)}
    return labels, np.array([numbered[known[sequence]] for sequence in found.sequence.tolist()], np.int64)


def _values(reader: Reader, found: Attempts, group: Integers, size: int) -> list[NDArray[np.float64]]:
    """The values on completion of each group."""
    completed = found.outcome == COMPLETED
    known = _look_up(reader, found.end[completed], "value")
    values = np.array([known[sequence] for sequence in found.end[completed].tolist()], np.float64)  # NaN for None
    order = np.argsort(group[completed], kind="stable")
    order = order[~np.isnan(values[order])]
    return np.split(values[order], np.searchsorted(group[completed][order], np.arange(1, size)))


def _look_up(reader: Reader, sequences: Integers, column: str, **parameters: Any) -> dict[int, Any]:
    """A column of the events with some sequence numbers."""
    found: dict[int, Any] = {}
    for start in range(0, len(sequences), LOOKUP_ROWS):
        numbers = ",".join(map(str, sequences[start : start + LOOKUP_ROWS].tolist()))
        found.update(reader.query(f"SELECT sequence, {column} FROM events WHERE sequence IN ({numbers})", **parameters))
    return found


def _tries(found: Attempts, group: Integers, size: int) -> list[Number]:
    """Attempts of a person up to the first that was completed; of each group the mean."""
    known = found.person >= 0
    order = np.lexsort((found.sequence, found.time, found.person, group))
    order = order[known[order]]
    group, person, completed = group[order], found.person[order], found.outcome[order] == COMPLETED
    first = np.flatnonzero(np.append(True, (np.diff(group) != 0) | (np.diff(person) != 0))[: len(order)])
    if not len(first):
        return [None] * size
    place = np.arange(len(order))
    until = np.minimum.reduceat(np.where(completed, place, len(order)), first)
    did = until < len(order)
    tries = np.bincount(group[first[did]], (until - first + 1)[did], minlength=size)
    persons = np.bincount(group[first[did]], minlength=size)
    return [_share(*of) for of in zip(tries.tolist(), persons.tolist(), strict=True)]
