"""The job that erases deleted projects once they can no longer be restored."""

from collections.abc import Sequence

import msgspec

from saastracker import audit
from saastracker.contracts import Change, Record, RecordStore, Store
from saastracker.erasable import Write
from saastracker.facts import Facts
from saastracker.job import Daily, Job, JobContext, Notice
from saastracker.records import ERASED, HOUR_MS, ErasedProject, erased_at
from saastracker.wire import Project

MARGIN_MS = HOUR_MS  # after the last moment of restoring: clocks of several servers differ
PIECE = 500  # records of one write
WHO = "saastracker"  # in the audit trail


class _Owned(msgspec.Struct):
    """Whose a record is, as far as all kinds of records say it alike."""

    project: str | None = None
    notice: "_Owned | None" = None


class _CancelledError(Exception):
    """The server stops; the next run goes on."""


_owned = msgspec.json.Decoder(_Owned)


def erase_projects(facts: Facts, records: RecordStore, store: Store, write: Write) -> Job:
    """The job; `write` has work done on the thread that appends."""

    def run(context: JobContext) -> Sequence[Notice]:
        def progress(done: int, total: int) -> None:
            context.progress(done, total)
            if context.cancelled():
                raise _CancelledError

        facts.refresh()
        for project in facts.snapshot.projects.values():
            if project.deleted_at is None or context.now < erased_at(project.deleted_at) + MARGIN_MS:
                continue
            try:
                store.erase(project.id, write, progress)
            except _CancelledError:
                return ()
            _erase_records(records, project, context.now)
            facts.refresh()
        return ()

    return Job(
        name="erase-projects",
        title="Erase projects that were deleted a week ago",
        trigger=Daily(hour=3, minute=40),
        run=run,
    )


def _erase_records(records: RecordStore, project: Project, now: int) -> None:
    """Keys, definitions and whatever else names the project.

    What the audit trail says of the project stays, and whose budget it used.
    """
    owned = [record for record in records.records() if _belongs(record, project.id)]
    for start in range(0, len(owned), PIECE):
        some = owned[start : start + PIECE]
        records.write([Change(record.kind, record.id, record.version, None) for record in some])
    [own] = [record for record in records.records("project") if record.id == project.id]
    entry = audit.Entry(
        at=now,
        who=WHO,
        project=project.id,
        workspace=project.workspace,
        action="delete",
        kind="project",
        record=project.id,
        version=own.version,
        value=msgspec.Raw(msgspec.json.encode({"name": project.name, "slug": project.slug})),
    )
    left = Change(ERASED, project.id, 0, msgspec.json.encode(ErasedProject(workspace=project.workspace)))
    records.write([Change(own.kind, own.id, own.version, None), left, audit.record(entry)])  # last: a run goes on


def _belongs(record: Record, project: str) -> bool:
    if record.kind == audit.KIND and audit.read(record).kind == "project":
        return False
    try:
        owned = _owned.decode(record.data)
    except msgspec.DecodeError:  # a list, as of job runs: of no project
        return False
    return project in {owned.project, owned.notice.project if owned.notice else None}
