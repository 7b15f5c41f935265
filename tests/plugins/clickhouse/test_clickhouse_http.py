"""The ClickHouse store over HTTP: what every store must keep, and what comes of connections that break.

Behind the interface, which `tests/clickhouse_http.py` speaks, is ClickHouse's own engine, in a process of its own.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from saastracker.contracts import Group, RecordStore, Store
from saastracker.errors import OperatorError, TimeLimit, Unavailable
from saastracker.testing import PROJECT
from saastracker.testing.erasing import ErasingContract
from saastracker.testing.opened import Factories, Opened, event, names, submission
from saastracker.testing.readers import ReaderContract
from saastracker.testing.stores import StoreContract
from saastracker_sqlite.records import SqliteRecords
from tests.clickhouse import Served, count, row

if TYPE_CHECKING:
    from saastracker_clickhouse.rows import ClickHouseRows

WHOLE = "é🚀" * 2000  # in each of some events: their result has a middle


class TestContracts(Opened):
    """Those of the suites that what goes over HTTP has a part in; the engine itself passes all of them elsewhere."""

    @pytest.fixture
    def factories(self, tmp_path: Path, over_http: Served) -> Factories:
        from saastracker_clickhouse.rows import ClickHouseRows

        database = over_http.database()

        def open_store(records: RecordStore) -> Store:
            return records.store(ClickHouseRows(over_http.url, database=database))

        return lambda: SqliteRecords(tmp_path / "facts.db"), open_store

    test_every_field = StoreContract.test_every_field_comes_back
    test_absent_fields = StoreContract.test_absent_fields_stay_absent
    test_pages = StoreContract.test_read_after_pages_and_selects_a_project
    test_reopening = StoreContract.test_numbers_go_on_after_reopening
    test_large_groups = StoreContract.test_large_groups
    test_ids = StoreContract.test_an_id_is_stored_once_per_project
    test_failures = StoreContract.test_a_group_that_fails_leaves_nothing
    test_after_failures = StoreContract.test_a_group_that_failed_harms_none_that_follow
    test_one_claim = StoreContract.test_one_claim_at_a_time
    test_erased_project = ErasingContract.test_an_erased_project_leaves_nothing_behind
    test_erased_events = ErasingContract.test_some_events_are_erased_and_their_days_are_dirty
    test_sweeping = ErasingContract.test_what_names_the_erased_is_swept_up
    test_one_state = ReaderContract.test_a_reader_sees_one_state
    test_parameters = ReaderContract.test_parameters_are_values
    test_events_by_number = ReaderContract.test_events_by_number
    test_slow_queries = ReaderContract.test_a_slow_query_ends_and_the_reader_works_on
    test_reading = ReaderContract.test_readers_do_not_write


@pytest.fixture
def database(over_http: Served) -> str:
    return over_http.database()


@pytest.fixture
def rows(over_http: Served, database: str) -> "Iterator[ClickHouseRows]":
    from saastracker_clickhouse.rows import ClickHouseRows

    with closing(ClickHouseRows(over_http.url, database=database)) as rows:
        yield rows


@pytest.fixture
def store(records: RecordStore, rows: "ClickHouseRows") -> Iterator[Store]:
    with closing(records.store(rows)) as store:
        store.claim()
        yield store


@pytest.fixture
def stored(over_http: Served, database: str) -> Callable[[], int]:
    return lambda: count(over_http.url, database=database)


@pytest.fixture
def fail(over_http: Served, database: str) -> Callable[..., None]:
    """The next statements with a text, which are about this test's events, end as a fault has it."""
    return lambda how, verb, **more: over_http.fault(how, f"{verb} `{database}`.event_rows", **more)


# --- Inserts ---


# The client tries twice by itself, and that twice the store does.
@pytest.mark.parametrize(("how", "times"), [("refused", 1), ("begun", 1), ("lost", 1), ("lost", 3)])
def test_an_insert_that_is_sent_again_is_stored_once(
    store: Store, stored: Callable[[], int], fail: Callable[..., None], how: str, times: int
) -> None:
    fail(how, "INSERT INTO", times=times)
    store.append(Group([submission(event("once"), event("twice", value=1.5))]))
    assert names(store) == ["once", "twice"]
    assert stored() == 2


@pytest.mark.parametrize(("how", "left"), [("refused", 0), ("begun", 0), ("lost", 1)])
def test_a_group_that_nobody_was_told_of_is_not_there(
    store: Store, records: RecordStore, stored: Callable[[], int], fail: Callable[..., None], how: str, left: int
) -> None:
    fail(how, "INSERT INTO", times=4)
    sent = event("lost", id=b"i" * 16)
    with pytest.raises(Unavailable, match="ClickHouse fails, it does not answer"):
        store.append(Group([submission(sent)]))
    assert (sent.sequence, names(store), records.usage("2026-05"), stored()) == (0, [], {}, left)
    store.append(Group([submission(event("again", id=b"i" * 16), event("next"))]))
    assert (names(store), stored()) == (["again", "next"], 2)


def test_a_proxy_that_has_no_server(store: Store, stored: Callable[[], int], fail: Callable[..., None]) -> None:
    fail("busy", "INSERT INTO", times=2)
    with pytest.raises(Unavailable):
        store.append(Group([submission(event())]))
    fail("busy", "FROM", times=2)
    assert (names(store), stored()) == ([], 0)  # reading is tried again


# --- Reads ---


def test_half_a_result_is_none(rows: "ClickHouseRows", fail: Callable[..., None], tmp_path: Path) -> None:
    rows.insert([row(number, "kept", properties=f'{{"text":"{WHOLE}"}}', id=bytes([number] * 16)) for number in (1, 2)])
    reads: dict[str, Callable[[], Any]] = {
        "read": lambda: rows.read(0, 9, 9),
        "events": lambda: rows.events([1, 2], 9),
        "arrivals": lambda: rows.arrivals(0, 9, 9),
        "properties": lambda: rows.properties([1, 2]),
        "taken": lambda: rows.taken([(PROJECT.id, bytes([1] * 16))], 9),
        "held": rows.held,
        "codes": lambda: rows.codes(0, 9),
        "query": lambda: rows.query("SELECT properties FROM events", {}, 9, 9.0, lambda: False),
        "backup": lambda: rows.backup(tmp_path / "copy", 9, lambda _done, _total: None),
    }
    for read in reads.values():
        fail("cut", "FROM")
        with pytest.raises(Unavailable, match="it does not answer"):
            read()
    assert not (tmp_path / "copy").exists()
    for name, read in reads.items():
        found = read()
        assert name == "backup" or len(found.sequence if name == "arrivals" else found)
    assert [file.stat().st_size > 2 * len(WHOLE) for file in (tmp_path / "copy").iterdir()] == [True]


def test_a_query_ends_soon_after_nobody_wants_it(store: Store) -> None:
    store.append(Group([submission(*(event(user=str(number)) for number in range(3000)))]))
    wanted = threading.Event()
    wanted.set()
    threading.Timer(0.3, wanted.clear).start()
    slow = "SELECT COUNT(*) FROM events CROSS JOIN (SELECT 1 FROM events) a CROSS JOIN (SELECT 1 FROM events) b"
    began = time.monotonic()
    with store.reader(60.0, lambda: not wanted.is_set()) as reader:
        with pytest.raises(TimeLimit):
            reader.query(slow)
        assert time.monotonic() - began < 30  # of the minutes it takes
        wanted.set()
        assert reader.query("SELECT COUNT(*) FROM events") == [(3000,)]
    with store.reader(0.2) as reader, pytest.raises(TimeLimit, match=r"longer than 0\.2 s"):
        reader.query(slow)


# --- Waiting ---


def test_an_answer_that_comes_too_late(
    over_http: Served, database: str, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from saastracker_clickhouse import client
    from saastracker_clickhouse import rows as rows_module
    from saastracker_clickhouse.rows import ClickHouseRows

    monkeypatch.setattr(client, "SEND_SECONDS", 1)
    monkeypatch.setattr(rows_module, "STORE_SECONDS", 1)
    with closing(ClickHouseRows(over_http.url, database=database)) as rows:
        fail("late", "INSERT INTO", seconds=1.3)
        rows.insert([row(1, "once"), row(2, "gone")])
        assert rows.held()[PROJECT.id].events == 2
        fail("late", "FROM", seconds=1.3)
        with pytest.raises(Unavailable, match="it does not answer"):
            rows.held()
        fail("late", "DELETE FROM", seconds=1.3)  # which is waited for
        rows.erase_events(PROJECT.id, [2], [])
        assert rows.held()[PROJECT.id].events == 1


# --- Servers ---


def test_a_wrong_password_is_told_and_not_shown(over_http: Served, caplog: pytest.LogCaptureFixture) -> None:
    from saastracker_clickhouse.rows import ClickHouseRows

    caplog.set_level(logging.DEBUG)
    with pytest.raises(OperatorError, match=r"AUTHENTICATION_FAILED .* user and password in") as told:
        ClickHouseRows(f"http://tracker:wr0ng@{over_http.shown.removeprefix('http://')}")
    assert over_http.shown in str(told.value)
    assert "wr0ng" not in f"{told.value} {told.value.__cause__} {caplog.text}"


def test_a_server_that_comes_back_is_used_again(records: RecordStore, tmp_path: Path) -> None:
    from saastracker_clickhouse.rows import ClickHouseRows

    server = Served(tmp_path / "engine")
    try:
        with closing(records.store(ClickHouseRows(server.url))) as store:
            store.claim()
            store.append(Group([submission(event("kept"))]))
            server.kill()
            server.restart()
            store.append(Group([submission(event("next"))]))  # by a connection that the server knows nothing of
            server.kill()
            with pytest.raises(Unavailable, match="it does not answer"):
                store.append(Group([submission(event("lost"))]))
            with pytest.raises(Unavailable), store.reader() as reader:
                reader.query("SELECT COUNT(*) FROM events")
            server.restart()
            assert names(store) == ["kept", "next"]
            store.append(Group([submission(event("last"))]))
            assert names(store) == ["kept", "next", "last"]
    finally:
        server.kill()


# --- Backups, as the documentation puts them back ---


@pytest.fixture
def copied(store: Store, database: str, over_http: Served, tmp_path: Path) -> "Iterator[Callable[[], Store]]":
    """Opens the store as its backup has it: one of two events, taken before a third came and ClickHouse's own."""
    from saastracker_clickhouse.rows import ClickHouseRows

    store.append(Group([submission(event("one", id=b"i" * 16), event("two", value=1.5))]))
    store.backup(tmp_path / "copy", lambda _done, _total: None)
    store.append(Group([submission(event("later"))]))
    over_http.say(f"BACKUP DATABASE {database} TO {over_http.backup(database)}")
    with contextlib.ExitStack() as opened:

        def restored() -> Store:
            records = opened.enter_context(closing(SqliteRecords(tmp_path / "copy")))
            rows = ClickHouseRows(over_http.url, database=database)
            return opened.enter_context(closing(records.store(rows)))

        yield restored


def goes_on(restored: Store) -> None:
    restored.claim()
    assert names(restored) == ["one", "two"]
    restored.append(Group([submission(event("again", id=b"i" * 16), event("next"))]))
    assert names(restored) == ["one", "two", "next"]


def test_a_backup_is_put_back(
    copied: Callable[[], Store], database: str, over_http: Served, stored: Callable[[], int], tmp_path: Path
) -> None:
    [file] = (tmp_path / "copy.events").iterdir()
    for _ in range(2):  # ClickHouse leaves out blocks that it has seen before, but not those that are gone
        over_http.say(f"TRUNCATE TABLE {database}.event_rows")
        over_http.say(f"INSERT INTO {database}.event_rows FORMAT Native", file.read_bytes())
    goes_on(copied())
    assert stored() == 3


def test_a_backup_of_clickhouses_own_is_put_back(
    copied: Callable[[], Store], database: str, over_http: Served, stored: Callable[[], int]
) -> None:
    over_http.say(f"DROP DATABASE {database} SYNC")
    over_http.say(f"RESTORE DATABASE {database} FROM {over_http.backup(database)}")
    assert stored() == 3
    goes_on(copied())
    assert stored() == 3  # the one that came later is gone
