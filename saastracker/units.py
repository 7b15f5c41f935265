"""Units: what is followed of taggers, each definition by itself, and how far."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from saastracker.definition import Definitions
from saastracker.index import Index, IndexChanges, IndexState, Progress, Unit
from saastracker.tagger import Tagger, Tagging, units
from saastracker.tagging import Followed

log = logging.getLogger("saastracker.units")


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
        self._taggings: dict[tuple[Unit, str], Tagging | None] = {}  # by unit and version

    def changes(self, state: IndexState) -> IndexChanges | None:
        """What begins and what ends, where anything does."""
        defined = self._defined(state.first)
        known = self._index.units()
        gone = [unit for unit, done in known.items() if unit not in defined or defined[unit][0] != done.version]
        new = {
            unit: Progress(version, min(state.first[unit.project] - 1, state.watermark))
            for unit, (version, _) in defined.items()
            if unit not in known or unit in gone
        }
        if not gone and not new:
            return None
        return IndexChanges(state.changes, state.watermark, forget=gone, units=new)

    def all(self, state: IndexState) -> dict[Unit, UnitState]:
        """All that is in the index as it is defined."""
        defined = self._defined(state.first)
        found = {}
        for unit, progress in self._index.units().items():
            version, value = defined.get(unit, ("", None))
            if version == progress.version:
                found[unit] = UnitState(progress, self._followed(unit, version, value))
        return found

    def _defined(self, projects: Iterable[str]) -> dict[Unit, tuple[str, Any]]:
        """The version and the definition's value of each unit."""
        found = {}
        for project in projects:
            for tagger in self._taggers.values():
                kind, definitions = tagger.kind, self._definitions
                defined = definitions.of(project, kind) if kind and definitions else ()
                for unit, of_unit in units(tagger, defined).items():
                    found[Unit(project, tagger.namespace, unit)] = of_unit
        return found

    def _followed(self, unit: Unit, version: str, value: Any) -> Followed | None:
        tagger = self._taggers[unit.namespace]
        if (unit, version) not in self._taggings:
            try:
                self._taggings[unit, version] = tagger.tagging(value)
            except Exception:
                log.exception("The tagger %s fails; nothing is counted for %s", unit.namespace, unit.unit or "it")
                self._taggings[unit, version] = None
        tagging = self._taggings[unit, version]
        return Followed(unit, tagger, tagging) if tagging else None


def abreast(states: Mapping[Unit, UnitState], watermark: int) -> dict[Unit, UnitState]:
    """The units that have followed just so far."""
    return {unit: state for unit, state in states.items() if state.progress.watermark == watermark}
