"""How the server is, over the API: what the page Status shows. It is about all workspaces."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.backups import Backup
from saastracker.following import BackFill, Doing
from saastracker.schedule import State
from saastracker.watch import ServerStatus
from saastracker.web.api.fields import Slug, Time
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso

TAG = "Status"

Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Bytes = Annotated[int, Meta(ge=0, description="Bytes.")]


class QueueShown(msgspec.Struct, frozen=True, kw_only=True):
    """Events that wait for the disk."""

    events: Count
    most: Annotated[int, Meta(description="With more, requests are answered 503.")]
    seconds: Annotated[float, Meta(ge=0, description="For which the running group has been at the store.")]


class StoredShown(msgspec.Struct, frozen=True, kw_only=True):
    """What came in during the last hour, or since the start."""

    per_second: Seconds
    per_minute: Annotated[list[int], Meta(description="Events of each whole minute, oldest first.")]


class DiskShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the events take, and what is left."""

    database: Bytes
    free: Bytes
    daily: Annotated[int, Meta(ge=0, description="Bytes that come each day, by the last 30.")] | None
    days_left: Annotated[int, Meta(ge=0, description="Until the disk is full at that pace; null: not known.")] | None


class BackFillShown(msgspec.Struct, frozen=True, kw_only=True):
    """Earlier events that are being counted for a definition, or for a plugin."""

    project: Slug
    kind: Annotated[str, Meta(description="Of definition, else what the plugin counts.", examples=["feature"])]
    definition: Annotated[str, Meta(description="Its id; null: all that the plugin counts.")] | None
    title: Annotated[str, Meta(examples=["Exports"])]
    done: Annotated[float, Meta(ge=0, le=1, description="Share of the events.")]


class IndexShown(msgspec.Struct, frozen=True, kw_only=True):
    """What reports are made from, and how far it is."""

    doing: Annotated[Doing, Meta(description="elsewhere: by another server; waiting: for the first event.")]
    error: Annotated[str, Meta(description="Why the last step failed; null: it did not.")] | None
    told_at: Annotated[Time, Meta(description="When owners were told that it is not well; null: it is.")] | None
    seconds_behind: Seconds
    last_step_at: Time | None
    last_step_seconds: Seconds
    events_behind: Annotated[int, Meta(ge=0, description="Events that are stored and not yet counted, about.")]
    days_to_redo: Annotated[int, Meta(ge=0, description="After an erasure or a change of time zone.")]
    back_fills: Annotated[list[BackFillShown], Meta(description="Of projects that the caller may read.")]
    other_back_fills: Annotated[int, Meta(ge=0, description="Of other projects.")]


class FailedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job whose last run failed."""

    name: str
    title: str
    at: Time
    error: str | None


class MessagesShown(msgspec.Struct, frozen=True, kw_only=True):
    """Mails and other messages."""

    waiting: Count
    oldest_at: Annotated[Time, Meta(description="When the first that waits was queued; null: none waits.")] | None
    failed: Annotated[int, Meta(ge=0, description="Of 30 days, that were not sent or may not have been.")]


class BackupShown(msgspec.Struct, frozen=True, kw_only=True):
    """A backup by `saastracker backup`."""

    at: Time
    seconds: Seconds
    place: Annotated[str, Meta(description="The file.", examples=["/backups/saastracker.db"])]
    bytes: Bytes
    error: Annotated[str, Meta(description="Why it failed; null: it did not.")] | None


class StatusShown(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is."""

    version: Annotated[str, Meta(examples=["0.1.0"])]
    now: Time
    started_at: Time
    store: Annotated[str, Meta(description="`ok`, or why no event can be stored now.", examples=["ok"])]
    queue: QueueShown
    stored: StoredShown
    disk: DiskShown
    live_streams: Count
    index: IndexShown
    failed_jobs: list[FailedJob]
    messages: MessagesShown
    backup: Annotated[BackupShown, Meta(description="The last that was tried; null: none was.")] | None
    good_backup: Annotated[BackupShown, Meta(description="The last that went well; null: none did.")] | None
    plugins: Annotated[int, Meta(ge=0, description="How many are turned on.")]


@operation(TAG, "GET", "/status", needed="admin", answer=StatusShown)
def show_status(call: Call) -> StatusShown:
    """How the server is: store, queue, index, disk, jobs, messages."""
    return shown(call, call.site.status())


def shown(call: Call, status: ServerStatus) -> StatusShown:
    """A server's status as the caller may see it."""
    site = call.site
    return StatusShown(
        version=status.version,
        now=iso(status.now),
        started_at=iso(status.started_at),
        store=status.store,
        queue=QueueShown(events=status.queue_events, most=status.queue_max, seconds=round(status.queue_seconds, 3)),
        stored=StoredShown(per_second=round(status.rate, 3), per_minute=list(status.per_minute)),
        disk=DiskShown(
            database=status.database_bytes,
            free=status.disk_free,
            daily=status.daily_bytes,
            days_left=status.disk_free // status.daily_bytes if status.daily_bytes else None,
        ),
        live_streams=status.live_streams,
        index=index_shown(call, status),
        failed_jobs=[_failed(state) for state in site.scheduler.states() if state.failed],
        messages=MessagesShown(
            waiting=status.messages.waiting,
            oldest_at=None if status.messages.oldest_at is None else iso(status.messages.oldest_at),
            failed=status.messages.failed,
        ),
        backup=_backup(status.backup),
        good_backup=_backup(status.good_backup),
        plugins=sum(each.enabled for each in site.registry.plugins),
    )


def index_shown(call: Call, status: ServerStatus) -> IndexShown:
    """How far the index is; back-fills of projects that the caller may not know of are only counted."""
    index = status.index
    slugs = {project.id: project.slug for project in call.site.projects(call.caller)}
    own = [each for each in index.back_fills if each.project in slugs]
    return IndexShown(
        doing=index.doing,
        error=index.error or None,
        told_at=None if status.index_told_at is None else iso(status.index_told_at),
        seconds_behind=round(index.seconds_behind, 1),
        last_step_at=None if index.stepped_at is None else iso(index.stepped_at),
        last_step_seconds=round(index.step_seconds, 3),
        events_behind=max(0, index.newest - index.done),
        days_to_redo=index.dirty,
        back_fills=[_back_fill(call, slugs[each.project], each) for each in own],
        other_back_fills=len(index.back_fills) - len(own),
    )


def _backup(backup: Backup | None) -> BackupShown | None:
    if backup is None:
        return None
    return BackupShown(
        at=iso(backup.started_at),
        seconds=backup.seconds,
        place=backup.place,
        bytes=backup.bytes,
        error=backup.error or None,
    )


def _back_fill(call: Call, slug: str, each: BackFill) -> BackFillShown:
    kind = call.site.definitions.kinds.get(each.kind) if each.kind else None
    defined = call.site.definitions.of(each.project, each.kind) if each.kind else ()
    name = next((getattr(one.value, "name", None) for one in defined if one.id == each.definition), None)
    return BackFillShown(
        project=slug,
        kind=each.kind or each.namespace,
        definition=each.definition or None,
        title=name if isinstance(name, str) else kind.title if kind else each.namespace,
        done=round(each.share, 4),
    )


def _failed(state: State) -> FailedJob:
    run = state.runs[0]
    return FailedJob(name=state.name, title=state.title, at=iso(run.started_at), error=run.error)
