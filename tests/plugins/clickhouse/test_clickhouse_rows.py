"""What ClickHouse keeps when inserts are retried, lost half way or not wanted any more, and whose it is."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from saastracker.contracts import Group, RecordStore, Store
from saastracker.errors import OperatorError, TimeLimit, Unavailable
from saastracker.testing.opened import event, names, submission
from saastracker_sqlite.records import SqliteRecords
from tests.clickhouse import count, row


def open_store(records: RecordStore, url: str) -> Store:
    from saastracker_clickhouse.rows import ClickHouseRows

    return records.store(ClickHouseRows(url))


@pytest.fixture
def store(records: RecordStore, url: str) -> Iterator[Store]:
    with closing(open_store(records, url)) as store:
        store.claim()
        yield store


def test_an_insert_that_is_sent_again_is_stored_once(store: Store, url: str, answers_get_lost: list[int]) -> None:
    answers_get_lost[0] = 1
    store.append(Group([submission(event("once"), event("twice"))]))
    assert names(store) == ["once", "twice"]
    assert count(url) == 2


def test_a_group_that_nobody_was_told_of_is_not_there(
    store: Store, records: RecordStore, url: str, answers_get_lost: list[int]
) -> None:
    sent = event("lost", id=b"i" * 16)
    answers_get_lost[0] = 2
    with pytest.raises(Unavailable, match="ClickHouse"):
        store.append(Group([submission(sent)]))
    assert (sent.sequence, count(url)) == (0, 1)
    assert names(store) == []
    assert records.usage("2026-05") == {}
    store.append(Group([submission(event("again", id=b"i" * 16), event("next"))]))
    assert names(store) == ["again", "next"]
    assert count(url) == 2


def test_what_a_killed_server_left_goes_at_the_next_start(records: RecordStore, url: str) -> None:
    from saastracker_clickhouse.rows import ClickHouseRows

    with closing(open_store(records, url)) as store:
        store.claim()
        store.append(Group([submission(event("kept"))]))
    with closing(ClickHouseRows(url)) as rows:
        rows.insert([row(2, "left", id=b"i" * 16), row(3, "left")])
    with closing(open_store(records, url)) as store:
        assert names(store) == ["kept"]
        with store.reader() as reader:
            assert reader.query("SELECT COUNT(*) FROM events") == [(1,)]
        store.claim()
        assert count(url) == 1
        sent = event("new", id=b"i" * 16)
        store.append(Group([submission(sent)]))
        assert (names(store), sent.sequence) == (["kept", "new"], 2)


def test_events_are_not_deleted_because_an_old_backup_knows_fewer(
    records: RecordStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from saastracker_clickhouse import rows as module

    monkeypatch.setattr(module, "DOUBT_MAX", 2)
    with closing(open_store(records, url)) as store:
        store.claim()
    with closing(module.ClickHouseRows(url)) as rows:
        rows.insert([row(number, "kept") for number in (1, 2, 3)])
    with closing(open_store(records, url)) as store, pytest.raises(OperatorError, match=r"3 events .* older backup"):
        store.claim()
    assert count(url) == 3


def test_the_events_belong_to_one_installation(records: RecordStore, url: str, tmp_path: Path) -> None:
    with closing(open_store(records, url)) as store:
        store.claim()
        store.append(Group([submission(event("kept"))]))
    with (
        closing(SqliteRecords(tmp_path / "others.db")) as others,
        closing(open_store(others, url)) as store,
        pytest.raises(OperatorError, match=r"another installation.*plugin\.clickhouse\.database"),
    ):
        store.claim()
    assert count(url) == 1


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


def test_a_backup_is_files_that_clickhouse_reads(store: Store, url: str, tmp_path: Path) -> None:
    store.append(Group([submission(event("one", id=b"i" * 16), event("two", value=1.5))]))
    store.backup(tmp_path / "copy", lambda _done, _total: None)
    store.close()
    [file] = (tmp_path / "copy.events").iterdir()
    from clickhouse_connect import get_client

    with closing(get_client(interface="chdb", path=url.removeprefix("chdb://"))) as client:
        client.command("TRUNCATE TABLE saastracker.event_rows")
        client.command(f"INSERT INTO saastracker.event_rows FROM INFILE '{file}' FORMAT Native")
    with closing(SqliteRecords(tmp_path / "copy")) as copied, closing(open_store(copied, url)) as restored:
        restored.claim()
        assert names(restored) == ["one", "two"]


@pytest.mark.parametrize(
    "wrong",
    [
        *("localhost:8123", "chdb://relative", "chdb:///", "http:///no-host", "postgres://host/db", "http://host:x"),
        *("http://me:secr/et@host", "http://me:12/34@host", "http://me:secr?et@host", "http://me:secr#et@host"),
        "http://me:secr@[host",
    ],
)
def test_an_address_that_is_none(records: RecordStore, wrong: str) -> None:
    with pytest.raises(OperatorError, match=r"plugin\.clickhouse\.url: write it as .* %40 for @") as raised:
        open_store(records, wrong)
    assert "secr" not in str(raised.value)


def test_a_server_that_is_not_there(records: RecordStore) -> None:
    with pytest.raises(OperatorError, match=r"see whether it runs at http://127\.0\.0\.1:1") as raised:
        open_store(records, "http://me:secret@127.0.0.1:1")
    assert "secret" not in str(raised.value)
