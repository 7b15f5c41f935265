"""The tables, made and changed step by step, each step named after the release that brings it.

Only what changes a file imports this: sqlite-utils imports numpy, 13 MB that a server would keep.
"""

import contextlib
import sqlite3
from pathlib import Path

from sqlite_utils import Database, Migrations

from saastracker.sql_events import CODED, PLAIN
from saastracker_sqlite.backup import copy
from saastracker_sqlite.schema import MIGRATION_SET, applied, before_upgrade

migrations = Migrations(MIGRATION_SET)


@migrations(name="0.1.0 tables")
def _tables(db: Database) -> None:
    # Unique by `Dictionary`: an index on the texts is larger than the texts, and with a million of
    # them made an append take twice as long as this one on their hashes.
    db.table("texts").create({"id": int, "hash": int, "text": str}, pk="id", not_null={"hash", "text"})
    db.table("texts").create_index(["hash"])
    db.table("projects").create({"id": int, "project": str}, pk="id", not_null={"project"})
    db.table("projects").create_index(["project"], unique=True)
    # AUTOINCREMENT: the numbers of deleted rows are not given out again, or who follows the sequence misses events.
    # `delay` is how long after `time` the event arrived; 0, the usual value, takes no byte.
    # A REAL column keeps whole numbers as integers on disk.
    db.execute(
        f"""CREATE TABLE event_rows (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, "time" INTEGER NOT NULL,
            delay INTEGER NOT NULL, {", ".join(f'"{name}" INTEGER NOT NULL' for name in CODED)},
            value REAL, properties TEXT, traits TEXT, id BLOB)"""
    )
    # An index ends with the rowid: a project's events by arrival.
    db.table("event_rows").create_index(["project"])
    # Partial, so only events with an id of their own pay for it. A table of ids was written at most a
    # tenth faster, and whoever erases an event would have to erase there too.
    db.execute("CREATE UNIQUE INDEX event_rows_id ON event_rows (project, id) WHERE id IS NOT NULL")
    # Few events tell something about people and organizations, and who asks that wants all of a project's.
    db.execute("CREATE INDEX event_rows_traits ON event_rows (project) WHERE traits IS NOT NULL")
    db.create_view("events", _events_view())
    db.table("answers").create({"digest": bytes, "project": str, "status": int, "body": bytes, "at": int})
    db.table("answers").create_index(["digest"], unique=True)
    db.table("usage").create({"project": str, "month": str, "events": int}, pk=("project", "month"))
    db.table("refused").create(
        {"id": int, "project": str, "at": int, "reason": str, "detail": str, "path": str}, pk="id"
    )
    db.table("refused").create_index(["project"])
    db.table("refusals").create({"project": str, "reason": str, "count": int}, pk=("project", "reason"))
    db.table("records").create(
        {"kind": str, "id": str, "version": int, "name": str, "data": bytes}, pk=("kind", "id"), not_null={"data"}
    )
    db.table("records").create_index(["kind", "name"], unique=True)
    db.table("counters").create({"name": str, "value": int}, pk="name")
    db.table("counters").insert_all([{"name": "change", "value": 0}, {"name": "heartbeat", "value": 0}])


@migrations(name="0.1.0 index")
def _index(db: Database) -> None:
    """What `saastracker.index` keeps; all of it can be made again from `event_rows`."""
    key = "project INTEGER, namespace TEXT, day INTEGER, environment TEXT, key TEXT"
    for statement in (
        f"""CREATE TABLE index_cells ({key}, data BLOB NOT NULL,
            PRIMARY KEY (project, namespace, day, environment, key)) WITHOUT ROWID""",
        """CREATE TABLE index_days (project INTEGER, day INTEGER, low INTEGER NOT NULL, high INTEGER NOT NULL,
            PRIMARY KEY (project, day)) WITHOUT ROWID""",
        "CREATE TABLE index_dirty (project INTEGER, day INTEGER, PRIMARY KEY (project, day)) WITHOUT ROWID",
        """CREATE TABLE index_actors (id INTEGER PRIMARY KEY, project INTEGER NOT NULL, anonymous INTEGER NOT NULL,
            person INTEGER NOT NULL, org INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            UNIQUE (project, anonymous, person, org))""",
        """CREATE TABLE index_aliases (project INTEGER, anonymous INTEGER, user INTEGER NOT NULL,
            PRIMARY KEY (project, anonymous)) WITHOUT ROWID""",
        """CREATE TABLE index_chunks (project INTEGER, kind TEXT, day INTEGER, environment TEXT, key TEXT,
            number INTEGER, data BLOB NOT NULL,
            PRIMARY KEY (project, kind, day, environment, key, number)) WITHOUT ROWID""",
        """CREATE TABLE index_sessions (project INTEGER, session INTEGER, first INTEGER NOT NULL, last INTEGER NOT NULL,
            PRIMARY KEY (project, session)) WITHOUT ROWID""",
        "CREATE INDEX index_sessions_longer ON index_sessions (project) WHERE first < last",
        """CREATE TABLE index_units (project INTEGER, namespace TEXT, unit TEXT, version TEXT NOT NULL,
            watermark INTEGER NOT NULL, PRIMARY KEY (project, namespace, unit)) WITHOUT ROWID""",
        """CREATE TABLE index_seen (project INTEGER, namespace TEXT, key TEXT, first INTEGER NOT NULL,
            last INTEGER NOT NULL, first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
            PRIMARY KEY (project, namespace, key)) WITHOUT ROWID""",
        "CREATE TABLE index_state (watermark INTEGER NOT NULL, version TEXT NOT NULL, changes INTEGER NOT NULL)",
        "INSERT INTO index_state VALUES (0, '', 0)",
    ):
        db.execute(statement)


@migrations(name="0.1.0 zones of the index")
def _zones(db: Database) -> None:
    db.execute("CREATE TABLE index_zones (project INTEGER PRIMARY KEY, zone TEXT NOT NULL)")


@migrations(name="0.1.0 open days of the index")
def _open_days(db: Database) -> None:
    """Those that `saastracker.settling` has not put together."""
    db.execute("CREATE TABLE index_open (project INTEGER, day INTEGER, PRIMARY KEY (project, day)) WITHOUT ROWID")
    db.execute("INSERT INTO index_open SELECT project, day FROM index_days")


@migrations(name="0.1.0 smaller index")
def _smaller(db: Database) -> None:
    """Empty tables: the index, whose version is another one now, is made again."""
    for statement in (
        "DROP TABLE index_cells",
        # What a namespace counts in one environment, so that the many cells need not name both.
        """CREATE TABLE index_series (id INTEGER PRIMARY KEY, project INTEGER NOT NULL, namespace TEXT NOT NULL,
            environment TEXT NOT NULL, UNIQUE (project, namespace, environment))""",
        """CREATE TABLE index_cells (project INTEGER, series INTEGER, day INTEGER, key TEXT, data BLOB NOT NULL,
            PRIMARY KEY (project, series, day, key)) WITHOUT ROWID""",
        "DROP TABLE index_sessions",
        # Bitmaps, with their lowest and highest member.
        """CREATE TABLE index_day_sessions (project INTEGER, day INTEGER, low INTEGER NOT NULL, high INTEGER NOT NULL,
            sessions BLOB NOT NULL, PRIMARY KEY (project, day)) WITHOUT ROWID""",
        # Only those of several days.
        """CREATE TABLE index_sessions (project INTEGER, session INTEGER, first INTEGER NOT NULL, last INTEGER NOT NULL,
            PRIMARY KEY (project, session)) WITHOUT ROWID""",
        "UPDATE index_state SET version = '', changes = changes + 1",
    ):
        db.execute(statement)


@migrations(name="0.1.0 refusals by day")
def _refusals_by_day(db: Database) -> None:
    """What was counted before has the day 0."""
    for statement in (
        "ALTER TABLE refusals RENAME TO refusals_before",
        """CREATE TABLE refusals (project TEXT, day INTEGER, reason TEXT, count INTEGER NOT NULL,
            PRIMARY KEY (project, day, reason)) WITHOUT ROWID""",
        "INSERT INTO refusals SELECT project, 0, reason, count FROM refusals_before",
        "DROP TABLE refusals_before",
    ):
        db.execute(statement)


@migrations(name="0.1.0 changes of the index")
def _changes(db: Database) -> None:
    """By which readers that remember all actors and aliases read those that are new; the index is made again.

    Until then nothing is left of it that was packed in another way.
    """
    for statement in (
        "DELETE FROM index_cells",
        "DELETE FROM index_chunks",
        "ALTER TABLE index_actors ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE index_aliases ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
        "UPDATE index_state SET watermark = 0, version = '', changes = changes + 1",
    ):
        db.execute(statement)


def _events_view() -> str:
    """The rows with their texts: subqueries, so that a column nobody asks for costs nothing.

    The project is joined instead, so that `project = :project` finds the index; a LEFT JOIN, which
    SQLite leaves out where no project is asked for.
    """
    texts = ", ".join(f'(SELECT text FROM texts WHERE id = e."{name}") AS "{name}"' for name in CODED)
    plain = ", ".join(f"e.{name}" for name in PLAIN)
    return f"""SELECT e.sequence, p.project, e."time", e."time" + e.delay AS received_at, {texts}, {plain}
        FROM event_rows e LEFT JOIN projects p ON p.id = e.project"""


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply what is missing: all of it or nothing, after a copy of a file that holds something."""
    db = Database(connection, execute_plugins=False)
    done = applied(connection)
    if done:
        before = before_upgrade(path, done)
        before.unlink(missing_ok=True)  # of a migration that failed
        copy(path, before, lambda _done, _total: None)
    else:
        db.conn.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only before the first table
        db.conn.execute("PRAGMA journal_mode = WAL")
    db.conn.execute("BEGIN IMMEDIATE")  # all migrations or none
    try:
        migrations.apply(db)
        db.conn.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.conn.execute("ROLLBACK")
        raise
