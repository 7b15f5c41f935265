"""Reads of events' rows that another engine keeps, for readers of the database that keeps all else."""

from collections.abc import Callable, Sequence
from typing import Any

from saastracker.erasable import PIECE, Progress, Write
from saastracker.event import Event
from saastracker.event_rows import EventRows
from saastracker.sql import refuse_ended
from saastracker.sql_reads import SqlReads

PIECES = 100  # in which a project is erased: each is a deletion that the other engine remembers


class ReadsElsewhere(SqlReads):
    """Stands before a store's own reader, whose constructor calls `elsewhere`."""

    def elsewhere(self, rows: EventRows, until: int, seconds: float, cancelled: Callable[[], bool]) -> None:
        """`until` is the last number that is committed in the state that is read."""
        self._rows = rows
        self._until = until
        self._limits = seconds, cancelled

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        refuse_ended(self.ended)
        if not self._rows.knows(sql):
            return super().query(sql, **parameters)  # type: ignore[safe-super]  # it stands before one that has it
        return self._rows.query(sql, parameters, self._until, *self._limits)

    def _newest(self) -> int:
        return self._until

    def events(self, sequences: Sequence[int]) -> list[Event]:
        refuse_ended(self.ended)
        by_sequence = {event.sequence: event for event in self._rows.events(sequences, self._until)}
        return [by_sequence[sequence] for sequence in sequences if sequence in by_sequence]


def erase_rows(rows: EventRows, project: str, write: Write, progress: Progress) -> int:
    """Erase a project's events in pieces between the writer's groups; how many there were."""
    held = rows.held().get(project)
    if held is None:
        return 0
    step = max(PIECE, (held.last - held.first) // PIECES + 1)
    for until in range(held.first + step - 1, held.last + step, step):
        write(lambda until=until: rows.erase(project, until))  # type: ignore[misc]
        progress(min(held.events, until - held.first + 1), held.events)
    return held.events
