"""The PostgreSQL stores keep what every store must keep."""

import pytest

from saastracker.testing.copying import CopyContract, CopyRecordsContract
from saastracker.testing.erasing import ErasingContract
from saastracker.testing.opened import Factories
from saastracker.testing.readers import ReaderContract
from saastracker.testing.record_stores import RecordStoreContract
from saastracker.testing.stores import StoreContract
from saastracker_postgres.records import PostgresRecords
from saastracker_postgres.store import PostgresStore
from tests.postgres import Postgres


class InPostgres:
    @pytest.fixture
    def factories(self, postgres: Postgres) -> Factories:
        url = postgres.database()
        return lambda: PostgresRecords(url), lambda _: PostgresStore(url)


class TestStore(InPostgres, StoreContract):
    pass


class TestCopying(InPostgres, CopyContract):
    pass


class TestErasing(InPostgres, ErasingContract):
    pass


class TestReader(InPostgres, ReaderContract):
    pass


class TestRecords(InPostgres, RecordStoreContract):
    pass


class TestCopyingRecords(InPostgres, CopyRecordsContract):
    pass
