"""Reading from SQLite: which index a query uses, and how many may read at once."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from saastracker.contracts import Group
from saastracker.errors import TimeLimit
from saastracker.testing import PROJECT
from saastracker.testing.opened import event, submission
from saastracker_sqlite.reader import READERS_MAX
from saastracker_sqlite.store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with contextlib.closing(SqliteStore(tmp_path / "saastracker.db")) as store:
        store.claim()
        store.append(Group([submission(event())]))
        yield store


def plan(store: SqliteStore, sql: str) -> list[str]:
    with store.reader() as reader:
        return [row[3] for row in reader.query(f"EXPLAIN QUERY PLAN {sql}", project=PROJECT.id, after=5, limit=10)]


def test_a_projects_newest_events_come_from_its_index(store: SqliteStore) -> None:
    steps = plan(store, "SELECT sequence FROM events WHERE project = :project ORDER BY sequence DESC LIMIT :limit")
    assert steps == [
        "SEARCH p USING COVERING INDEX idx_projects_project (project=?)",
        "SEARCH e USING COVERING INDEX idx_event_rows_project (project=?)",
    ]
    steps = plan(store, "SELECT name FROM events WHERE project = :project AND sequence < :after ORDER BY sequence DESC")
    assert "SEARCH e USING INDEX idx_event_rows_project (project=? AND rowid<?)" in steps
    assert not any("TEMP" in step or "SCAN" in step for step in steps)


def test_columns_nobody_asks_for_are_not_read(store: SqliteStore) -> None:
    steps = plan(store, 'SELECT sequence, "time" FROM events WHERE sequence > :after ORDER BY sequence')
    assert steps == ["SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"]


def test_readers_beyond_the_limit_wait(store: SqliteStore) -> None:
    with contextlib.ExitStack() as readers:
        for _ in range(READERS_MAX):
            readers.enter_context(store.reader())
        with pytest.raises(TimeLimit, match="busy"), store.reader(seconds=0.01):
            pass
        assert len(store.read_after(0, 10)) == 1  # neither does what the server itself reads
        assert store.answer(b"k" * 16) is None
    with store.reader(seconds=0.01) as reader:
        assert reader.query("SELECT COUNT(*) FROM events") == [(1,)]


def test_closing_beside_a_reader(store: SqliteStore) -> None:
    with store.reader() as reader:
        store.close()
        assert reader.query("SELECT COUNT(*) FROM events") == [(1,)]
