"""Stores with an index that is up to date, and made-up events for comparing reports with slow counts."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from saastracker.contracts import Group, Reader, Submission
from saastracker.definition import Definitions
from saastracker.event import Event
from saastracker.tagger import Tagger
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.testing.indexing import follow
from saastracker.wire import Reply
from saastracker_sqlite.store import SqliteStore

HOUR = 3_600_000
DAY = 24 * HOUR
ZONES = ["UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe"]

# Each example makes a store with its index, which takes 0.2 s. For a long look: STORE_EXAMPLES=500 pytest tests/plugins
stores = settings(max_examples=int(os.environ.get("STORE_EXAMPLES", "8")), deadline=None)


def at(text: str, zone: str = "UTC") -> int:
    """A local time such as `2026-03-29 12:00` in ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@contextlib.contextmanager
def reading(
    folder: Path,
    zone: str,
    *batches: Sequence[Event],
    foreign: Sequence[Event] = (),
    rebuilt: bool = False,
    taggers: Sequence[Tagger] = (),
    definitions: Definitions | None = None,
) -> Iterator[Reader]:
    """A reader of a store whose index has followed each batch of events as it arrived, after another project's.

    `rebuilt`: the index is then made again from all events.
    """
    store = SqliteStore(folder / "events.db")
    store.claim()
    try:
        for project, batch in ((OTHER_PROJECT, foreign), *((PROJECT, batch) for batch in batches)):
            for event in batch:
                event.received_at = event.time or 0
            store.append(Group([Submission(project, list(batch), 0, Reply(202, b"{}"))]))
            indexer = follow(store, timezone=zone, taggers=taggers, definitions=definitions)
        if rebuilt:
            indexer.rebuild(lambda done, total: None)
        with store.reader() as reader:
            yield reader
    finally:
        store.close()


@dataclass(frozen=True)
class Arriving:
    """What arrives at a store for a project in a zone, a batch after the other."""

    seed: int
    sizes: list[int]
    zone: str
    rebuilt: bool
    batches: list[list[Event]] = field(repr=False)

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    def reading(
        self,
        factory: pytest.TempPathFactory,
        foreign: Sequence[Event] = (),
        taggers: Sequence[Tagger] = (),
        definitions: Definitions | None = None,
    ) -> contextlib.AbstractContextManager[Reader]:
        return reading(
            factory.mktemp("arriving"),
            self.zone,
            *self.batches,
            foreign=foreign,
            rebuilt=self.rebuilt,
            taggers=taggers,
            definitions=definitions,
        )


def arriving(made: Callable[[int, int], list[Event]], most: int = 60) -> st.SearchStrategy[Arriving]:
    """One to three batches of up to `most` events each, made by `made(seed, count)`."""

    def build(seed: int, sizes: list[int], zone: str, rebuilt: bool) -> Arriving:
        batches = [made(seed + number, size) for number, size in enumerate(sizes)]
        return Arriving(seed, sizes, zone, rebuilt, batches)

    sizes = st.lists(st.integers(1, most), min_size=1, max_size=3)
    return st.builds(build, seed=st.integers(0, 10**6), sizes=sizes, zone=st.sampled_from(ZONES), rebuilt=st.booleans())


def events(start: int, days: int) -> st.SearchStrategy[list[Event]]:
    """Events in no order of time: of few persons, some anonymous until later, in several organizations and
    environments, in two stretches of the days with nothing between."""
    busy = st.one_of(st.integers(0, days * 10), st.integers(days * 18, days * 24 - 1))
    event = st.builds(
        Event,
        name=st.sampled_from(["open", "save", "export"]),
        time=busy.map(lambda hour: start + hour * HOUR),
        user=st.sampled_from([None, None, "u1", "u2", "u3"]),
        anonymous=st.sampled_from([None, "a1", "a2", "u1"]),
        org=st.sampled_from([None, "x", "y"]),
        country=st.sampled_from([None, "DE", "NL"]),
        environment=st.sampled_from(["production", "production", "staging"]),
        value=st.sampled_from([None, 1.5]),
        session=st.just("s"),
    )
    return st.lists(event, min_size=1, max_size=60)


def people(sent: Sequence[Event]) -> list[object]:
    """The person of each event, None for nobody: anonymous ids belong to the first user seen with them."""
    users: dict[str, str] = {}
    for event in sent:
        if event.user and event.anonymous:
            users.setdefault(event.anonymous, event.user)
    return [
        ("user", event.user)
        if event.user
        else ("user", users[event.anonymous])
        if event.anonymous in users
        else ("anonymous", event.anonymous)
        if event.anonymous
        else None
        for event in sent
    ]
