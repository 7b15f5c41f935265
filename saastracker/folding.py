"""Folds events into the index: the one computation behind following, recomputing and rebuilding."""

from array import array
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from saastracker.index import KEYS_MAX, OTHER, Cell, Integers, bitmap, distinct, grouped, numbered, unique
from saastracker.index_store import Arrivals, CellKey, ChunkKey, Group, Sequences
from saastracker.parts import FOREVER, NEVER, Parts
from saastracker.segments import Moments

DAY_MS = 86_400_000
_QUARTER_MS = 15 * 60_000  # offsets of time zones change on quarters of an hour

CODED = ("name", "type", "path", "org", "release", "country", "browser", "os", "device", "plan")
NAMED = (*CODED, "environment")
ATTRIBUTES = ("release", "country", "browser", "os", "device", "referrer", "source", "medium", "campaign")

Chosen: TypeAlias = NDArray[np.bool_]
Texts: TypeAlias = Callable[[Sequence[int]], Mapping[int, str]]


class Folded(msgspec.Struct):
    cells: dict[CellKey, Cell] = {}
    days: dict[tuple[str, int], Sequences] = {}
    moments: dict[ChunkKey, Moments] = {}
    parts: dict[ChunkKey, Parts] = {}
    sessions: dict[tuple[str, int], BitMap] = {}  # by project and day

    def add(self, other: "Folded") -> None:
        """Both together, but for moments and parts: those of a day may be too many to be held at once."""
        for key, cell in other.cells.items():
            self.cells[key] = self.cells[key].plus(cell) if key in self.cells else cell
        for day, span in other.days.items():
            known = self.days.get(day, span)
            self.days[day] = Sequences(min(known.low, span.low), max(known.high, span.high))
        for place, sessions in other.sessions.items():
            self.sessions[place] = self.sessions.get(place, BitMap()) | sessions


def local(times: Integers, zone: str) -> Integers:
    """Times in ms as local clock readings in ms since 1970-01-01 00:00 of that clock."""
    quarters, place = numbered(times // _QUARTER_MS)
    tz = ZoneInfo(zone)
    offsets = [
        int(datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, UTC).astimezone(tz).utcoffset().total_seconds() * 1000)  # type: ignore[union-attr]
        for quarter in quarters.tolist()
    ]
    return times + np.array(offsets, np.int64)[place]


def fold(arrivals: Arrivals, actors: Integers, zones: Mapping[str, str], texts: Texts) -> Folded:
    """Cells of all columns, moments and parts of sessions. `actors` has each event's actor, 0 for nobody."""
    folded = Folded()
    for place, project in enumerate(arrivals.projects):
        mine = np.flatnonzero(arrivals.project == place)
        if len(mine):
            of_project = arrivals.only(mine)
            known = texts(_all(of_project.codes[name] for name in NAMED))
            clock = local(of_project.time, zones.get(project, "UTC"))
            _fold_days(folded, project, of_project, clock // DAY_MS)
            _fold_cells(folded, project, of_project, actors[mine], clock, known)
            _fold_moments(folded, project, of_project, actors[mine], clock // DAY_MS, known)
    return folded


def _fold_days(folded: Folded, project: str, arrivals: Arrivals, days: Integers) -> None:
    for day in unique(days).tolist():
        of_day = arrivals.sequence[days == day]
        folded.days[project, day] = Sequences(int(of_day.min()), int(of_day.max()))
        sessions = unique(arrivals.codes["session"][days == day])
        if sessions[-1]:
            folded.sessions[project, day] = bitmap(sessions[sessions > 0])


def _fold_cells(  # noqa: PLR0917
    folded: Folded, project: str, arrivals: Arrivals, actors: Integers, clock: Integers, known: Mapping[int, str]
) -> None:
    codes = arrivals.codes
    columns = {"all": np.ones(len(arrivals), np.int64), **{name: codes[name] for name in CODED}}
    views = _coded(codes["type"], known, "pageview")
    columns["page"] = np.where(views, codes["path"], 0)
    columns["path"] = np.where(views, 0, codes["path"])  # those would take as much space again
    columns["hour"] = columns["all"]
    naming: dict[str, Mapping[int, str]] = dict.fromkeys(columns, known)
    naming["all"] = naming["hour"] = {1: ""}
    days, hours = clock // DAY_MS, clock % DAY_MS // 3_600_000 + 1
    for namespace, column in columns.items():
        names = naming[namespace]
        present = np.flatnonzero(column)
        if len(present):
            whose = hours if namespace == "hour" else actors
            of_present = days[present], codes["environment"][present], column[present], whose[present]
            for (day, environment, code), cell in cells(*of_present, arrivals.value[present]):
                key = CellKey(project, namespace, day, known[environment], names[code])
                folded.cells[key] = cell


def _fold_moments(  # noqa: PLR0917
    folded: Folded, project: str, arrivals: Arrivals, actors: Integers, days: Integers, known: Mapping[int, str]
) -> None:
    codes = arrivals.codes
    views = _coded(codes["type"], known, "pageview")
    path = np.where(views, codes["path"], 0)
    every = Moments(
        [], np.zeros(len(arrivals), np.int64), actors, codes["session"], arrivals.time, arrivals.sequence, path
    )
    groups, _, place = distinct(days, codes["environment"], codes["name"])
    for rows, (day, environment, name) in zip(grouped(place, len(groups)), groups, strict=True):
        key = ChunkKey(project, "moments", day, known[environment], known[name])
        folded.moments[key] = every.only(rows)
        folded.moments[key].names = [key.key]
    parts = _parts(arrivals, actors, views, path, known)
    groups, _, place = distinct(days, codes["environment"])
    for rows, (day, environment) in zip(grouped(place, len(groups)), groups, strict=True):
        inside = parts.only(rows[parts.session[rows] > 0])
        if len(inside):
            key = ChunkKey(project, "parts", day, known[environment], "")
            folded.parts[key] = inside.merged(inside.actor, inside.session)


def _parts(arrivals: Arrivals, actors: Integers, views: Chosen, path: Integers, known: Mapping[int, str]) -> Parts:
    """Each event as a part of its own."""
    codes, time = arrivals.codes, arrivals.time
    passing = _coded(codes["name"], known, "$pageleave") | _coded(codes["type"], known, "vital")
    return Parts(
        actor=actors,
        session=codes["session"],
        first=time,
        first_sequence=arrivals.sequence,
        last=time,
        events=np.ones(len(arrivals), np.int64),
        counted=(~passing).astype(np.int64),
        pages=views.astype(np.int64),
        entry=path,
        entry_time=time,
        entry_sequence=arrivals.sequence,
        exit=path,
        exit_time=time,
        exit_sequence=arrivals.sequence,
        started=np.where(_coded(codes["name"], known, "Session:Start"), time, FOREVER),
        ended=np.where(_coded(codes["name"], known, "Session:End"), time, NEVER),
        **{name: codes[name] for name in ATTRIBUTES},
    )


def _coded(codes: Integers, known: Mapping[int, str], text: str) -> Chosen:
    """Which of some codes stand for a text."""
    return np.isin(codes, [code for code, name in known.items() if name == text])


def _all(columns: Iterable[Integers]) -> list[int]:
    """The distinct codes of some columns."""
    found = unique(np.concatenate(list(columns)))
    return found[found > 0].tolist()  # type: ignore[no-any-return]


def cells(  # noqa: PLR0917
    days: Integers,
    environments: Integers,
    codes: Integers,
    actors: Integers,
    values: NDArray[np.float64],
    distribution: bool = False,
) -> list[tuple[tuple[int, int, int], Cell]]:
    """A cell for each distinct (day, environment, code), in the order in which they first arrived."""
    keys, arrived, group = distinct(days, environments, codes)
    events = np.bincount(group, minlength=len(keys))
    has_value = ~np.isnan(values)
    valued = np.bincount(group[has_value], minlength=len(keys))
    totals = np.bincount(group[has_value], weights=values[has_value], minlength=len(keys))
    somebody = actors > 0
    width = int(actors.max(initial=0)) + 1
    pairs, place = numbered(group[somebody] * width + actors[somebody])
    counts = np.bincount(place, minlength=len(pairs))
    starts = np.searchsorted(pairs // width, np.arange(len(keys) + 1)).tolist()
    # Sliced as an array of Python's, of which a bitmap is made in a quarter of the time.
    members = array("I", (pairs % width).astype(np.uint32).tobytes())
    of_each_key = grouped(group, len(keys)) if distribution else ()
    found = []
    numbers = zip(events.tolist(), totals.tolist(), valued.tolist(), strict=True)
    for number, (of_key, total, with_value) in enumerate(numbers):
        mine = slice(starts[number], starts[number + 1])
        cell = Cell(
            of_key,
            total,
            with_value,
            BitMap(members[mine]),
            counts[mine] if mine.stop - mine.start < of_key else None,
        )
        if distribution:
            given = values[of_each_key[number]]
            cell.values = given[~np.isnan(given)]
        found.append((keys[number], cell))
    return [found[number] for number in np.argsort(arrived).tolist()]


def groups(keys: Iterable[CellKey], divided: Container[str]) -> dict[CellKey, Group]:
    """What the limit of each key counts in, but of the keys of whole definitions, which are always kept.

    `divided` are the namespaces in which each definition has keys of its own.
    """
    found = {}
    for key in keys:
        unit = key.key.partition("/")[0] if key.namespace in divided else ""
        if not unit or key.key != unit:
            found[key] = Group(key.project, key.namespace, key.day, key.environment, unit)
    return found


def cap(cells: dict[CellKey, Cell], new: Mapping[CellKey, Group], taken: Mapping[Group, int]) -> dict[CellKey, Cell]:
    """The cells, those of `new` keys beyond the limit put together under `(other)`; `taken` counts the others."""
    room: dict[Group, int] = {}
    beyond: dict[CellKey, CellKey] = {}
    for key, of in new.items():
        left = room.get(of, KEYS_MAX - taken.get(of, 0))
        room[of] = left - 1
        if left <= 0:
            beyond[key] = key._replace(key=f"{of.unit}/{OTHER}" if of.unit else OTHER)
    if not beyond:
        return cells
    capped: dict[CellKey, Cell] = {}
    for key, cell in cells.items():
        kept = beyond.get(key, key)
        capped[kept] = capped[kept].plus(cell) if kept in capped else cell
    return capped
