"""Days that have settled tell what the raw events say, whatever comes later."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saastracker.contracts import Group, Submission
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.testing import PROJECT
from saastracker.testing.indexing import follow
from saastracker.wire import Reply
from saastracker_sqlite.store import SqliteStore
from tests.index.slow_sums import EVER, counted, read
from tests.index.visiting import FIRST, LAST, made
from tests.indexed import DAY, HOUR, ZONES, at

NOON = at("2026-10-28 12:00")
TODAY = NOON // DAY


class Kept:
    """A store whose index follows, and all events that were sent to it."""

    def __init__(self, store: SqliteStore, zone: str) -> None:
        self.store, self.zone = store, zone
        self.sent: list[Event] = []
        self.indexer: Indexer

    def send(self, *events: Event) -> None:
        self.sent += events
        self.store.append(Group([Submission(PROJECT, list(events), 0, Reply(202, b"{}"))]))
        self.follow()

    def follow(self) -> None:
        self.indexer = follow(self.store, timezone=self.zone)

    def settled(self) -> list[int]:
        """The days that have added up something."""
        with self.store.reader() as reader:
            return [day for day in range(TODAY - 20, TODAY + 20) if reader.settled(PROJECT.id, "lengths", day, day)]

    def check(self) -> None:
        with self.store.reader() as reader:
            for environment in (None, "production", "staging"):
                for between in (EVER, (FIRST, LAST), (date(2026, 10, 27), date(2026, 10, 28))):
                    asked = (self.zone, environment, between)
                    assert read(reader, PROJECT.id, *asked) == counted(self.sent, *asked), asked


@contextlib.contextmanager
def keeping(folder: Path, zone: str = "UTC") -> Iterator[Kept]:
    store = SqliteStore(folder / "events.db")
    store.claim()
    try:
        yield Kept(store, zone)
    finally:
        store.close()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr("saastracker.indexer.QUIET_SHARE", 0)
    with keeping(tmp_path) as store:
        yield store


def view(time: int, path: str = "/", session: str = "s", **who: Any) -> Event:
    who = who or {"user": "u1"}
    return Event(name="page_view", type="pageview", time=time, path=path, session=session, **who)


def two_days() -> Sequence[Event]:
    return [
        view(NOON - DAY, "/a"),
        view(NOON - DAY + 5000, "/b"),
        view(NOON, "/a", "t"),
        Event(name="open", time=NOON + 900, session="t", user="u1", release="1"),
    ]


def test_each_day_settles(kept: Kept) -> None:
    kept.send(*two_days())
    assert kept.settled() == [TODAY - 1, TODAY]
    kept.check()
    with kept.store.reader() as reader:
        assert not len(reader.parts(PROJECT.id, TODAY - 1, TODAY, apart=True))
        assert not len(reader.moments(PROJECT.id, TODAY - 1, TODAY, apart=True))


def test_a_busy_day_does_not_settle_yet(tmp_path: Path) -> None:
    with keeping(tmp_path) as kept:
        kept.send(*two_days())
        assert kept.settled() == [TODAY - 1]
        kept.check()
        kept.send(view(NOON + DAY, "/a", "r"))
        assert kept.settled() == [TODAY - 1, TODAY, TODAY + 1]
        kept.check()


def test_a_late_event_opens_its_day(kept: Kept) -> None:
    kept.send(*two_days())
    kept.store.append(Group([Submission(PROJECT, late := [view(NOON - DAY + 2000, "/c")], 0, Reply(202, b""))]))
    kept.sent += late
    kept.indexer.follow()
    assert kept.settled() == [TODAY]
    kept.check()
    kept.follow()
    assert kept.settled() == [TODAY - 1, TODAY]
    kept.check()


@pytest.mark.parametrize("late", [NOON + 30 * HOUR, NOON - 30 * HOUR, NOON - 5 * DAY])
def test_an_event_on_another_day_opens_the_day_of_its_session(kept: Kept, late: int) -> None:
    kept.send(*two_days(), view(NOON + HOUR, "/other", "other"))
    kept.send(view(late, "/late", "t"))
    kept.check()
    with kept.store.reader() as reader:
        assert reader.parts(PROJECT.id, TODAY, TODAY, apart=True).session.size == 2
    kept.send(view(late + 2000, "/later", "t"), view(NOON + 2000, "/d", "t"))
    kept.check()


def test_a_session_over_midnight_stands_apart(kept: Kept) -> None:
    midnight = NOON + 12 * HOUR
    kept.send(view(midnight - 1000, "/a"), view(midnight + 1000, "/b"), view(midnight + 3000, "/c"))
    assert kept.settled() == []
    kept.check()


def test_visitors_who_become_known_later(kept: Kept) -> None:
    kept.send(
        view(NOON, "/a", "s", anonymous="a1"),
        view(NOON + 1000, "/b", "s", user="u1"),
        view(NOON + 2000, "/c", "s", anonymous="a1"),
        view(NOON, "/a", "t", anonymous="a2"),
        view(NOON + 500, "/b", "t", anonymous="a2"),
    )
    kept.check()
    kept.send(
        Event(name="identify", time=NOON + DAY, user="u1", anonymous="a1"),
        Event(name="identify", time=NOON + DAY, user="u1", anonymous="a2"),
    )
    kept.check()
    kept.store.index.mark([(PROJECT.id, TODAY)])
    kept.follow()
    kept.check()
    with kept.store.reader() as reader:  # now that they are one person, nothing of them stands apart
        assert not len(reader.parts(PROJECT.id, TODAY, TODAY, apart=True))


def test_a_session_in_two_environments(kept: Kept) -> None:
    kept.send(
        view(NOON, "/a", environment="staging", user="u1"),
        view(NOON + 1000, "/b", environment="production", user="u1"),
        view(NOON + 3000, "/c", environment="staging", user="u1"),
    )
    kept.check()


def test_a_dirty_day_and_an_index_made_again(kept: Kept) -> None:
    kept.send(*two_days())
    kept.store.index.mark([(PROJECT.id, TODAY)])
    kept.indexer.recompute()
    assert kept.settled() == [TODAY - 1]
    kept.check()
    kept.follow()
    assert kept.settled() == [TODAY - 1, TODAY]
    kept.indexer.rebuild(lambda _done, _total: None)
    assert kept.settled() == []
    kept.check()
    kept.follow()
    assert kept.settled() == [TODAY - 1, TODAY]
    kept.check()


def test_another_time_zone(kept: Kept) -> None:
    kept.send(*two_days(), view(NOON + 11 * HOUR, "/x", "night"), view(NOON + 13 * HOUR, "/y", "night"))
    kept.check()
    kept.zone = "Pacific/Kiritimati"
    kept.follow()
    kept.check()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    zone=st.sampled_from(ZONES),
    quiet=st.sampled_from([0, 0.1, 1]),
)
def test_equals_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    sizes: list[int],
    zone: str,
    quiet: float,
) -> None:
    monkeypatch.setattr("saastracker.indexer.QUIET_SHARE", quiet)
    with keeping(tmp_path_factory.mktemp("settling"), zone) as kept:
        for number, size in enumerate(sizes):
            kept.send(*made(seed + number, size))
            kept.check()
