"""Units: what is followed of taggers, each definition by itself, and how far."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from saastracker.definition import Defined, Definitions
from saastracker.index_store import Index, IndexChanges, IndexState, Progress, Unit
from saastracker.tagger import Tagger, Tagging, units
from saastracker.tagging import Followed

log = logging.getLogger("saastracker.units")


_Defined: TypeAlias = dict[Unit, tuple[str, Any]]  # the version and the definition's value of each unit


class UnitState(NamedTuple):
    progress: Progress
    followed: Followed | None  # None: no event gets a key


class Units:
    """What is defined now, held against what is in the index."""

    def __init__(self, index: Index, taggers: Sequence[Tagger], definitions: Definitions | None) -> None:
        self._index = index
        self._taggers = {tagger.namespace: tagger for tagger in taggers}
        self.divided = frozenset(tagger.namespace for tagger in taggers if tagger.kind)  # each definition by itself
        self._definitions = definitions
        self._taggings: dict[Unit, tuple[str, Tagging | None]] = {}  # with the version
        # What a step asks for several times; with many projects it is thousands of rows.
        self._kept: tuple[int, dict[Unit, Progress]] = -1, {}  # with the number of changes
        self._of: dict[tuple[str, str], tuple[Sequence[Defined], _Defined]] = {}  # by project and namespace

    def changes(self, state: IndexState) -> IndexChanges | None:
        """What begins and what ends, where anything does."""
        defined = self._defined(state.first)
        known = self._progress(state)
        # Of a project whose events are all gone, what was seen before stays, as do the actors.
        gone = [
            unit
            for unit, done in known.items()
            if unit.project in state.first and (unit not in defined or defined[unit][0] != done.version)
        ]
        again = set(gone)
        new = {
            unit: Progress(version, min(state.first[unit.project] - 1, state.watermark))
            for unit, (version, _) in defined.items()
            if unit not in known or unit in again
        }
        for unit in gone:
            self._taggings.pop(unit, None)
        if not gone and not new:
            return None
        return IndexChanges(state.changes, state.watermark, forget=gone, units=new)

    def all(self, state: IndexState) -> dict[Unit, UnitState]:
        """All that is in the index as it is defined."""
        defined = self._defined(state.first)
        found = {}
        for unit, progress in self._progress(state).items():
            version, value = defined.get(unit, ("", None))
            if version == progress.version:
                found[unit] = UnitState(progress, self._followed(unit, version, value))
        return found

    def _progress(self, state: IndexState) -> dict[Unit, Progress]:
        if self._kept[0] != state.changes:
            self._kept = state.changes, self._index.units()
        return self._kept[1]

    def _defined(self, projects: Iterable[str]) -> _Defined:
        found: _Defined = {}
        for project in projects:
            for namespace, tagger in self._taggers.items():
                kind, definitions = tagger.kind, self._definitions
                defined = definitions.of(project, kind) if kind and definitions else ()
                known = self._of.get((project, namespace))
                if known is None or known[0] is not defined:
                    of_tagger = units(tagger, defined).items()
                    known = defined, {Unit(project, namespace, unit): of_unit for unit, of_unit in of_tagger}
                    self._of[project, namespace] = known
                found |= known[1]
        return found

    def _followed(self, unit: Unit, version: str, value: Any) -> Followed | None:
        tagger = self._taggers[unit.namespace]
        known = self._taggings.get(unit)
        if known is None or known[0] != version:
            tagging = None
            try:
                tagging = tagger.tagging(value)
            except Exception:
                log.exception("The tagger %s fails; nothing is counted for %s", unit.namespace, unit.unit or "it")
            known = self._taggings[unit] = version, tagging
        return Followed(unit, tagger, known[1]) if known[1] else None


def abreast(states: Mapping[Unit, UnitState], watermark: int) -> dict[Unit, UnitState]:
    """The units that have followed just so far."""
    return {unit: state for unit, state in states.items() if state.progress.watermark == watermark}
