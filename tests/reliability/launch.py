"""The server with one thing made worse, to show that the tests here can fail, and to fail sooner.

python tests/reliability/launch.py WEAKNESS ARGUMENTS_OF_SAASTRACKER
"""

import asyncio
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from saastracker import bodies, server
from saastracker.cli import main
from saastracker.contracts import Group
from saastracker.web import pages
from saastracker.writer import Writer
from saastracker_sqlite import append, database
from saastracker_sqlite.store import SqliteStore

SLOW_SECONDS = 0.05


def early_answer() -> None:
    """Answer before the commit."""
    submit = Writer.submit

    def answered(self: Writer, *arguments: Any) -> "asyncio.Future[None]":
        committed = asyncio.ensure_future(submit(self, *arguments))
        committed.add_done_callback(lambda future: future.cancelled() or future.exception())
        now = asyncio.get_running_loop().create_future()
        now.set_result(None)
        return now

    Writer.submit = answered  # type: ignore[assignment,method-assign]


def lazy_sync() -> None:
    """Leave it to the system when commits reach the disk."""
    connect = database.connect

    def connected(path: Path, **options: Any) -> sqlite3.Connection:
        connection = connect(path, **options)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    setattr(append, "connect", connected)  # noqa: B010  # where it was imported to


def slow_disk() -> None:
    """Every commit takes 50 ms more."""
    commit = SqliteStore.append

    def appended(self: SqliteStore, group: Group) -> Mapping[tuple[str, str], int]:
        time.sleep(SLOW_SECONDS)
        return commit(self, group)

    SqliteStore.append = appended  # type: ignore[method-assign]


def stuck_store() -> None:
    """The store takes events and never comes back, and a stop is shorter."""
    commit = SqliteStore.append

    def appended(self: SqliteStore, group: Group) -> Mapping[tuple[str, str], int]:
        if group.submissions:
            threading.Event().wait()
        return commit(self, group)

    SqliteStore.append = appended  # type: ignore[method-assign]
    server.STOP_SECONDS = 1
    server.END_SECONDS = 2.0


def impatient() -> None:
    """Time limits that a test can wait for."""
    server.HEAD_SECONDS = 1.0
    server.STOP_SECONDS = 1
    bodies.READ_SECONDS = 1.0
    database.BUSY_SECONDS = 0.3


def broken_pages() -> None:
    """Every report's page fails."""

    def fails(*_: Any) -> None:
        raise RuntimeError("no page today")

    setattr(pages, "layout", fails)  # noqa: B010  # where it was imported to


WEAKNESSES = {
    each.__name__: each for each in (early_answer, lazy_sync, slow_disk, stuck_store, impatient, broken_pages)
}


def launching(weakness: str) -> list[str]:
    """The command that stands for `saastracker`."""
    return [sys.executable, __file__, weakness]


if __name__ == "__main__":
    WEAKNESSES[sys.argv.pop(1)]()
    main()
