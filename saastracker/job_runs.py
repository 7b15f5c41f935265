"""How the last runs of each job went, as one record per job."""

from typing import Literal, TypeAlias

import msgspec

from saastracker.contracts import Change, Record, RecordStore
from saastracker.errors import Conflict
from saastracker.facts import ATTEMPTS

KIND = "job-run"
RUNS_KEPT = 20  # of each job

Result: TypeAlias = Literal["done", "failed", "cancelled"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run that has ended."""

    started_at: int
    seconds: float
    result: Result
    error: str | None = None
    notices: int = 0  # queued by it


class JobRuns:
    """The last runs by name of the job, newest first. Safe from several threads and processes."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def all(self) -> dict[str, tuple[Run, ...]]:
        return {record.id: _runs(record) for record in self._store.records(KIND)}

    def add(self, job: str, run: Run) -> None:
        """Raises Conflict if other processes keep writing, Unavailable if the store does not write."""
        for _ in range(ATTEMPTS):
            old = next((record for record in self._store.records(KIND) if record.id == job), None)
            runs = (run, *(_runs(old) if old else ()))[:RUNS_KEPT]
            try:
                self._store.write([Change(KIND, job, old.version if old else 0, msgspec.json.encode(runs))])
            except Conflict:
                continue
            return
        raise Conflict("Other processes keep recording runs of the same job.")

    def expire(self, before: int) -> None:
        """Forget jobs whose last run began before a time."""
        old = [record for record in self._store.records(KIND) if _runs(record)[0].started_at < before]
        if old:
            self._store.write([Change(KIND, record.id, record.version, None) for record in old])


def _runs(record: Record) -> tuple[Run, ...]:
    return _decoder.decode(record.data)


_decoder = msgspec.json.Decoder(tuple[Run, ...])
