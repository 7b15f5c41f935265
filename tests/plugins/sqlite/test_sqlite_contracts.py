"""The SQLite stores keep what every store must keep."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from saastracker.contracts import Group, Store
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.testing.copying import CopyContract, CopyRecordsContract
from saastracker.testing.erasing import ErasingContract, at_once, silent
from saastracker.testing.opened import Factories, event, submission
from saastracker.testing.readers import ReaderContract
from saastracker.testing.record_stores import RecordStoreContract
from saastracker.testing.stores import StoreContract
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.store import SqliteStore


class Sqlite:
    @pytest.fixture
    def factories(self, tmp_path: Path) -> Factories:
        path = tmp_path / "saastracker.db"
        return lambda: SqliteRecords(path), lambda _: SqliteStore(path)


class TestStore(Sqlite, StoreContract):
    pass


class TestCopying(Sqlite, CopyContract):
    pass


class TestErasing(Sqlite, ErasingContract):
    def test_no_text_of_it_is_left(self, tmp_path: Path, store: Store) -> None:
        theirs = event("kept", user="bob@example.com", org="shared")
        mine = event("mine", user="ada@example.com", org="shared")
        store.append(Group([submission(mine), submission(theirs, project=OTHER_PROJECT)]))
        store.erase(PROJECT.id, at_once, silent)
        with closing(sqlite3.connect(tmp_path / "saastracker.db")) as database:
            texts = {text for (text,) in database.execute("SELECT text FROM texts")}
        assert texts == {"custom", "kept", "bob@example.com", "shared", "production"}


class TestReader(Sqlite, ReaderContract):
    pass


class TestRecords(Sqlite, RecordStoreContract):
    pass


class TestCopyingRecords(Sqlite, CopyRecordsContract):
    pass
