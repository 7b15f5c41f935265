"""The index equals a slow count over the raw events, however it came about."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from saastracker.config import load_config
from saastracker.contracts import Group, Store, Submission
from saastracker.event import Event
from saastracker.index import VERSION
from saastracker.indexer import Indexer
from saastracker.plugins import Plugins
from saastracker.testing import PROJECT
from saastracker.testing.opened import submission

ZONE = "America/New_York"  # its clocks change on 2026-11-01
START = int(datetime(2026, 10, 30, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()


def made(seed: int, count: int) -> list[Event]:
    """Events of few persons, some anonymous first, in several organizations, over days with a change of clocks."""
    pick = random.Random(seed)
    events = []
    for _ in range(count):
        user = pick.choice([None, "u1", "u2", "u3"])
        events.append(
            Event(
                name=pick.choice(["open", "save", "page_view"]),
                type=pick.choice(["custom", "pageview"]),
                time=START + pick.randrange(96) * HOUR // 2,
                received_at=START + 96 * HOUR,
                user=user,
                anonymous=pick.choice([None, "a1", "a2", "u1"]),
                org=pick.choice([None, "x", "y"]),
                session="s",
                path=pick.choice([None, "/a", "/b"]),
                environment=pick.choice(["production", "staging"]),
                value=pick.choice([None, None, 1.5, 2.0]),
                referrer=pick.choice([None, "www.google.com", "news.example"]),
                medium=pick.choice([None, "cpc"]),
            )
        )
    return events


def local_day(time: int) -> int:
    return datetime.fromtimestamp(time / 1000, ZoneInfo(ZONE)).date().toordinal() - EPOCH


def slow(events: list[Event]) -> dict[str, object]:
    """The same questions, asked of the raw events in the plainest way."""
    aliases: dict[str, str] = {}
    for event in events:
        if event.user and event.anonymous:
            aliases.setdefault(event.anonymous, event.user)
    persons = defaultdict(set)
    organizations = defaultdict(set)
    counts: Counter[tuple[int, str]] = Counter()
    totals: dict[tuple[int, str], float] = defaultdict(float)
    first: dict[tuple[bool, str], int] = {}
    for event in events:
        assert event.time is not None
        key = local_day(event.time), event.name
        counts[key] += 1
        totals[key] += event.value or 0
        who = None
        if event.user:
            who = False, event.user
        elif event.anonymous:
            who = (False, aliases[event.anonymous]) if event.anonymous in aliases else (True, event.anonymous)
        if who:
            persons[key].add(who)
            first[who] = min(first.get(who, event.time), event.time)
        if event.org:
            organizations[key].add(event.org)
    return {
        "counts": dict(counts),
        "totals": dict(totals),
        "persons": {key: len(members) for key, members in persons.items()},
        "organizations": {key: len(members) for key, members in organizations.items()},
        "first": sorted(first.values()),
    }


def indexed(store: Store) -> dict[str, object]:
    counts: Counter[tuple[int, str]] = Counter()
    totals: dict[tuple[int, str], float] = defaultdict(float)
    members: dict[tuple[int, str], BitMap] = {}
    with store.reader() as reader:
        actors = reader.actors(PROJECT.id)
        for day, name, cell in reader.days(PROJECT.id, "name", 0, 100_000):
            key = day, name
            counts[key] += cell.events
            totals[key] += cell.total
            members[key] = members[key] | cell.actors if key in members else cell.actors
            assert cell.per_actor()[1].sum() <= cell.events
    persons = {key: len(actors.persons(who)) for key, who in members.items()}
    organizations = {key: len(actors.organizations(who)) for key, who in members.items()}
    assert persons == {key: actors.count_persons(who) for key, who in members.items()}
    assert organizations == {key: actors.count_organizations(who) for key, who in members.items()}
    return {
        "counts": dict(counts),
        "totals": dict(totals),
        "persons": {key: count for key, count in persons.items() if count},
        "organizations": {key: count for key, count in organizations.items() if count},
        "first": sorted(actors.person_first().tolist()),
    }


def everything(store: Store) -> list[object]:
    """All cells of all namespaces, moments and parts, for comparing two indexes."""
    from saastracker.tagger import NAMESPACES

    with store.reader() as reader:
        moments = reader.moments(PROJECT.id, 0, 100_000)
        columns = [getattr(moments, name).tolist() for name in ("session", "time", "sequence", "path")]
        rows = sorted(zip((moments.names[place] for place in moments.name), *columns, strict=True))
        parts = reader.parts(PROJECT.id, 0, 100_000)
        parts = parts.merged(parts.session)
        names = [name for name in parts.__struct_fields__ if name != "actor"]  # numbered anew by rebuilding
        return [
            ("moment", *rows),
            *(("part", name, *getattr(parts, name).tolist()) for name in names),
        ] + [
            (namespace, day, key, cell.events, cell.total, cell.valued, list(cell.actors), cell.per_actor()[1].tolist())
            for namespace in NAMESPACES
            for environment in ("production", "staging")
            for day, key, cell in reader.days(PROJECT.id, namespace, 0, 100_000, environment=environment)
        ]


def _unnumbered(row: Any) -> Any:
    """Without the numbers of actors, which a rebuilding gives anew."""
    return row if row[0] in {"moment", "part"} else row[:6]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    plugins = Plugins(load_config(None, tmp_path))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    yield store
    store.close()
    records.close()


def indexer(store: Store) -> Indexer:
    follower = Indexer(store.index, lambda: {PROJECT.id: ZONE}, lambda work: work())
    follower.begin()
    return follower


def append(store: Store, events: list[Event]) -> None:
    store.append(Group([Submission(PROJECT, events, START, submission().reply)]))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_following_in_any_steps_equals_the_slow_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int]
) -> None:
    plugins = Plugins(load_config(None, tmp_path_factory.mktemp("data")))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    try:
        follower = indexer(store)
        sent: list[Event] = []
        for number, size in enumerate(sizes):
            events = made(seed + number, size)
            append(store, events)
            sent += events
            assert follower.follow() == size
        assert indexed(store) == slow(sent)
    finally:
        store.close()
        records.close()


def test_rebuilding_and_recomputing_change_nothing(store: Store) -> None:
    follower = indexer(store)
    for number in range(4):
        append(store, made(number, 60))
        follower.follow()
    before = everything(store)
    days = {(PROJECT.id, local_day(event.time or 0)) for number in range(4) for event in made(number, 60)}
    assert [row for row in before if row[0] == "moment"] != [("moment",)]  # type: ignore[index]
    store.index.mark(sorted(days))
    while follower.recompute():
        pass
    assert everything(store) == before
    seen: list[tuple[int, int]] = []
    follower.rebuild(lambda done, total: seen.append((done, total)))
    assert [_unnumbered(row) for row in everything(store)] == [_unnumbered(row) for row in before]
    assert seen[-1] == (240, 240)


def test_another_version_of_the_code_starts_over(store: Store) -> None:
    follower = indexer(store)
    append(store, made(1, 10))
    follower.follow()
    store.index.reset("0")
    append(store, made(2, 10))
    assert store.index.state().version == "0"
    again = indexer(store)
    assert again.follow() == 20
    assert store.index.state().version == VERSION


def test_two_indexers_do_not_count_twice(store: Store) -> None:
    from saastracker.errors import Conflict
    from saastracker.index_store import IndexChanges

    follower = indexer(store)
    append(store, made(1, 10))
    follower.follow()
    with pytest.raises(Conflict):
        store.index.write(IndexChanges(after=0, watermark=10))


def test_keys_beyond_the_limit_are_counted_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 5)
    follower = indexer(store)
    for part in range(2):
        append(
            store,
            [
                Event(name=f"n{part}{number}", time=START, received_at=START, user=f"u{number}", session="s")
                for number in range(4)
            ],
        )
        follower.follow()
    with store.reader() as reader:
        cells = {key: cell for _, key, cell in reader.days(PROJECT.id, "name", 0, 100_000)}
    assert len(cells) == 6
    assert cells["(other)"].events == 3
    assert sum(cell.events for cell in cells.values()) == 8
