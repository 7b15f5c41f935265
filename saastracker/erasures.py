"""Erasures that people asked for: kept until the job has carried them out, then only told of in the audit trail."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

import msgspec

from saastracker import audit, mentions
from saastracker.contracts import Change, Record, RecordStore, Store
from saastracker.erasable import Of, Progress, Subject, Write
from saastracker.errors import Refusal
from saastracker.facts import Facts
from saastracker.job import Every, Job, JobContext, Notice
from saastracker.records import HOUR_MS, now_ms
from saastracker.retention import first_kept
from saastracker.secrets import Secrets

KIND = "erasure"
JOB = "erase"
TITLES = {"person": "person", "org": "organization"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure that was asked for. The record keeps `subject` encrypted: not even it names who is erased."""

    project: str  # id
    of: Of
    subject: str
    who: str
    at: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit trail says of one that was carried out."""

    events: int
    asked_at: int


class StoppedError(Exception):
    """The server stops; the next run goes on."""


class Erasures:
    """The queue of erasures. Safe from several threads and processes."""

    def __init__(self, records: RecordStore, secrets: Secrets) -> None:
        self._records = records
        self._secrets = secrets

    def ask(self, subject: Subject, who: str) -> str:
        """Have somebody erased by the job's next run; what the audit trail will name them by."""
        if all(self.subject(asked) != subject for _, asked in self.waiting()):
            hidden = self._secrets.encrypt(subject.id.encode())
            asked = Asked(project=subject.project, of=subject.of, subject=hidden, who=who, at=now_ms())
            self._records.write([Change(KIND, str(uuid4()), 0, msgspec.json.encode(asked))])
        return mark(subject)

    def waiting(self) -> list[tuple[Record, Asked]]:
        """Oldest first."""
        return [(record, _asked.decode(record.data)) for record in self._records.records(KIND)]

    def subject(self, asked: Asked) -> Subject:
        return Subject(asked.project, asked.of, self._secrets.decrypt(asked.subject).decode())

    def done(self, record: Record, asked: Asked, project_workspace: str, events: int, now: int) -> None:
        """Forget that it was asked for, and tell the audit trail."""
        entry = audit.Entry(
            at=now,
            who=asked.who,
            project=asked.project,
            workspace=project_workspace,
            action="delete",
            kind=TITLES[asked.of],
            record=mark(self.subject(asked)),
            version=1,
            value=msgspec.Raw(msgspec.json.encode(Told(events=events, asked_at=asked.at))),
        )
        self._records.write([Change(KIND, record.id, record.version, None), audit.record(entry)])


def mark(subject: Subject) -> str:
    """What the audit trail names somebody by: who has the id can find the entry, the entry alone does not tell it."""
    return hashlib.sha256(f"{subject.project}\0{subject.of}\0{subject.id}".encode()).hexdigest()[:16]


def erase_asked(  # noqa: PLR0917
    erasures: Erasures, facts: Facts, records: RecordStore, store: Store, write: Write, advance: Callable[[], None]
) -> Job:
    """The job that carries out what was asked for; `advance` lets the index come closer to the events.

    Readers of `store` know merged organizations.
    """

    def run(context: JobContext) -> Sequence[Notice]:
        def on() -> None:
            if context.cancelled():
                raise StoppedError
            advance()

        def progress(done: int, total: int) -> None:
            context.progress(done, total)
            if context.cancelled():
                raise StoppedError

        failed: dict[str, Refusal] = {}
        try:
            while waiting := [each for each in erasures.waiting() if each[0].id not in failed]:
                for record, asked in waiting:
                    with _put_off(failed, record.id):
                        _carry_out(record, asked, on, progress, context.now)
        except StoppedError:
            pass
        if failed:
            raise next(iter(failed.values()))
        return ()

    def _carry_out(record: Record, asked: Asked, on: Callable[[], None], progress: Progress, now: int) -> None:
        from saastracker.erasure import Work, erase  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

        facts.refresh()
        project = facts.snapshot.projects.get(asked.project)
        subject, events = erasures.subject(asked), 0
        if project is not None:
            events, ids = erase(Work(store, write, on, progress), subject, first_kept(project, now))
            mentions.forget(records, project.id, ids)
            store.sweep(project.id, sorted(ids), write, lambda _done, _total: progress(events, events))
        erasures.done(record, asked, project.workspace if project else "", events, now)

    return Job(
        name=JOB,
        title="Erase people and organizations, when asked to",
        trigger=Every(HOUR_MS / 1000),  # what a stop of the server ended is gone on with
        run=run,
    )


@contextmanager
def _put_off(failed: dict[str, Refusal], record: str) -> Iterator[None]:
    """Note what cannot be done now: those who were asked for later need not wait for it."""
    try:
        yield
    except Refusal as error:
        failed[record] = error


_asked = msgspec.json.Decoder(Asked)
