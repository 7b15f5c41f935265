"""A report that nobody waits for any more ends in the database, too."""

import threading
import time
from contextlib import closing

import psycopg
import pytest

from saastracker.errors import TimeLimit
from saastracker_postgres.store import PostgresStore
from tests.postgres import Postgres


def test_a_cancelled_query_ends_in_the_database(postgres: Postgres) -> None:
    url = postgres.database()
    gone = threading.Event()
    with closing(PostgresStore(url)) as store, psycopg.connect(url, autocommit=True) as other:
        threading.Timer(0.3, gone.set).start()
        with pytest.raises(TimeLimit), store.reader(60, gone.is_set) as reader:
            reader.query("SELECT COUNT(*) FROM generate_series(1, 1000000000)")
        deadline = time.monotonic() + 5
        while other.execute(
            """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
            AND query LIKE 'SELECT COUNT(*) FROM gen%'"""
        ).fetchone():
            assert time.monotonic() < deadline
        with store.reader() as reader:
            assert reader.query("SELECT 1") == [(1,)]
