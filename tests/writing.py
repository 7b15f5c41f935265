"""A writer on a store in a file, for tests of what it commits and refuses."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from saastracker.contracts import Store, Submission
from saastracker.event import Event
from saastracker.metrics import Metrics
from saastracker.quota import Usage
from saastracker.records import Snapshot
from saastracker.sessions import Sessions
from saastracker.wire import Project, Reply
from saastracker.writer import Writer
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.store import SqliteStore

NOW = 1_795_230_000_000  # 2026-11-21T03:00:00Z
SHOP = Project(id="5f0c0b9e-6c55-4d5c-9a0e-1a2b3c4d5e6f", slug="shop", name="Shop", workspace="w")
SOON = 10.0  # seconds


@dataclass
class Running:
    """A writer on a store in a file."""

    writer: Writer
    store: SqliteStore
    usage: Usage
    metrics: Metrics
    database: Path
    committed: list[Submission] = field(default_factory=list)

    def submit(self, *events: Event, size: int = 100) -> "asyncio.Future[None]":
        return self.writer.submit(Submission(SHOP, list(events), NOW, Reply(202, b"{}")), size)

    def stored(self, column: str = "name") -> list[Any]:
        with self.store.reader() as reader:
            return [value for (value,) in reader.query(f'SELECT "{column}" FROM events ORDER BY sequence')]

    def groups(self) -> float | None:
        """How many were committed."""
        return self.metrics.registry.get_sample_value("saastracker_commit_seconds_count")


@asynccontextmanager
async def writing(
    folder: Path,
    *,
    max_events: int = 5000,
    max_bytes: int = 2**20,
    snapshot: Callable[[], Snapshot] = Snapshot,
    guarded: Callable[[Store], Store] = lambda store: store,
) -> AsyncIterator[Running]:
    """`snapshot` is asked for the newest facts; what `guarded` makes of the store is what the writer appends to."""
    database = folder / "events.db"
    committed: list[Submission] = []
    with closing(SqliteRecords(database)) as records, closing(SqliteStore(database)) as store:
        store.claim()
        usage, metrics = Usage(records, snapshot, NOW), Metrics()
        writer = Writer(
            guarded(store),
            Sessions(),
            usage,
            metrics,
            max_events=max_events,
            max_bytes=max_bytes,
            committed=committed.extend,
        )
        writer.start()
        try:
            async with asyncio.timeout(SOON):
                yield Running(writer, store, usage, metrics, database, committed)
        finally:
            await writer.close()


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  # it changes on another thread
        await asyncio.sleep(0.01)


async def outcomes(futures: Sequence["asyncio.Future[None]"]) -> list[Any]:
    return await asyncio.gather(*futures, return_exceptions=True)
