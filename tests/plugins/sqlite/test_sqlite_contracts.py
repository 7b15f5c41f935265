"""The SQLite stores keep what every store must keep."""

from pathlib import Path

import pytest

from saastracker.testing.opened import Factories
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


class TestReader(Sqlite, ReaderContract):
    pass


class TestRecords(Sqlite, RecordStoreContract):
    pass
