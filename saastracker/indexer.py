"""Follows the events' sequence and keeps the index: each step in one transaction with its watermark."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from saastracker.chunks import of_moments, of_parts
from saastracker.definition import Definitions
from saastracker.enrolling import enrol
from saastracker.folding import DAY_MS, Folded, cap, fold, groups, local
from saastracker.index import VERSION, Cell, Integers
from saastracker.index_store import (
    Arrivals,
    CellKey,
    Chunk,
    ChunkKey,
    Index,
    IndexChanges,
    IndexState,
    Progress,
    Sequences,
    Unit,
)
from saastracker.longer import meet
from saastracker.settling import settle
from saastracker.tagger import Tagger
from saastracker.tagging import Followed, Tagged, remembering, tag
from saastracker.units import Units, UnitState, abreast

QUIET_SHARE = 0.1  # of a day's time from first to last event: without one for so long it is settled
STEP_EVENTS = 50_000  # the most events of one step


Zones = Callable[[], Mapping[str, str]]  # the reporting time zones of projects by id, always the newest


class Step(NamedTuple):
    events: int  # how many were new
    more: bool  # whether something is still to be made up for


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
        self._adapt()

    def step(self) -> Step:
        """Take in what is new and, unless that was much, make up for something else that is to be done."""
        self._adapt()
        events = self.follow()
        return Step(events, events < STEP_EVENTS and (self.recompute() or self.back_fill() or self.settle_day()))

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
        zones = {project: self._zone(state, project) for project in arrivals.projects}
        changes = IndexChanges(state.changes, int(arrivals.sequence[-1]))
        changes.zones = {project: zone for project, zone in zones.items() if project not in state.zones}
        actors = enrol(changes, self._index, state.last_actor, arrivals)
        folded = fold(arrivals, actors, zones, self._index.texts)
        changes.days = folded.days
        meet(changes, self._index, folded.sessions)
        self._take(changes, folded, abreast(self._units.all(state), state.watermark), arrivals, actors, zones)
        last = self._index.last_chunks([*folded.moments, *folded.parts])
        chunks = of_moments(folded.moments, last) | of_parts(folded.parts, last)
        changes.chunks = {(key, chunk.number): chunk.data for key, chunk in chunks.items()}
        self._write(lambda: self._index.write(changes))
        return len(arrivals)

    def recompute(self) -> bool:
        """Make one dirty day again from its raw events; whether there was one."""
        state = self._index.state()
        if not state.dirty:
            return False
        project, day = state.dirty[0]
        changes = IndexChanges(state.changes, state.watermark, clear=[(project, day)])
        span = self._index.span(project, day)
        if span is not None:
            self._fold_day(changes, state, project, day, span)
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
        changes = IndexChanges(state.changes, state.watermark)
        actors = enrol(changes, self._index, state.last_actor, arrivals)
        some = abreast(units, behind[0])
        self._take(changes, Folded(), some, arrivals, actors, state.zones)
        reached = int(arrivals.sequence[-1]) if full else until
        changes.units = {unit: Progress(each.progress.version, reached) for unit, each in some.items()}
        self._write(lambda: self._index.write(changes))
        return True

    def settle_day(self) -> bool:
        """Settle one day that has gone quiet; whether there was one."""
        state = self._index.state()
        quiet = self._index.quiet(QUIET_SHARE)
        if quiet is None:
            return False
        changes = IndexChanges(state.changes, state.watermark, settled=[quiet])
        with self._index.reader() as reader:
            tables = settle(reader, *quiet, self._zone(state, quiet[0]))
        changes.chunks = {(key, 0): data for key, data in tables.items()}
        self._write(lambda: self._index.write(changes))
        return True

    def _adapt(self) -> None:
        """Begin with what is newly defined, drop what no longer is, and go over to changed time zones."""
        state = self._index.state()
        changes = self._units.changes(state) or IndexChanges(state.changes, state.watermark)
        zones = self._zones()
        changes.zones = {
            project: zones[project] for project, zone in state.zones.items() if zones.get(project, zone) != zone
        }
        if changes.units or changes.forget or changes.zones:
            self._write(lambda: self._index.write(changes))

    def _zone(self, state: IndexState, project: str) -> str:
        """By which a project's days are made: all by one, until `_adapt` changes it."""
        return state.zones.get(project) or self._zones().get(project, "UTC")

    def _take(  # noqa: PLR0917
        self,
        changes: IndexChanges,
        folded: Folded,
        units: Mapping[Unit, UnitState],
        arrivals: Arrivals,
        actors: Integers,
        zones: Mapping[str, str],
    ) -> None:
        """Put the folded cells, and those of units that are as far as the step, on top of what the index has."""
        tagged = self._tagged(units, arrivals, actors, zones)
        changes.seen_keys = tagged.seen
        changes.units = {unit: Progress(each.progress.version, changes.watermark) for unit, each in units.items()}
        changes.cells = self._added(folded.cells | tagged.cells)

    def _tagged(
        self, units: Mapping[Unit, UnitState], arrivals: Arrivals, actors: Integers, zones: Mapping[str, str]
    ) -> Tagged:
        tagged, texts = Tagged(), remembering(self._index.texts)
        of_project: dict[str, list[Followed]] = defaultdict(list)
        for unit, (_, followed) in units.items():
            if followed:
                of_project[unit.project].append(followed)
        for place, project in enumerate(arrivals.projects):
            if project not in of_project:
                continue
            rows = np.flatnonzero(arrivals.project == place)
            mine, who = arrivals.only(rows), actors[rows]
            for followed in of_project[project]:
                tag(tagged, followed, mine, who, zones[project], texts, self._index.properties)
        return tagged

    def _fold_day(self, changes: IndexChanges, state: IndexState, project: str, day: int, span: Sequences) -> None:
        zones = {project: self._zone(state, project)}
        units = self._units.all(state)
        whole, last = Folded(), dict[ChunkKey, Chunk]()
        after = span.low - 1
        while len(arrivals := self._index.arrivals(after, STEP_EVENTS, span.high, (project, day))):
            after = int(arrivals.sequence[-1])
            of_day = arrivals.only(np.flatnonzero(local(arrivals.time, zones[project]) // DAY_MS == day))
            if not len(of_day):
                continue
            actors = enrol(changes, self._index, state.last_actor, of_day)
            folded = fold(of_day, actors, zones, self._index.texts)
            # Of units that are still behind, only what they have had.
            for watermark in {each.progress.watermark for each in units.values()}:
                rows = np.flatnonzero(of_day.sequence <= watermark)
                tagged = self._tagged(abreast(units, watermark), of_day.only(rows), actors[rows], zones)
                folded.cells |= tagged.cells
                for place, seen in tagged.seen.items():
                    changes.seen_keys.setdefault(place, []).extend(seen)
            divided = self._units.divided
            new = groups((key for key in folded.cells if key not in whole.cells), divided)
            folded.cells = cap(folded.cells, new, Counter(groups(whole.cells, divided).values()))
            whole.add(folded)
            chunks = of_moments(folded.moments, last) | of_parts(folded.parts, last)
            changes.chunks |= {(key, chunk.number): chunk.data for key, chunk in chunks.items()}
            last |= chunks
        changes.cells, changes.days = whole.cells, whole.days
        meet(changes, self._index, whole.sessions)

    def _added(self, cells: dict[CellKey, Cell]) -> dict[CellKey, Cell]:
        """The cells added to those in the index."""
        known = self._index.cells(list(cells))
        new = groups((key for key in cells if key not in known), self._units.divided)
        kept = cap(cells, new, self._index.keys(set(new.values())))
        known |= self._index.cells([key for key in kept if key not in cells])
        return {key: known[key].plus(cell) if key in known else cell for key, cell in kept.items()}
