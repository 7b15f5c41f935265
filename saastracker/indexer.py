"""Follows the events' sequence and keeps the index: each step in one transaction with its watermark."""

import logging
from collections.abc import Callable, Mapping

import numpy as np

from saastracker.folding import Folded, cap, fold, local
from saastracker.index import (
    Actor,
    ActorKey,
    Arrivals,
    Cell,
    CellKey,
    Index,
    IndexChanges,
    IndexState,
    Integers,
    distinct,
)

log = logging.getLogger("saastracker.indexer")

VERSION = "2"  # of what this code makes of events; another one in the database means: rebuild
STEP_EVENTS = 25_000  # the most events of one step; 100 000 take 70 MB more, for a fifth less time


Zones = Callable[[], Mapping[str, str]]  # the reporting time zones of projects by id, always the newest


class Indexer:
    """One step at a time, from one thread. `write` runs a change on the writer's thread."""

    def __init__(self, index: Index, zones: Zones, write: Callable[[Callable[[], None]], None]) -> None:
        self._index = index
        self._zones = zones
        self._write = write

    def begin(self) -> None:
        """Start over if the index was made by other code."""
        if self._index.state().version != VERSION:
            self.reset()

    def reset(self) -> None:
        """Throw the index away; following makes it again."""
        self._write(lambda: self._index.reset(VERSION))

    def step(self) -> int:
        """Make a dirty day again, or take in what is new; how many events were new."""
        return 0 if self.recompute() else self.follow()

    def rebuild(self, progress: Callable[[int, int], None]) -> None:
        """Throw the index away and make it again; `progress(done, total)` in events."""
        self.reset()
        while self.follow():
            state = self._index.state()
            progress(state.watermark, state.newest)

    def follow(self) -> int:
        """Take in what is new, up to one step; how many events they were."""
        state = self._index.state()
        arrivals = self._index.arrivals(state.watermark, STEP_EVENTS)
        if not len(arrivals):
            return 0
        changes, folded = self._changes(state, arrivals)
        changes.watermark = int(arrivals.sequence[-1])
        changes.cells = self._added(folded)
        changes.days = folded.days
        self._write(lambda: self._index.write(changes))
        return len(arrivals)

    def recompute(self) -> bool:
        """Make one dirty day again from its raw events; whether there was one."""
        state = self._index.state()
        if not state.dirty:
            return False
        project, day = state.dirty[0]
        changes = IndexChanges(state.watermark, state.watermark, clear=[(project, day)])
        span = self._index.span(project, day)
        if span is not None:
            self._fold_day(changes, state, project, day, span.low - 1, min(span.high, state.watermark))
        self._write(lambda: self._index.write(changes))
        return True

    def _fold_day(  # noqa: PLR0917
        self, changes: IndexChanges, state: IndexState, project: str, day: int, after: int, until: int
    ) -> None:
        zone = self._zones().get(project, "UTC")
        while len(arrivals := self._index.arrivals(after, STEP_EVENTS, until)):
            after = int(arrivals.sequence[-1])
            of_day = _of_day(arrivals, project, day, zone)
            if not len(of_day):
                continue
            more, folded = self._changes(state, of_day)
            changes.seen.update(more.seen)
            for key, cell in folded.cells.items():
                changes.cells[key] = changes.cells[key].plus(cell) if key in changes.cells else cell
            for key_day, span in folded.days.items():
                known = changes.days.get(key_day, span)
                changes.days[key_day] = type(span)(min(known.low, span.low), max(known.high, span.high))
        changes.cells = cap(changes.cells, {})

    def _changes(self, state: IndexState, arrivals: Arrivals) -> tuple[IndexChanges, Folded]:
        """The actors and aliases of some events, and the cells they fold into."""
        changes = IndexChanges(state.watermark, state.watermark)
        actors = self._actors(changes, state, arrivals)
        _join(changes, arrivals)
        return changes, fold(arrivals, actors, self._zones(), self._index.texts)

    def _actors(self, changes: IndexChanges, state: IndexState, arrivals: Arrivals) -> Integers:
        """Each event's actor, 0 for nobody; new ones get numbers."""
        user, anonymous, org = (arrivals.codes[name] for name in ("user", "anonymous", "org"))
        person = np.where(user > 0, user, anonymous)
        nameless = ((user == 0) & (anonymous > 0)).astype(np.int64)
        pairs, _, place = distinct(arrivals.project, nameless, person, org)
        first = np.full(len(pairs), np.iinfo(np.int64).max)
        last = np.zeros(len(pairs), np.int64)
        np.minimum.at(first, place, arrivals.time)
        np.maximum.at(last, place, arrivals.time)
        keys = [
            ActorKey(arrivals.projects[project], bool(is_anonymous), who, where)
            for project, is_anonymous, who, where in pairs
        ]
        known = self._index.actors([key for key in keys if key.person or key.org])
        numbers = np.zeros(len(keys), np.int64)
        number = state.last_actor
        for index, key in enumerate(keys):
            times = int(first[index]), int(last[index])
            if not (key.person or key.org):
                continue
            if key in known:
                numbers[index] = known[key]
                changes.seen[known[key]] = times
            else:
                number += 1
                numbers[index] = number
                changes.actors[key] = Actor(number, *times)
        return numbers[place]

    def _added(self, folded: Folded) -> dict[CellKey, Cell]:
        """The folded cells added to those in the index."""
        known = self._index.cells(list(folded.cells))
        new = {key: cell for key, cell in folded.cells.items() if key not in known}
        kept = cap(new, self._index.keys({key[:4] for key in new}))
        known |= self._index.cells([key for key in kept if key not in new])
        added = {key: cell for key, cell in folded.cells.items() if key in known} | kept
        return {key: known[key].plus(cell) if key in known else cell for key, cell in added.items()}


def _join(changes: IndexChanges, arrivals: Arrivals) -> None:
    """The first user each anonymous id was seen with."""
    user, anonymous = arrivals.codes["user"], arrivals.codes["anonymous"]
    both = np.flatnonzero((user > 0) & (anonymous > 0))
    _, earliest, _ = distinct(arrivals.project[both], anonymous[both])
    for event in both[earliest].tolist():
        key = arrivals.projects[arrivals.project[event]], int(anonymous[event])
        changes.aliases[key] = int(user[event])


def _of_day(arrivals: Arrivals, project: str, day: int, zone: str) -> Arrivals:
    if project not in arrivals.projects:
        return _chosen(arrivals, np.zeros(0, np.int64))
    mine = arrivals.project == arrivals.projects.index(project)
    return _chosen(arrivals, np.flatnonzero(mine & (local(arrivals.time, zone) // 86_400_000 == day)))


def _chosen(arrivals: Arrivals, rows: Integers) -> Arrivals:
    return Arrivals(
        arrivals.projects,
        arrivals.project[rows],
        arrivals.sequence[rows],
        arrivals.time[rows],
        arrivals.value[rows],
        {name: column[rows] for name, column in arrivals.codes.items()},
    )
