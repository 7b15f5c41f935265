"""The tables and functions, made and brought up to today's by whichever process comes first."""

from contextlib import closing
from importlib.resources import files
from typing import Any

import psycopg

from saastracker.errors import OperatorError
from saastracker.sql_copying import ANSWER_MS
from saastracker.sql_events import CODED, PLAIN
from saastracker_postgres.database import connect, operator_errors

VERSION = 2  # of the tables; a release that changes them adds a step to `_migrate`
LOCK = 0x5AA5  # of our advisory locks, whose second number says which
MIGRATING, CLAIMED, NUMBERING = 1, 2, 3

COLUMNS = ("sequence", "project", '"time"', "delay", *(f'"{name}"' for name in CODED), *PLAIN)

# Cells and chunks were packed in another way; the index is made again.
_CHANGES_OF_THE_INDEX = """TRUNCATE index_cells, index_chunks;
    ALTER TABLE index_actors ADD COLUMN changed bigint NOT NULL DEFAULT 0;
    ALTER TABLE index_aliases ADD COLUMN changed bigint NOT NULL DEFAULT 0;
    UPDATE index_state SET watermark = 0, version = '', changes = changes + 1;"""


def prepare(url: str) -> None:
    """Bring the database to today's tables, or make them. Raises OperatorError if a newer release made them."""
    with operator_errors(), closing(connect(url, lock_timeout="60s")) as connection, connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({LOCK}, {MIGRATING})")
        _migrate(connection)


def _migrate(connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS saastracker (version integer NOT NULL, release text NOT NULL)")
    row = connection.execute("SELECT version, release FROM saastracker").fetchone()
    version, release = row or (0, "")
    if version > VERSION:
        raise OperatorError(
            f"The database was made by saastracker {release}, which is newer than this one: "
            f"pip install 'saastracker>={release}', or set url in [plugin.postgres] to another database"
        )
    if version < 1:
        _run(
            connection,
            _text("tables.sql")
            .replace("{coded}", ", ".join(f'"{name}" integer NOT NULL' for name in CODED))
            .replace(
                "{texts}",
                ", ".join(f'(SELECT text FROM texts WHERE id = e."{name}") AS "{name}"' for name in CODED),
            ),
        )
        connection.execute("INSERT INTO saastracker VALUES (%s, %s)", (VERSION, "0.1.0"))
    elif version < VERSION:
        _run(connection, _CHANGES_OF_THE_INDEX)
        connection.execute("UPDATE saastracker SET version = %s, release = %s", (VERSION, "0.1.0"))
    _run(
        connection,
        _text("functions.sql")
        .replace("{answer_ms}", str(ANSWER_MS))
        .replace("{lock}", str(LOCK))
        .replace("{numbering}", str(NUMBERING)),
    )


def _text(name: str) -> str:
    return (files("saastracker_postgres") / name).read_text("utf-8")


def _run(connection: psycopg.Connection[Any], sql: str) -> None:
    connection.execute(sql.encode())
