"""Appending to SQLite: what fails around it, what is kept in memory, what it costs on disk."""

import contextlib
import random
import resource
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from saastracker.contracts import Group
from saastracker.errors import Unavailable
from saastracker.event import Event
from saastracker.testing import NOW, PROJECT
from saastracker.testing.opened import event, names, submission
from saastracker_sqlite import append, database, dictionary
from saastracker_sqlite.database import connect, failures
from saastracker_sqlite.store import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "saastracker.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(path)) as store:
        store.claim()
        yield store


def one(name: str) -> Group:
    return Group([submission(event(name, org=f"org of {name}"))])


# --- What fails around it ---


def test_a_lock_held_elsewhere(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    with contextlib.closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        for group in (one("refused"), Group()):
            with pytest.raises(Unavailable, match="locked"):
                store.append(group)
        other.execute("ROLLBACK")
    store.append(one("stored"))
    assert names(store) == ["stored"]


def test_a_disk_that_refuses(store: SqliteStore, path: Path) -> None:
    store.append(one("before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = Group([submission(*(event(user=f"user {number}") for number in range(5000)))])
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    try:
        with pytest.raises(Unavailable, match="disk"):
            store.append(large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [sent.sequence for sent in large.submissions[0].events] == [0] * 5000
    store.append(one("after"))
    assert names(store) == ["before", "after"]


def test_a_full_disk(path: Path, store: SqliteStore) -> None:
    with contextlib.closing(connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(Unavailable, match="full"), failures():
            connection.execute("INSERT INTO texts (hash, text) VALUES (0, ?)", ("x" * 1_000_000,))


def test_a_damaged_file(path: Path, store: SqliteStore) -> None:
    store.append(one("before"))
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    store.claim()
    with pytest.raises(Unavailable, match="damaged"):
        store.append(one("after"))


def test_only_what_is_wrong_with_the_data_is_the_clients_to_mend() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        with pytest.raises(Unavailable, match="no such table"), failures():
            connection.execute("SELECT * FROM missing")
        connection.execute("CREATE TABLE t (x NOT NULL)")
        with pytest.raises(sqlite3.IntegrityError), failures():
            connection.execute("INSERT INTO t VALUES (NULL)")
        with pytest.raises(sqlite3.ProgrammingError), failures():
            connection.execute("SELECT ?", [object()])


# --- What is kept in memory ---


def test_numbers_of_erased_events_are_not_given_out_again(store: SqliteStore, path: Path) -> None:
    store.append(Group([submission(event(), event(), event())]))
    with contextlib.closing(connect(path)) as connection:
        connection.execute("DELETE FROM event_rows")
    store.close()
    store.claim()
    sent = event()
    store.append(Group([submission(sent)]))
    assert sent.sequence == 4


def test_a_text_is_stored_once_however_small_the_cache(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saastracker.dictionary.CACHE_BYTES", 5000)
    users = [f"user {number}" for number in range(100)]
    for start in [0, 30, 60, 90, 0, 45, 10]:
        store.append(Group([submission(*(event(user=user) for user in users[start : start + 20]))]))
    assert store._appender is not None
    assert len(store._appender._dictionary._young) + len(store._appender._dictionary._old) < 60
    with contextlib.closing(connect(path)) as connection:
        [(texts, distinct)] = connection.execute("SELECT COUNT(*), COUNT(DISTINCT text) FROM texts")
    assert texts == distinct
    sent = [user for start in [0, 30, 60, 90, 0, 45, 10] for user in users[start : start + 20]]
    assert [found.user for _, found in store.read_after(0, 1000)] == sent


def test_texts_with_one_hash_stay_apart(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionary, "_hash", lambda _text: 7)
    for _ in range(2):
        store.append(Group([submission(event(user="one", org="two"), event(user="two", org="three"))]))
        store.close()
        store.claim()
    assert [(found.user, found.org) for _, found in store.read_after(0, 9)] == [("one", "two"), ("two", "three")] * 2


def test_a_text_may_hold_nul(store: SqliteStore) -> None:
    for _ in range(2):
        store.append(Group([submission(event(user="a\0b"), event(user="a"))]))
        store.close()
        store.claim()
    assert [found.user for _, found in store.read_after(0, 9)] == ["a\0b", "a"] * 2


# --- What it costs on disk ---


def test_the_log_is_emptied_when_idle(store: SqliteStore, path: Path) -> None:
    log = path.with_name("saastracker.db-wal")
    store.append(one("stored"))
    assert log.stat().st_size > 0
    with store.reader() as reader:
        assert reader.query("SELECT COUNT(*) FROM events") == [(1,)]
        store.append(one("second"))
        store.append(Group())  # does not wait for the reader
        assert log.stat().st_size > 0
    store.append(Group())
    assert log.stat().st_size == 0


def test_the_log_is_bounded_when_never_idle(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append, "WAL_MAX", 50_000)
    monkeypatch.setattr(append, "TRUNCATE_EVERY", 0.0)
    log = path.with_name("saastracker.db-wal")
    sizes = []
    for number in range(50):
        store.append(one(f"event{number}"))
        sizes.append(log.stat().st_size)
    assert max(sizes) < 100_000
    assert 0 in sizes
    assert len(names(store)) == 50


def test_expired_answers_are_deleted(store: SqliteStore, path: Path) -> None:
    day = 24 * 3600 * 1000
    for number in range(20):
        at = NOW + number * day // 10
        store.append(Group([submission(event(), idempotency=bytes([number]) * 16, received_at=at)]))
    with contextlib.closing(connect(path)) as connection:
        [(oldest, count)] = connection.execute("SELECT MIN(at), COUNT(*) FROM answers")
    assert (oldest, count) == (NOW + day, 10)


def test_bytes_per_event(store: SqliteStore, path: Path) -> None:
    for group in realistic(20_000):
        store.append(group)
    store.append(Group())
    assert path.stat().st_size / 20_000 < 170


def realistic(events: int) -> list[Group]:
    """Groups of ten batches of a hundred: every tenth event a new person's, ten to a session."""
    chance = random.Random(1)
    persons = [sha256(str(number).encode()).hexdigest() for number in range(1000)]
    sent: list[Event] = []
    for number in range(events):
        if number % 10 == 0:
            session = str(UUID(int=chance.getrandbits(128), version=4))
            persons.append(sha256(chance.randbytes(8)).hexdigest())
        sent.append(
            event(
                f"feature_{chance.randrange(30)}_used",
                user=persons[-1] if number % 10 == 0 else chance.choice(persons),
                org=f"customer-{chance.randrange(400)}",
                session=session,
                path=f"/section/{chance.randrange(200)}/page",
                plan="pro",
                release="1.4.2",
                browser="Chrome",
                os="Windows",
                device="desktop",
                country="DE",
                time=NOW + number * 10,
                received_at=NOW + number * 10 + (0 if number % 3 else 40),
                properties='{"button":"save","seats":12,"source":"menu/edit/top-left"}',
            )
        )
    batches = [submission(*sent[start : start + 100], project=PROJECT) for start in range(0, events, 100)]
    return [Group(batches[start : start + 10]) for start in range(0, len(batches), 10)]
