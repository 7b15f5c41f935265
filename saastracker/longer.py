"""Finds the sessions that have events on several days: few, and found without a row for each session."""

from collections.abc import Mapping

from pyroaring import BitMap

from saastracker.index_store import Index, IndexChanges


def meet(changes: IndexChanges, index: Index, new: Mapping[tuple[str, int], BitMap]) -> None:
    """Put the new sessions of each project's days, with those that other days have as well, into `changes`."""
    for project in sorted({project for project, _ in new}):
        mine = {day: sessions for (of, day), sessions in new.items() if of == project}
        codes = BitMap.union(*mine.values())
        days = index.sessions(project, codes.min(), codes.max(), list(mine))
        for day in [day for of, day in changes.clear if of == project]:
            days.pop(day, None)
        for day, sessions in mine.items():
            days[day] = changes.sessions[project, day] = days.get(day, BitMap()) | sessions
        seen, several = BitMap(), BitMap()
        for sessions in days.values():
            several |= seen & sessions & codes
            seen |= sessions
        for day, sessions in sorted(days.items()):
            for session in sessions & several:
                changes.longer.setdefault((project, session), []).append(day)
