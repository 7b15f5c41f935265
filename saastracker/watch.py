"""Watches the server: whether it can take events, its gauges, and what the page Status shows."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from saastracker.alarms import Alarms
from saastracker.backups import Backup, Backups
from saastracker.contracts import RecordStore, Store
from saastracker.deliveries import OPEN, Deliveries
from saastracker.disk import DiskWatch
from saastracker.errors import Refusal
from saastracker.facts import Facts
from saastracker.following import Following, IndexProgress
from saastracker.index_watch import NAME as INDEX
from saastracker.live import Live
from saastracker.metrics import VERSION, Metrics
from saastracker.notify import Notices
from saastracker.records import now_ms
from saastracker.retention import growth
from saastracker.writer import Writer

GROWTH_SECONDS = 600.0  # after which the growth is looked for again
COMMIT_SECONDS_MAX = 10.0  # a commit that takes longer means the disk hangs


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of all workspaces."""

    waiting: int  # notices for somebody, on their way or waiting for it
    oldest_at: int | None = None  # when the first of those was queued
    failed: int = 0  # of the last days, which may be sent again by hand


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is, at one moment."""

    version: str
    started_at: int
    now: int
    store: str  # "ok", or why nothing can be stored
    queue_events: int
    queue_max: int
    queue_seconds: float  # for which the running group has been at the store
    per_minute: tuple[int, ...]  # events stored, of the whole minutes of the last hour, oldest first
    database_bytes: int
    daily_bytes: int | None  # that come each day; None: not known yet
    disk_free: int  # bytes
    live_streams: int
    index: IndexProgress
    index_told_at: int | None = None  # when owners were told that it is not well; None: it is
    messages: Outgoing
    backup: Backup | None = None  # the last that was tried
    good_backup: Backup | None = None  # the last that went well

    @property
    def rate(self) -> float:
        """Events a second, over the minutes that are known."""
        return sum(self.per_minute) / (60 * len(self.per_minute)) if self.per_minute else 0.0


class Watch:
    """Looks, when asked. Gauges are read at each scrape."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        writer: Writer,
        store: Store,
        records: RecordStore,
        following: Following,
        live: Live,
        disk: DiskWatch,
        alarms: Alarms,
        facts: Facts,
        queue_max: int,
    ) -> None:
        self._metrics = metrics
        self._writer = writer
        self._store = store
        self._deliveries = Deliveries(records)
        self._notices = Notices(records)
        self._following = following
        self._live = live
        self._disk = disk
        self._alarms = alarms
        self._backups = Backups(records)
        self._facts = facts
        self._growth: tuple[float, int] | None = None  # when it was looked for, and what it was
        self._queue_max = queue_max
        self._started_at = now_ms()
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "queue_events": ("Events that wait for the disk", lambda: writer.queued_events),
            "queue_seconds": ("Age of the group being committed", writer.age),
            "store_writable": ("1 unless the last group was refused", lambda: float(writer.failure is None)),
            "index_seconds_behind": ("Age of what is not in the index yet", lambda: following.seconds_behind),
            "live_readers": ("Open live streams", lambda: live.readers),
            "disk_free_bytes": ("Free on the data folder's disk", lambda: disk.free),
            "database_bytes": ("What the store takes on disk", store.size),
            "outbox_messages": ("Notices that wait to be sent to somebody", lambda: self._outgoing().waiting),
            "outbox_oldest_seconds": ("Age of the oldest of those", self._oldest_seconds),
            "last_backup_timestamp_seconds": (
                "When the last good backup began, in seconds since 1970",
                self._backed_up,
            ),
            "last_backup_bytes": ("What the last good backup takes", self._backup_bytes),
            "last_backup_failed": ("1 if the last backup that was tried failed", self._backup_failed),
        }
        for name, (text, read) in gauges.items():
            metrics.gauge(name, text, read)

    async def ready(self) -> dict[str, Any]:
        """What /readyz says; `ready` is whether events can be taken right now."""
        try:
            async with asyncio.timeout(COMMIT_SECONDS_MAX):
                await self._writer.probe()
            store = "ok"
        except Refusal as error:
            store = error.detail
        except TimeoutError:
            store = _hangs()
        queue = "ok" if self._writer.queued_events < self._queue_max else "full"
        return {"ready": store == "ok" and queue == "ok", "store": store, "queue": queue}

    def status(self) -> ServerStatus:
        """For threads that may wait for the store. Raises Unavailable if it cannot even be read."""
        writer = self._writer
        store = writer.failure.detail if writer.failure else _hangs() if writer.age() > COMMIT_SECONDS_MAX else "ok"
        index = self._following.progress()
        return ServerStatus(
            version=VERSION,
            started_at=self._started_at,
            now=now_ms(),
            store=store,
            queue_events=writer.queued_events,
            queue_max=self._queue_max,
            queue_seconds=writer.age(),
            per_minute=tuple(self._metrics.per_minute.last()),
            database_bytes=self._store.size(),
            daily_bytes=None if index.doing == "waiting" else self._daily_bytes(),
            disk_free=self._disk.free,
            live_streams=self._live.readers,
            index=index,
            index_told_at=self._alarms.since(INDEX),
            backup=self._backups.last(),
            good_backup=self._backups.good(),
            messages=self._outgoing(),
        )

    def _daily_bytes(self) -> int:
        """It changes once a day, and reads the index of all days."""
        at = time.monotonic()
        if self._growth is None or at - self._growth[0] > GROWTH_SECONDS:
            with self._store.reader() as reader:
                self._growth = at, growth(reader, self._store, self._facts.snapshot.projects.values(), now_ms())
        return self._growth[1]

    def _outgoing(self) -> Outgoing:
        deliveries = [each.delivery for each in self._deliveries.all()]
        due = {each.notice for each in deliveries if each.state in OPEN}
        queued = [noted.queued.at for noted in self._notices.all() if noted.id in due] if due else []
        return Outgoing(
            waiting=sum(each.state in OPEN for each in deliveries),
            oldest_at=min(queued, default=None),
            failed=sum(each.state in {"failed", "uncertain"} for each in deliveries),
        )

    def _backed_up(self) -> float:
        """0 for never, so that an alert on its age asks for the first one, too."""
        good = self._backups.good()
        return good.started_at / 1000 if good else 0.0

    def _backup_bytes(self) -> float:
        good = self._backups.good()
        return good.bytes if good else 0.0

    def _backup_failed(self) -> float:
        last = self._backups.last()
        return float(last is not None and bool(last.error))

    def _oldest_seconds(self) -> float:
        oldest = self._outgoing().oldest_at
        return 0.0 if oldest is None else max(0.0, (now_ms() - oldest) / 1000)


def _hangs() -> str:
    return f"no commit within {COMMIT_SECONDS_MAX:.0f} s"
