"""Usage of the running month follows what is committed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from saastracker.config import load_config
from saastracker.contracts import Group, RecordStore, Store, Submission
from saastracker.event import Event
from saastracker.plugins import Plugins
from saastracker.quota import Usage, month_of
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.wire import Reply


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


NOVEMBER, DECEMBER = ms(2026, 11, 30, 23, 59, 59), ms(2026, 12, 1)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[RecordStore, Store]]:
    plugins = Plugins(load_config(None, tmp_path))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    yield records, store
    store.close()
    records.close()


def sent(at: int, count: int, *, project: object = PROJECT, ids: str = "") -> Submission:
    events = [
        Event(name="x", time=at, received_at=at, id=(ids + str(number)).encode().ljust(16) if ids else None)
        for number in range(count)
    ]
    return Submission(PROJECT if project is PROJECT else OTHER_PROJECT, events, at, Reply(202, b""))


def commit(stores: tuple[RecordStore, Store], usage: Usage, *submissions: Submission) -> int:
    stores[1].append(Group(submissions))
    return usage.committed(submissions)


def test_it_counts_what_the_store_counts(stores: tuple[RecordStore, Store]) -> None:
    usage = Usage(stores[0], NOVEMBER)
    assert commit(stores, usage, sent(NOVEMBER, 3, ids="a"), sent(NOVEMBER, 2, project=OTHER_PROJECT)) == 5
    assert commit(stores, usage, sent(NOVEMBER, 3, ids="a"), sent(NOVEMBER, 1)) == 1  # the three are repeats
    assert usage.used(PROJECT.id) == 4
    assert usage.used(OTHER_PROJECT.id) == 2
    assert stores[0].usage("2026-11") == {PROJECT.id: 4, OTHER_PROJECT.id: 2}
    assert Usage(stores[0], NOVEMBER).used(PROJECT.id) == 4


def test_a_new_month_begins_at_nothing(stores: tuple[RecordStore, Store]) -> None:
    usage = Usage(stores[0], NOVEMBER)
    commit(stores, usage, sent(NOVEMBER, 3))
    commit(stores, usage, sent(DECEMBER, 2))
    assert usage.used(PROJECT.id) == 2
    commit(stores, usage, sent(NOVEMBER, 1))  # what was received before midnight and committed after it
    assert usage.used(PROJECT.id) == 2
    assert stores[0].usage("2026-11") == {PROJECT.id: 4}
    assert stores[0].usage("2026-12") == {PROJECT.id: 2}


def test_months() -> None:
    assert month_of(NOVEMBER) == "2026-11"
    assert month_of(DECEMBER) == "2026-12"
