"""Folds events into index cells: the one computation behind following, recomputing and rebuilding."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from pyroaring import BitMap

from saastracker.channels import channel
from saastracker.index import KEYS_MAX, OTHER, Arrivals, Cell, CellKey, Group, Integers, Sequences, distinct

DAY_MS = 86_400_000
_QUARTER_MS = 15 * 60_000  # offsets of time zones change on quarters of an hour

CODED = ("name", "type", "path", "org", "release", "country", "browser", "os", "device", "plan", "referrer", "campaign")

Texts = Callable[[Sequence[int]], Mapping[int, str]]


class Folded(msgspec.Struct):
    cells: dict[CellKey, Cell]
    days: dict[tuple[str, int], Sequences]


def local(times: Integers, zone: str) -> Integers:
    """Times in ms as local clock readings in ms since 1970-01-01 00:00 of that clock."""
    quarters, place = np.unique(times // _QUARTER_MS, return_inverse=True)
    tz = ZoneInfo(zone)
    offsets = [
        int(datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, UTC).astimezone(tz).utcoffset().total_seconds() * 1000)  # type: ignore[union-attr]
        for quarter in quarters.tolist()
    ]
    return times + np.array(offsets, np.int64)[place]


def fold(arrivals: Arrivals, actors: Integers, zones: Mapping[str, str], texts: Texts) -> Folded:
    """Cells of all namespaces. `actors` has each event's actor, 0 for nobody."""
    folded = Folded({}, {})
    for place, project in enumerate(arrivals.projects):
        mine = np.flatnonzero(arrivals.project == place)
        if len(mine):
            _fold_project(folded, project, arrivals, mine, actors[mine], zones.get(project, "UTC"), texts)
    return folded


def _fold_project(  # noqa: PLR0917
    folded: Folded, project: str, arrivals: Arrivals, mine: Integers, actors: Integers, zone: str, texts: Texts
) -> None:
    clock = local(arrivals.time[mine], zone)
    days = clock // DAY_MS
    sequences = arrivals.sequence[mine]
    for day in np.unique(days).tolist():
        of_day = sequences[days == day]
        folded.days[project, day] = Sequences(int(of_day.min()), int(of_day.max()))
    codes = {name: arrivals.codes[name][mine] for name in (*CODED, "environment", "source", "medium")}
    environments = codes["environment"]
    columns = {"all": np.ones(len(mine), np.int64), **{name: codes[name] for name in CODED}}
    known = texts(_all(codes.values()))
    columns["channel"], channels = _channels(codes, known)
    hours = clock % DAY_MS // 3_600_000
    naming: dict[str, Mapping[int, str]] = dict.fromkeys(CODED, known)
    naming["all"] = {1: ""}
    naming["channel"] = channels
    naming["hour"] = {hour + 1: str(hour) for hour in range(24)}
    columns["hour"] = hours + 1
    values = arrivals.value[mine]
    for namespace, column in columns.items():
        names = naming[namespace]
        present = np.flatnonzero(column)
        if len(present):
            for (day, environment, code), cell in _cells(
                days[present], environments[present], column[present], actors[present], values[present]
            ):
                key = CellKey(project, namespace, day, known[environment], names[code])
                folded.cells[key] = cell


def _all(columns: Iterable[Integers]) -> list[int]:
    """The distinct codes of some columns."""
    found = np.unique(np.concatenate(list(columns)))
    return found[found > 0].tolist()  # type: ignore[no-any-return]


def _channels(codes: Mapping[str, Integers], known: Mapping[int, str]) -> tuple[Integers, dict[int, str]]:
    """A code per event for the channel of its page view, and the names of those codes."""
    triples, _, place = distinct(codes["referrer"], codes["source"], codes["medium"])
    names = [channel(*(known.get(code) for code in triple)) for triple in triples]
    numbered = {name: number for number, name in enumerate(sorted(set(names)), 1)}
    per_triple = np.array([numbered[name] for name in names], np.int64)
    return per_triple[place], {number: name for name, number in numbered.items()}


def _cells(
    days: Integers, environments: Integers, codes: Integers, actors: Integers, values: np.ndarray
) -> list[tuple[tuple[int, int, int], Cell]]:
    """A cell for each distinct (day, environment, code)."""
    keys, _, group = distinct(days, environments, codes)
    events = np.bincount(group, minlength=len(keys))
    has_value = ~np.isnan(values)
    valued = np.bincount(group[has_value], minlength=len(keys))
    totals = np.bincount(group[has_value], weights=values[has_value], minlength=len(keys))
    somebody = actors > 0
    width = int(actors.max(initial=0)) + 1
    pairs, counts = np.unique(group[somebody] * width + actors[somebody], return_counts=True)
    starts = np.searchsorted(pairs // width, np.arange(len(keys) + 1))
    members = (pairs % width).astype(np.uint32)
    cells = []
    for number, (day, environment, code) in enumerate(keys):
        mine = slice(starts[number], starts[number + 1])
        of_each = counts[mine]
        cell = Cell(
            int(events[number]),
            float(totals[number]),
            int(valued[number]),
            BitMap(members[mine]),
            of_each if len(of_each) < events[number] else None,
        )
        cells.append(((day, environment, code), cell))
    return cells


def cap(cells: Mapping[CellKey, Cell], taken: Mapping[Group, int]) -> dict[CellKey, Cell]:
    """The cells with new keys beyond the limit put together under `(other)`; `taken` counts those there are."""
    room = {group: KEYS_MAX - count for group, count in taken.items()}
    capped: dict[CellKey, Cell] = {}
    for key, cell in cells.items():
        group = key[:4]
        left = room.get(group, KEYS_MAX)
        room[group] = left - 1
        kept = key if left > 0 else key._replace(key=OTHER)
        capped[kept] = capped[kept].plus(cell) if kept in capped else cell
    return capped
