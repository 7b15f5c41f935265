"""The database file: who may open it, who writes it, what older and newer releases made of it."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
from sqlite_utils import Database, Migrations

import saastracker_sqlite
from saastracker.contracts import Change, Group, Settings
from saastracker.errors import OperatorError
from saastracker.testing.opened import event, in_threads, names, submission
from saastracker_sqlite import migrations, schema
from saastracker_sqlite.database import connect
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.store import SqliteStore

pytestmark = pytest.mark.usefixtures("migrated_databases")

OTHER_PROCESS = """
import sys
from pathlib import Path
from saastracker_sqlite.store import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
store.claim()
print("claimed", flush=True)
sys.stdin.read()
"""

NEW_FILE = """
import sys
from importlib.util import find_spec
from pathlib import Path
from saastracker_sqlite.store import SqliteStore
installed = find_spec("pandas")
SqliteStore(Path(sys.argv[1])).close()
assert "sqlite_utils" in sys.modules
assert "pandas" not in sys.modules
assert find_spec("pandas") == installed
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "saastracker.db"


class Settled:
    """A configuration without any file."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def plugin(self, name: str, settings: type[Settings]) -> Settings:
        assert name == "sqlite"
        return msgspec.convert({}, settings)


def test_both_stores_use_one_file_in_the_data_folder(tmp_path: Path) -> None:
    config = Settled(tmp_path)
    with (
        contextlib.closing(saastracker_sqlite.record_stores(config)["sqlite"]()) as records,
        contextlib.closing(saastracker_sqlite.stores(config)["sqlite"](records)) as store,
    ):
        store.claim()
        store.append(Group([submission(event())]))
        assert sum(records.usage("2026-05").values()) == 1
    assert (tmp_path / "saastracker.db").exists()


def test_only_the_owner_reads_the_files(path: Path) -> None:
    with contextlib.closing(SqliteStore(path)) as store:
        store.claim()
        store.append(Group([submission(event())]))
        store.backup(path.with_name("copy.db"), lambda _done, _total: None)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes) == {f"saastracker.db{end}" for end in ("", "-wal", "-shm", ".lock")} | {"copy.db"}
    assert set(modes.values()) == {0o600}


def test_commits_are_synced(path: Path) -> None:
    SqliteStore(path).close()
    with contextlib.closing(connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


@pytest.mark.parametrize("broken", ["missing/saastracker.db", "text.db", "folder.db"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, broken: str) -> None:
    (tmp_path / "text.db").write_text("not a database " * 1000)
    (tmp_path / "folder.db").mkdir()
    for opened in (SqliteStore, SqliteRecords):
        with pytest.raises(OperatorError, match=broken):
            opened(tmp_path / broken)


# --- One writer ---


def test_a_database_of_something_else_stays_as_it_is(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE places (id INTEGER)")
    before = path.read_bytes()
    for open_it in (SqliteStore, SqliteRecords):
        with pytest.raises(OperatorError, match="something else: name another file"):
            open_it(path)
    assert path.read_bytes() == before


def test_a_claim_is_held_until_the_process_dies(path: Path, tmp_path: Path) -> None:
    SqliteStore(path).close()
    other_name = tmp_path / "other.db"
    other_name.symlink_to(path)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"claimed\n"
        with contextlib.closing(SqliteStore(other_name)) as store:
            with pytest.raises(OperatorError, match=rf"Process {other.pid} already writes to .*/saastracker\.db.*kill"):
                store.claim()
            with pytest.raises(RuntimeError):
                store.append(Group())
            os.kill(other.pid, signal.SIGKILL)
            other.wait()
            store.claim()
            store.append(Group([submission(event())]))
            assert names(store) == ["clicked"]


def test_many_may_make_the_file_at_once(path: Path) -> None:
    assert in_threads([lambda: SqliteStore(path).close(), lambda: SqliteRecords(path).close()] * 4) == []


def test_pandas_is_not_imported_to_make_the_file(path: Path) -> None:
    subprocess.run([sys.executable, "-c", NEW_FILE, str(path)], check=True)


# --- Releases ---


Add: TypeAlias = Callable[[str], Callable[[Callable[[Database], None]], object]]


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch) -> Add:
    """Adds migrations to those of today, as a later release would."""
    later = Migrations(schema.MIGRATION_SET)
    with contextlib.closing(Database(memory=True)) as empty:
        for migration in migrations.migrations.pending(empty):
            later(name=migration.name)(migration.fn)
    monkeypatch.setattr(migrations, "migrations", later)

    def add(name: str) -> Callable[[Callable[[Database], None]], object]:
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, name))
        return later(name=name)

    return add


def test_todays_migrations_are_named_in_order() -> None:
    with contextlib.closing(Database(memory=True)) as empty:
        assert tuple(migration.name for migration in migrations.migrations.pending(empty)) == schema.MIGRATIONS


def test_an_older_file_is_copied_and_migrated(path: Path, next_release: Add) -> None:
    with contextlib.closing(SqliteRecords(path)) as records:
        records.write([Change("key", "1", 0, b"kept")])

    @next_release("0.2.0 notes")
    def _notes(db: Database) -> None:
        db.table("notes").create({"note": str})

    with contextlib.closing(SqliteRecords(path)) as records:
        assert [record.data for record in records.records()] == [b"kept"]
    assert "notes" in tables(path)
    copy = path.with_name("saastracker.db.0.1.0")
    assert tables(copy) == tables(path) - {"notes"}
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, next_release: Add) -> None:
    SqliteStore(path).close()
    before = tables(path)

    @next_release("0.2.0 notes")
    def _notes(db: Database) -> None:
        db.table("notes").create({"note": str})

    @next_release("0.2.0 mistake")
    def _mistake(db: Database) -> None:
        raise ZeroDivisionError

    for _ in range(2):  # the second time, too
        with pytest.raises(ZeroDivisionError):
            SqliteStore(path)
        assert tables(path) == before


def test_a_newer_file_is_refused(path: Path, next_release: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    @next_release("0.3.0 notes")
    def _notes(db: Database) -> None:
        db.table("notes").create({"note": str})

    SqliteStore(path).close()
    monkeypatch.undo()
    for opened in (SqliteStore, SqliteRecords):
        with pytest.raises(OperatorError, match=r"made by saastracker 0\.3\.0.*pip install 'saastracker>=0\.3\.0'"):
            opened(path)


def tables(path: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


# --- Copies ---


def test_a_backup_beside_a_writer_is_one_state(path: Path) -> None:
    copy = path.with_name("copy.db")
    with contextlib.closing(SqliteStore(path)) as store:
        store.claim()
        store.append(Group([submission(*(event(properties=f'{{"n":"{"x" * 5000}"}}') for _ in range(2000)))]))
        steps = []

        def append(done: int, total: int) -> None:
            steps.append((done, total))
            store.append(Group([submission(event("during"))]))

        store.backup(copy, append)
        assert len(steps) > 1
        assert len(names(store)) == 2000 + len(steps)
    with contextlib.closing(SqliteStore(copy)) as copied:
        assert names(copied) == ["clicked"] * 2000


def test_a_backup_that_fails_leaves_no_file(path: Path) -> None:
    copy = path.with_name("copy.db")
    with contextlib.closing(SqliteStore(path)) as store:

        def fail(_done: int, _total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.backup(copy, fail)
        with pytest.raises(OperatorError, match="missing"):
            store.backup(path.parent / "missing" / "copy.db", fail)
    assert not copy.exists()


def test_refusals_that_were_counted_before_days_were_stay_in_the_total(path: Path) -> None:
    with (
        contextlib.closing(SqliteStore(path)),
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        connection.execute("DROP TABLE refusals")
        connection.execute(
            "CREATE TABLE refusals (project TEXT, reason TEXT, count INTEGER, PRIMARY KEY (project, reason))"
        )
        connection.execute("INSERT INTO refusals VALUES ('p', 'budget', 7)")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0.1.0 refusals by day'")
    with contextlib.closing(SqliteStore(path)) as store, store.reader() as reader:
        assert reader.refusals("p") == {"budget": 7}
        assert reader.refusals("p", 1, 30_000) == {}
