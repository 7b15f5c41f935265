"""Events are in a partition for the month of their time, as far as that is one that can be."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from saastracker.contracts import Group
from saastracker.testing import PROJECT
from saastracker.testing.erasing import at_once
from saastracker.testing.opened import event, submission
from saastracker_postgres.store import PostgresStore
from tests.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(url)) as store:
        yield store


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


def partitions(url: str) -> dict[str, list[str]]:
    """The names of the events of each."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(url) as connection:
        for name, of_event in connection.execute(
            """SELECT c.relname, t.text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            LEFT JOIN event_rows e ON e.tableoid = c.oid LEFT JOIN texts t ON t.id = e.name
            WHERE i.inhparent = 'event_rows'::regclass ORDER BY 1, 2"""
        ):
            found.setdefault(name, []).extend([of_event] if of_event else [])
    return found


def test_months_have_partitions_and_emptied_ones_go(url: str, store: PostgresStore) -> None:
    sent = [
        event("end", time=ms(2026, 3, 1) - 1),
        event("begin", time=ms(2026, 3, 1)),
        event("december", time=ms(2025, 12, 31)),
        event("long ago", time=0),
        event("far ahead", time=ms(2199, 1, 1)),
    ]
    store.append(Group([submission(*sent)]))
    assert partitions(url) == {
        "event_rows_2025_12": ["december"],
        "event_rows_2026_02": ["end"],
        "event_rows_2026_03": ["begin"],
        "event_rows_default": ["far ahead", "long ago"],
    }
    store.erase_events(PROJECT.id, [sent[0].sequence, sent[2].sequence])
    store.tidy(at_once, lambda: False)
    assert [*partitions(url)] == ["event_rows_2026_03", "event_rows_default"]
    store.append(Group([submission(event("again", time=ms(2026, 2, 28)))]))  # its partition was there a moment ago
    assert partitions(url)["event_rows_default"] == ["again", "far ahead", "long ago"]
