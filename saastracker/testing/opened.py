"""Opened stores and ready-made events for the suites of stores."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from saastracker.contracts import RecordStore, RecordStoreFactory, Store, StoreFactory, Submission
from saastracker.event import Event
from saastracker.testing import NOW, PROJECT
from saastracker.wire import Project, Reply

Factories = tuple[RecordStoreFactory, StoreFactory]

ACCEPTED = Reply(202, b'{"accepted": 1}')
FULL = Event(
    name='Rapport "été" 🚀',
    type="pageview",
    time=NOW - 5_000,
    user="a" * 64,
    anonymous="anonymous-1",
    org="Acme; DROP TABLE events",
    session="11111111-2222-4333-8444-000000000001",
    path="/reports/%C3%A9t%C3%A9",
    environment="staging",
    release="1.4.2",
    plan="pro",
    value=-2.5,
    referrer="example.com",
    source="newsletter",
    medium="mail",
    campaign="spring",
    country="DE",
    browser="Firefox",
    os="Linux",
    device="desktop",
    properties='{"plan":"pro","a.b":"dotted","paid":true,"seats":12,"ratio":0.5,"list":[1,2],"none":null}',
    traits='{"user":{"email":"a@example.com"}}',
    id=bytes(range(16)),
    received_at=NOW,
)


def event(name: str = "clicked", **fields: Any) -> Event:
    """An event that arrived at NOW."""
    return Event(name=name, **{"time": NOW, "received_at": NOW, **fields})


def submission(
    *events: Event,
    project: Project = PROJECT,
    received_at: int = NOW,
    reply: Reply = ACCEPTED,
    idempotency: bytes | None = None,
) -> Submission:
    return Submission(project, list(events), received_at, reply, idempotency)


def unstorable() -> Event:
    """An event with which no store can commit: its name is no text that can be encoded."""
    return event("\ud800")


def names(store: Store, project: str | None = None) -> list[str]:
    """The names of all events, in order of arrival."""
    return [found.name for _, found in store.read_after(0, 10_000, project)]


def in_threads(works: Sequence[Callable[[], object]], here: Callable[[], object] = lambda: None) -> list[BaseException]:
    """Run `works` in threads of their own, and `here` in this one; what they raised."""
    failed: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    run(here)
    for thread in threads:
        thread.join(60)
    return failed


class Opened:
    """Fixtures that open the stores under test."""

    @pytest.fixture
    def factories(self, tmp_path: Path) -> Factories:
        """Factories that open the same, at first empty, data at every call, as the hooks return them."""
        raise NotImplementedError

    @pytest.fixture
    def records(self, factories: Factories) -> Iterator[RecordStore]:
        with contextlib.closing(factories[0]()) as records:
            yield records

    @pytest.fixture
    def open_store(self, factories: Factories, records: RecordStore) -> Callable[[], Store]:
        return lambda: factories[1](records)

    @pytest.fixture
    def store(self, open_store: Callable[[], Store]) -> Iterator[Store]:
        with contextlib.closing(open_store()) as store:
            store.claim()
            yield store
