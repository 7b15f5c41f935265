"""Follows the events' sequence and keeps the index: each step in one transaction with its watermark."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from saastracker.chunks import of_moments, of_parts
from saastracker.definition import Definitions
from saastracker.enrolling import enrol
from saastracker.folding import Folded, cap, fold, local
from saastracker.index import Arrivals, Cell, CellKey, Index, IndexChanges, IndexState, Integers, Progress, Unit
from saastracker.tagger import Tagger
from saastracker.tagging import Tagged, tag
from saastracker.units import Units, UnitState, abreast

VERSION = "3"  # of what this code makes of events; another one in the database means: rebuild
STEP_EVENTS = 25_000  # the most events of one step; 100 000 take 70 MB more, for a fifth less time


Zones = Callable[[], Mapping[str, str]]  # the reporting time zones of projects by id, always the newest


class Step(NamedTuple):
    events: int  # how many were new
    more: bool  # whether a day or a tagger's unit is still to be made up for


class Indexer:
    """One step at a time, from one thread. `write` runs a change on the writer's thread."""

    def __init__(
        self,
        index: Index,
        zones: Zones,
        write: Callable[[Callable[[], None]], None],
        *,
        taggers: Sequence[Tagger] = (),
        definitions: Definitions | None = None,
    ) -> None:
        self._index = index
        self._zones = zones
        self._write = write
        self._units = Units(index, taggers, definitions)

    def begin(self) -> None:
        """Start over if the index was made by other code."""
        if self._index.state().version != VERSION:
            self.reset()

    def reset(self) -> None:
        """Throw the index away; following makes it again."""
        self._write(lambda: self._index.reset(VERSION))
        self._settle_units()

    def step(self) -> Step:
        """Make a dirty day again, or take in what is new and, unless that was much, what units lack."""
        self._settle_units()
        if self.recompute():
            return Step(0, True)
        events = self.follow()
        return Step(events, events < STEP_EVENTS and self.back_fill())

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
        changes = IndexChanges(state.watermark, int(arrivals.sequence[-1]))
        actors = enrol(changes, self._index, state.last_actor, arrivals)
        folded = fold(arrivals, actors, self._zones(), self._index.texts)
        changes.days, changes.sessions = folded.days, folded.sessions
        self._take(changes, folded, abreast(self._units.all(state), state.watermark), arrivals, actors)
        last = self._index.last_chunks([*folded.moments, *folded.parts])
        changes.chunks = of_moments(folded.moments, last) | of_parts(folded.parts, last)
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

    def back_fill(self) -> bool:
        """Take in events for the units that are furthest behind, up to one step; whether there were any."""
        state = self._index.state()
        units = self._units.all(state)
        behind = sorted({each.progress.watermark for each in units.values()} - {state.watermark})
        if not behind:
            return False
        # No further than the next ones are, so that from there on they go together.
        until = (*behind, state.watermark)[1]
        arrivals = self._index.arrivals(behind[0], STEP_EVENTS, until)
        full = len(arrivals) == STEP_EVENTS
        changes = IndexChanges(state.watermark, state.watermark)
        actors = enrol(changes, self._index, state.last_actor, arrivals)
        some = abreast(units, behind[0])
        self._take(changes, Folded(), some, arrivals, actors)
        reached = int(arrivals.sequence[-1]) if full else until
        changes.units = {unit: Progress(each.progress.version, reached) for unit, each in some.items()}
        self._write(lambda: self._index.write(changes))
        return True

    def _settle_units(self) -> None:
        """Begin with what is newly defined, and drop what no longer is."""
        changes = self._units.changes(self._index.state())
        if changes is not None:
            self._write(lambda: self._index.write(changes))

    def _take(
        self,
        changes: IndexChanges,
        folded: Folded,
        units: Mapping[Unit, UnitState],
        arrivals: Arrivals,
        actors: Integers,
    ) -> None:
        """Put the folded cells, and those of units that are as far as the step, on top of what the index has."""
        tagged = self._tagged(units, arrivals, actors)
        changes.seen_keys = tagged.seen
        changes.units = {unit: Progress(each.progress.version, changes.watermark) for unit, each in units.items()}
        changes.cells = self._added(folded.cells | tagged.cells)

    def _tagged(self, units: Mapping[Unit, UnitState], arrivals: Arrivals, actors: Integers) -> Tagged:
        tagged, zones = Tagged(), self._zones()
        for place, project in enumerate(arrivals.projects):
            rows = np.flatnonzero(arrivals.project == place)
            mine, who = arrivals.only(rows), actors[rows]
            for unit, (_, followed) in units.items():
                if followed and unit.project == project:
                    zone = zones.get(project, "UTC")
                    tag(tagged, followed, mine, who, zone, self._index.texts, self._index.properties)
        return tagged

    def _fold_day(  # noqa: PLR0917
        self, changes: IndexChanges, state: IndexState, project: str, day: int, after: int, until: int
    ) -> None:
        zone = self._zones().get(project, "UTC")
        whole = Folded()
        while len(arrivals := self._index.arrivals(after, STEP_EVENTS, until)):
            after = int(arrivals.sequence[-1])
            of_day = _of_day(arrivals, project, day, zone)
            if not len(of_day):
                continue
            actors = enrol(changes, self._index, state.last_actor, of_day)
            folded = fold(of_day, actors, self._zones(), self._index.texts)
            whole.add(folded)
            self._tag_day(changes, whole, state, of_day, actors)
        changes.cells = cap(whole.cells, {})
        changes.days, changes.sessions = whole.days, whole.sessions
        changes.chunks = of_moments(whole.moments, {}) | of_parts(whole.parts, {})

    def _tag_day(
        self, changes: IndexChanges, whole: Folded, state: IndexState, of_day: Arrivals, actors: Integers
    ) -> None:
        """Of units that are still behind, only what they have had."""
        units = self._units.all(state)
        for watermark in {each.progress.watermark for each in units.values()}:
            rows = np.flatnonzero(of_day.sequence <= watermark)
            tagged = self._tagged(abreast(units, watermark), of_day.only(rows), actors[rows])
            whole.add(Folded(cells=tagged.cells))
            for place, seen in tagged.seen.items():
                changes.seen_keys.setdefault(place, []).extend(seen)

    def _added(self, cells: Mapping[CellKey, Cell]) -> dict[CellKey, Cell]:
        """The cells added to those in the index."""
        known = self._index.cells(list(cells))
        new = {key: cell for key, cell in cells.items() if key not in known}
        kept = cap(new, self._index.keys({key[:4] for key in new}))
        known |= self._index.cells([key for key in kept if key not in new])
        added = {key: cell for key, cell in cells.items() if key in known} | kept
        return {key: known[key].plus(cell) if key in known else cell for key, cell in added.items()}


def _of_day(arrivals: Arrivals, project: str, day: int, zone: str) -> Arrivals:
    if project not in arrivals.projects:
        return arrivals.only(np.zeros(0, np.int64))
    mine = arrivals.project == arrivals.projects.index(project)
    return arrivals.only(np.flatnonzero(mine & (local(arrivals.time, zone) // 86_400_000 == day)))
