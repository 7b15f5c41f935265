"""Runs of jobs that are asked for on a server that leaves jobs to another: records, until the run has ended."""

import contextlib

import msgspec

from saastracker.contracts import Change, RecordStore
from saastracker.errors import Conflict

KIND = "job-request"


class _Request(msgspec.Struct):
    at: int  # ms


class JobRequests:
    """At most one of each job."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def add(self, job: str, now: int) -> None:
        """Raises Conflict if there is one."""
        self._records.write([Change(KIND, job, 0, msgspec.json.encode(_Request(now)))])

    def all(self) -> dict[str, int]:
        """When each was asked for, by the job's name."""
        return {record.id: msgspec.json.decode(record.data, type=_Request).at for record in self._records.records(KIND)}

    def end(self, job: str) -> None:
        """The run that was asked for is over."""
        for record in self._records.records(KIND):
            if record.id == job:
                with contextlib.suppress(Conflict):
                    self._records.write([Change(KIND, job, record.version, None)])
