"""How the last runs of each job went, as one record per job."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from saastracker.contracts import Change, Record, RecordStore
from saastracker.errors import Conflict
from saastracker.facts import ATTEMPTS
from saastracker.records import HOUR_MS

KIND = "job-run"
RUNS_KEPT = 20  # of each job
QUIET_MS = HOUR_MS  # after which a quiet run is written down again

Result: TypeAlias = Literal["done", "failed", "cancelled"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run that has ended."""

    started_at: int
    seconds: float
    result: Result
    error: str | None = None
    notices: int = 0  # queued by it
    quiet: bool = False  # there was nothing to do; only the last of such runs is kept, until another one goes well


class JobRuns:
    """The last runs by name of the job, newest first. Safe from several threads and processes."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._quiet: dict[str, Run] = {}  # the last run of a job, where that is not written down

    def all(self) -> dict[str, tuple[Run, ...]]:
        """Quiet runs of other processes as of an hour ago, at most."""
        found = {record.id: _runs(record) for record in self._store.records(KIND)}
        for job, run in list(self._quiet.items()):
            runs = found.get(job, ())
            if not runs or runs[0].started_at < run.started_at:
                found[job] = _before(run, runs)
        return found

    def add(self, job: str, run: Run) -> None:
        """Raises Conflict if other processes keep writing, Unavailable if the store does not write."""
        for _ in range(ATTEMPTS):
            old = next((record for record in self._store.records(KIND) if record.id == job), None)
            known = _runs(old) if old else ()
            recent = bool(known) and known[0].result == "done"
            if run.quiet and recent and 0 <= run.started_at - known[0].started_at < QUIET_MS:
                self._quiet[job] = run
                return
            self._quiet.pop(job, None)
            runs = _before(run, known)
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


def _before(run: Run, runs: Sequence[Run]) -> tuple[Run, ...]:
    return (run, *(each for each in runs if not each.quiet or run.result != "done"))[:RUNS_KEPT]


def _runs(record: Record) -> tuple[Run, ...]:
    return _decoder.decode(record.data)


_decoder = msgspec.json.Decoder(tuple[Run, ...])
