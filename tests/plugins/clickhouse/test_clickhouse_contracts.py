"""The ClickHouse store keeps what every store must keep, on the engine itself, within this process."""

from pathlib import Path

import pytest

from saastracker.contracts import RecordStore, Store
from saastracker.testing.copying import CopyContract
from saastracker.testing.erasing import ErasingContract
from saastracker.testing.opened import Factories
from saastracker.testing.readers import ReaderContract
from saastracker.testing.stores import StoreContract
from saastracker_sqlite.records import SqliteRecords


class ClickHouse:
    @pytest.fixture
    def factories(self, tmp_path: Path, url: str) -> Factories:
        from saastracker_clickhouse.rows import ClickHouseRows

        def open_store(records: RecordStore) -> Store:
            return records.store(ClickHouseRows(url))

        return lambda: SqliteRecords(tmp_path / "facts.db"), open_store


class TestStore(ClickHouse, StoreContract):
    pass


class TestCopying(ClickHouse, CopyContract):
    pass


class TestErasing(ClickHouse, ErasingContract):
    pass


class TestReader(ClickHouse, ReaderContract):
    pass
