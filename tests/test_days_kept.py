"""Days that a project no longer keeps go with their index, between the writer's groups; who was first seen stays."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from saastracker import keeping
from saastracker.contracts import Group, Store
from saastracker.definitions import Definitions
from saastracker.erasable import PIECE
from saastracker.erasures import Erasures
from saastracker.event import Event
from saastracker.fact_rules import WrongField
from saastracker.facts import Facts
from saastracker.indexer import Indexer
from saastracker.job import JobContext
from saastracker.retention import first_kept, forecast
from saastracker.secrets import Secrets
from saastracker.testing.opened import submission
from saastracker.wire import Project
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.store import SqliteStore
from tests.index import slow_index
from tests.indexed import at

ZONE = "Pacific/Auckland"
NOW = at("2026-04-20 15:00", ZONE)
HOUR = 3_600_000
DAY = 24 * HOUR


class Kept:
    def __init__(self, folder: Path, store: Store, records: SqliteRecords) -> None:
        self.store, self.records = store, records
        self.secrets = Secrets.open(folder)
        self.facts, self.definitions = Facts(records, self.secrets), Definitions(records, {})
        workspace = self.facts.default_workspace().id
        self.shop = self.facts.add_project("Shop", workspace, timezone=ZONE)
        self.other = self.facts.add_project("Other", workspace)
        self.indexer = Indexer(
            store.index,
            lambda: {self.shop.id: ZONE},
            lambda work: work(),
            taggers=slow_index.taggers(1),
            definitions=self.definitions,
        )
        self.indexer.begin()

    def add(self, *events: Event, project: Project | None = None) -> None:
        self.store.append(Group([submission(*events, project=project or self.shop, received_at=NOW)]))
        while any(self.indexer.step()):
            pass

    def keep(self, days: int | None) -> Project:
        shop = self.shop
        return self.facts.set_project(shop.id, name=shop.name, origins=(), timezone=ZONE, keep_days=days)

    def run(self, write: Callable[[Any], None] = lambda work: work(), stop_after: int = 10**9) -> list[tuple[int, int]]:
        told: list[tuple[int, int]] = []
        made = keeping.jobs(
            self.facts,
            self.records,
            Erasures(self.records, self.secrets),
            self.store,
            write,
            lambda: self.indexer.step() and None,
        )
        made["retention"].run(
            JobContext(
                now=NOW,
                projects=(),
                definitions=self.definitions,
                reader=self.store.reader,
                progress=lambda done, total: told.append((done, total)),
                cancelled=lambda: len(told) >= stop_after,
            )
        )
        return told

    def left(self, project: Project | None = None) -> list[Event]:
        return [event for _, event in self.store.read_after(0, 100_000, (project or self.shop).id)]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    path = tmp_path / "saastracker.db"
    with closing(SqliteRecords(path)) as records, closing(SqliteStore(path)) as store:
        store.claim()
        yield Kept(tmp_path, store, records)


def days_of(kept: Kept, days: Sequence[int], each: int = 1) -> list[Event]:
    return [
        Event(
            name="open",
            user=f"user-{number}",
            session=f"s-{day}",
            environment="production",
            time=NOW - day * DAY - number,
            properties=f'{{"tags":["a","day{day}"]}}',
        )
        for day in days
        for number in range(each)
    ]


def test_the_first_day_kept_is_counted_in_the_project_s_zone(kept: Kept) -> None:
    # At 15:00 on 20 April in Auckland it is 03:00 in London; 15 hours ago it was midnight.
    midnight = at("2026-04-18 00:00", ZONE)
    kept.add(*(Event(name=str(shift), time=midnight + shift, environment="production") for shift in (-1, 0, 1)))
    kept.keep(2)
    kept.run()
    assert [event.name for event in kept.left()] == ["0", "1"]


def test_the_index_goes_with_the_events_and_first_seen_stays(kept: Kept) -> None:
    night = at("2026-04-17 23:59", ZONE)
    kept.add(
        *days_of(kept, range(40), each=3),
        # A session over midnight into the first day that is kept, and one over two that are not.
        *(Event(name="night", user="owl", session="night", time=night + shift, environment="production")
          for shift in (-60_000, 120_000)),
        *(Event(name="night", user="owl", session="before", time=night - DAY + shift, environment="production")
          for shift in (-60_000, 120_000)),
    )  # fmt: skip
    kept.add(*days_of(kept, range(40), each=3), project=kept.other)
    kept.keep(2)
    kept.run()
    left = kept.left()
    assert len(left) == 3 * 3 + 1
    with kept.store.reader() as reader:
        found = slow_index.read(reader, kept.shop.id, ZONE)
        expected = slow_index.counted(left, ZONE, (), True, 10_000)
        for name in ("cells", "moments", "parts", "aliases"):
            assert getattr(found, name) == getattr(expected, name), name
        first = {actor[1]: times[0] for actor, times in found.actors.items()}
        assert first == {**{f"user-{n}": NOW - 39 * DAY - n for n in range(3)}, "owl": night - DAY - 60_000}
        assert reader.longer(kept.shop.id, -2, 10**6) == []
        other = slow_index.read(reader, kept.other.id, "UTC")
        assert other == slow_index.counted(kept.left(kept.other), "UTC", (), True, 10_000)
        texts = reader.query("SELECT COUNT(*) FROM events WHERE session = 'before'")
        assert texts == [(0,)]
    assert kept.run() == []  # nothing more to do
    kept.add(*days_of(kept, range(3)))  # and the index follows on
    with kept.store.reader() as reader:
        assert (
            slow_index.read(reader, kept.shop.id, ZONE).cells
            == slow_index.counted(kept.left(), ZONE, (), True, 10_000).cells
        )


def test_events_are_appended_between_short_pieces(kept: Kept) -> None:
    kept.add(*days_of(kept, range(5), each=2500))
    kept.keep(1)
    sizes, before = [], len(kept.left())

    def write(work: Callable[[], None]) -> None:
        nonlocal before
        work()
        now = len(kept.left())
        sizes.append(before - now)
        kept.store.append(
            Group([submission(Event(name="meanwhile", time=NOW, environment="production"), project=kept.shop)])
        )
        before = now + 1

    told = kept.run(write)
    assert max(sizes) <= PIECE
    assert sum(sizes) == 3 * 2500
    assert [event.name for event in kept.left()].count("meanwhile") == len(sizes) > 8
    assert told == sorted(told)
    assert told[-1] == (7500, 7500)


def test_a_late_event_of_an_old_day_goes_as_well(kept: Kept) -> None:
    kept.add(*days_of(kept, range(5)))
    kept.keep(2)
    came = iter([True])

    def write(work: Callable[[], None]) -> None:
        if next(came, False):
            kept.add(Event(name="late", time=NOW - 4 * DAY, environment="production"))
        work()

    kept.run(write)
    kept.run()
    assert [event.name for event in kept.left()] == ["open"] * 3
    with kept.store.reader() as reader:
        assert (
            slow_index.read(reader, kept.shop.id, ZONE).cells
            == slow_index.counted(kept.left(), ZONE, (), True, 10_000).cells
        )


def test_a_run_that_was_stopped_is_gone_on_with(kept: Kept) -> None:
    kept.add(*days_of(kept, range(6), each=1500))
    kept.keep(2)
    kept.run(stop_after=2)
    assert 3 * 1500 < len(kept.left()) < 6 * 1500
    kept.run()
    assert len(kept.left()) == 3 * 1500


def test_nothing_goes_where_all_is_kept_and_of_deleted_projects(kept: Kept) -> None:
    kept.add(*days_of(kept, range(40)))
    kept.run()
    assert len(kept.left()) == 40
    kept.keep(1)
    kept.facts.delete_project(kept.shop.id)
    kept.run()
    assert len(kept.left()) == 40


def test_the_forecast(kept: Kept) -> None:
    kept.add(*days_of(kept, range(1, 61), each=10))
    kept.add(*days_of(kept, range(1, 61), each=10), project=kept.other)
    projects = list(kept.facts.snapshot.projects.values())

    def told(days: int | None) -> Any:
        shop = kept.keep(days)
        with kept.store.reader() as reader:
            return forecast(reader, kept.store, shop, projects, NOW)

    share, size = 0.5, kept.store.size()
    everything = told(None)
    assert (everything.events, everything.oldest) == (600, date(2026, 2, 19))
    assert everything.bytes == pytest.approx(size * share, rel=0.05)
    assert (everything.going_events, everything.going_days, everything.going_bytes) == (0, 0, 0)
    assert everything.daily_bytes == pytest.approx(size * share / 60, rel=0.05)
    grown = [size * share * (1 + days / 60) for days in (30, 365)]
    assert list(everything.later_bytes) == [pytest.approx(bytes_, rel=0.05) for bytes_ in grown]
    some = told(20)
    assert (some.going_events, some.going_days) == (400, 40)
    assert some.going_bytes == pytest.approx(size * share * 40 / 60, rel=0.05)
    full = size * share * 21 / 60  # twenty days and today
    assert list(some.later_bytes) == [pytest.approx(full, rel=0.05)] * 2
    kept.run()
    assert [event.time for event in kept.left()][-1] == NOW - 20 * DAY - 9
    with kept.store.reader() as reader:
        empty = forecast(reader, kept.store, kept.facts.add_project("New", kept.shop.workspace), projects, NOW)
    assert (empty.events, empty.oldest, empty.daily_bytes, empty.later_bytes) == (0, None, 0, (0, 0))


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_days_that_cannot_be_kept(kept: Kept, days: int) -> None:
    with pytest.raises(WrongField, match="Keep events for 1 to 36500 days, or all"):
        kept.keep(days)
    assert first_kept(kept.shop, NOW) == -2
