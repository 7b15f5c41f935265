"""Every report says the same of the same events, whether SQLite or PostgreSQL keeps them."""

import pytest

from saastracker_postgres.store import PostgresStore
from tests.postgres import Postgres
from tests.same_reports import OpenOther, SameReports


class TestSameReports(SameReports):
    @pytest.fixture(scope="class")
    @classmethod
    def open_other(cls, postgres: Postgres) -> OpenOther:
        return lambda _folder, _installation: PostgresStore(postgres.database())
