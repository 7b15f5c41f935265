"""Databases that earlier schemas made, as they were dumped then, become today's with all that is in them.

`schemas/N.sql` is of the code that had the first N migrations. A new migration comes with a dump of the
schema before it: `sqlite3 saastracker.db .dump` of a database with the same events.
"""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import msgspec
import pytest

from saastracker.definition import Definition
from saastracker.definitions import Definitions
from saastracker.event import Event
from saastracker.facts import Facts
from saastracker.index import VERSION
from saastracker.indexer import Indexer
from saastracker.months import month_of
from saastracker.secrets import Secrets
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.resting import SqliteDatabase
from saastracker_sqlite.schema import MIGRATIONS
from saastracker_sqlite.store import SqliteStore
from tests.index import slow_index
from tests.indexed import at

pytestmark = pytest.mark.usefixtures("migrated_databases")

SCHEMAS = Path(__file__).parent / "schemas"
FIRST = 3  # the first that was ever run elsewhere than where it was written
ZONE = "Europe/Berlin"
EVENTS = [
    ("open", "custom", "2026-03-01 10:00:00", "ada", "phone", "acme", "s1", "/start"),
    ("page_view", "pageview", "2026-03-01 10:00:05", "ada", None, "acme", "s1", "/next"),
    ("landed", "pageview", "2026-03-01 23:59:30", None, "phone", None, "s2", "/start"),
    ("landed", "pageview", "2026-03-02 00:00:30", None, "phone", None, "s2", "/next"),
    ("save", "custom", "2026-03-02 09:00:00", "bob", None, "bolt", "s3", None),
    ("save", "custom", "2026-03-05 09:00:00", "bob", None, "bolt", "s4", None),
    ("$error", "error", "2026-03-05 09:00:01", "bob", None, "bolt", "s4", None),
    ("nobody", "custom", "2026-03-05 09:30:00", None, None, None, None, None),
]


class Flag(msgspec.Struct, frozen=True):
    name: str


def make(folder: Path, number: int) -> Path:
    """The database of a schema, with the key to its secrets."""
    path = folder / "saastracker.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript((SCHEMAS / f"{number}.sql").read_text())
        connection.execute("PRAGMA journal_mode = WAL")
    shutil.copy(SCHEMAS / "secret_key", folder / "secret_key")
    return path


def test_each_schema_but_the_first_is_kept() -> None:
    known = {int(path.stem) for path in SCHEMAS.glob("*.sql")}
    assert known >= set(range(FIRST, len(MIGRATIONS)))


@pytest.mark.parametrize("number", sorted(int(path.stem) for path in SCHEMAS.glob("*.sql")))
def test_an_earlier_schema_becomes_todays(tmp_path: Path, number: int) -> None:
    path = make(tmp_path, number)
    before = SqliteDatabase(path).state()
    assert (before.applied, before.pending) == (MIGRATIONS[:number], MIGRATIONS[number:])
    assert before.events == len(EVENTS)
    with contextlib.closing(SqliteRecords(path)) as records, contextlib.closing(SqliteStore(path)) as store:
        store.claim()
        after = SqliteDatabase(path).state()
        assert (after.applied, after.pending, after.unknown) == (MIGRATIONS, (), ())
        assert Path(before.copy).exists() == bool(before.pending)
        facts = Facts(records, Secrets.open(tmp_path))  # which decrypts all secrets
        shop = facts.snapshot.projects_by_slug["shop"]
        assert (shop.timezone, shop.origins, shop.keep_days) == (ZONE, ("app.example.com",), None)
        assert len([key for key in facts.snapshot.keys.values() if key.project == shop.id]) == 4
        flag = Definition(kind="flag", title="Flags", struct=Flag)
        assert [each.value for each in Definitions(records, {"flag": flag}).of(shop.id, "flag")] == [Flag("Kept")]
        found = [event for _, event in store.read_after(0, 100)]
        assert [_told(event) for event in found] == EVENTS
        assert [event.value for event in found if event.value] == [2.5, -1]
        assert found[0].properties == '{"plan":"pro","seats":12}'
        assert records.usage(month_of(found[0].received_at)) == {shop.id: len(EVENTS)}
        indexer = Indexer(store.index, lambda: {shop.id: ZONE}, lambda work: work())
        indexer.begin()
        while any(indexer.step()):
            pass
        assert SqliteDatabase(path).state().index == VERSION
        plain = [msgspec.structs.replace(event, properties=None) for event in found]  # it looks for tags in them
        with store.reader() as reader:
            assert slow_index.read(reader, shop.id, ZONE) == slow_index.counted(plain, ZONE, (), False, 10_000)
            assert reader.refusals(shop.id) == {}


def _told(event: Event) -> tuple[object, ...]:
    ms = event.time or 0
    text = next(each[2] for each in EVENTS if at(each[2]) == ms)
    return event.name, event.type, text, event.user, event.anonymous, event.org, event.session, event.path
