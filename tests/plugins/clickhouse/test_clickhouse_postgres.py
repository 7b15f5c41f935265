"""Events in ClickHouse's engine and all else in PostgreSQL keep what every store must keep, for several servers.

The engine takes one process at a time: the servers here are stores within one.
"""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from saastracker.contracts import Group, RecordStore, Store
from saastracker.errors import OperatorError, Unavailable
from saastracker.testing import PROJECT
from saastracker.testing.copying import CopyContract
from saastracker.testing.erasing import ErasingContract
from saastracker.testing.indexing import follow
from saastracker.testing.opened import Factories, event, in_threads, names, submission
from saastracker.testing.readers import ReaderContract
from saastracker.testing.stores import StoreContract
from saastracker_postgres.records import PostgresRecords
from tests.clickhouse import count, row
from tests.postgres import Postgres


class InBoth:
    @pytest.fixture
    def factories(self, postgres: Postgres, url: str) -> Factories:
        from saastracker_clickhouse.rows import ClickHouseRows

        database = postgres.database()

        def open_store(records: RecordStore) -> Store:
            return records.store(ClickHouseRows(url))

        return lambda: PostgresRecords(database), open_store


class TestStore(InBoth, StoreContract):
    pass


class TestCopying(InBoth, CopyContract):
    pass


class TestErasing(InBoth, ErasingContract):
    pass


class TestReader(InBoth, ReaderContract):
    pass


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def open_server(database: str, url: str) -> Iterator[Callable[[], Store]]:
    from saastracker_clickhouse.rows import ClickHouseRows

    with contextlib.ExitStack() as opened:

        def open_store() -> Store:
            records = opened.enter_context(contextlib.closing(PostgresRecords(database)))
            return opened.enter_context(contextlib.closing(records.store(ClickHouseRows(url))))

        yield open_store


def test_servers_append_in_turns(database: str, open_server: Callable[[], Store]) -> None:
    servers = [open_server() for _ in range(3)]

    def appending(server: int) -> Callable[[], None]:
        return lambda: append(server)

    def append(server: int) -> None:
        for number in range(4):
            shared = event(f"shared {number}", id=number.to_bytes(16))
            servers[server].append(Group([submission(event(f"{server}.{number}", user=f"user {number}"), shared)]))

    assert in_threads([appending(server) for server in range(3)]) == []
    found = servers[0].read_after(0, 100)
    assert [each.sequence for _, each in found] == list(range(1, 17))
    expected = {f"{server}.{number}" for server in range(3) for number in range(4)}
    assert {each.name for _, each in found} == expected | {f"shared {number}" for number in range(4)}
    with contextlib.closing(PostgresRecords(database)) as records:
        assert records.usage("2026-05") == {PROJECT.id: 16}
    servers[1].claim()
    with pytest.raises(OperatorError, match="already follows"):
        servers[2].claim()
    follow(servers[1])
    for server in servers:
        with server.reader() as reader:
            assert reader.query("SELECT COUNT(*) FROM events") == [(16,)]
            assert reader.ids(PROJECT.id, "person", "user", 9) == [f"user {number}" for number in range(4)]


def test_what_one_server_left_behind_goes_before_another_inserts(
    url: str, open_server: Callable[[], Store], answers_get_lost: list[int]
) -> None:
    one, other = open_server(), open_server()
    for server in (one, other, one):
        server.append(Group([submission(event("kept"))]))
    answers_get_lost[0] = 2
    lost = event("lost", id=b"i" * 16)
    with pytest.raises(Unavailable, match="ClickHouse"):
        one.append(Group([submission(lost, event("lost"))]))
    assert (lost.sequence, count(url)) == (0, 5)
    assert names(other) == ["kept"] * 3
    other.append(Group([submission(event("again", id=b"i" * 16))]))
    one.append(Group([submission(event("next"))]))
    assert names(one) == names(other) == [*["kept"] * 3, "again", "next"]
    assert count(url) == 5


def test_events_that_postgres_knows_nothing_of_are_not_deleted(
    url: str, open_server: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    from saastracker_clickhouse import rows as module

    monkeypatch.setattr(module, "DOUBT_MAX", 2)
    with contextlib.closing(module.ClickHouseRows(url)) as rows:
        rows.insert([row(number, "kept") for number in (1, 2, 3)])
    with pytest.raises(Unavailable, match=r"3 events .* older backup"):
        open_server().append(Group([submission(event())]))
    assert count(url) == 3


def test_the_events_belong_to_one_database(postgres: Postgres, url: str, open_server: Callable[[], Store]) -> None:
    from saastracker_clickhouse.rows import ClickHouseRows

    open_server().append(Group([submission(event("kept"))]))
    with (
        contextlib.closing(PostgresRecords(postgres.database())) as others,
        pytest.raises(OperatorError, match="another installation"),
    ):
        others.store(ClickHouseRows(url))
    assert count(url) == 1
