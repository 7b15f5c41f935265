"""The database file: connections to it, the lock of its one writer, and what its failures mean."""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from saastracker.errors import OperatorError, Unavailable

BUSY_SECONDS = 5.0  # how long a write waits for another connection's
CHECKPOINT_PAGES = 4000  # of 4 KiB: after how much WAL a commit copies it into the database
WAL_MAX = 64 * 1024 * 1024  # bytes; the WAL file is cut to this when it starts again
MMAP_BYTES = 2**31 - 2**16  # of the file that a reader sees without copying: the most that SQLite maps

_FAILURES = {
    sqlite3.SQLITE_FULL: "The disk is full; nothing was stored.",
    sqlite3.SQLITE_BUSY: "Another process keeps the database locked; nothing was stored.",
    sqlite3.SQLITE_LOCKED: "Another process keeps the database locked; nothing was stored.",
    sqlite3.SQLITE_READONLY: "The database file is read-only; nothing was stored.",
    sqlite3.SQLITE_IOERR: "The disk fails to read or write; nothing was stored.",
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened; nothing was stored.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged, restore a backup; nothing was stored.",
    sqlite3.SQLITE_NOTADB: "The database file is damaged, restore a backup; nothing was stored.",
}
_OF_DATA = {sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Raise Unavailable for what is wrong around the database; what is wrong with the data passes through."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISMATCH)  # no code: a value that cannot be bound
        kind = code & 0xFF  # the other bits are the details
        if kind in _OF_DATA:
            raise
        raise Unavailable(_FAILURES.get(kind, f"The database fails ({error}); nothing was stored.")) from error


def connect(path: Path, *, cache_mb: int = 2) -> sqlite3.Connection:
    """A connection that writes. Transactions are begun and ended by hand."""
    return _open(
        path,
        "rw",
        f"cache_size = -{cache_mb * 1024}",
        "synchronous = FULL",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        f"journal_size_limit = {WAL_MAX}",
        "secure_delete = ON",  # erased means overwritten, whatever SQLite was built with
    )


def connect_readonly(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    return _open(path, "ro", "cache_size = -4096", f"mmap_size = {MMAP_BYTES}")


def _open(path: Path, mode: str, *pragmas: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,  # `bulk` has one for each number of rows
    )
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """One on a connection of its own."""
    with contextlib.closing(connect(path)) as connection:  # which rolls back what is not committed
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def begin_read(connection: sqlite3.Connection) -> None:
    """Begin a transaction that sees the database as it is now, whatever others write until it ends."""
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_schema").fetchone()  # BEGIN alone does not choose the state


def truncate_wal(connection: sqlite3.Connection, wait_ms: int) -> None:
    """Copy the WAL into the database and empty it, unless readers of older states take longer than `wait_ms`."""
    connection.execute(f"PRAGMA busy_timeout = {wait_ms}")
    # What is committed is safe in the WAL: a failure here is not one of the last group's.
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")


def beat(connection: sqlite3.Connection) -> None:
    """Write something tiny."""
    connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'heartbeat'")


class Lock:
    """`<database>.lock`, held by the one process that writes events; the system lets go of it when that dies."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(f"{database.name}.lock")
        self._file: int | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def acquire(self, seconds: float = 0.0) -> None:
        """Raises OperatorError naming the process that holds it, after waiting `seconds` for that."""
        if self.held:
            return
        with operator_errors(self._path):
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() < end:
                    time.sleep(0.05)
                    continue
                pid = os.read(file, 20).decode()
                os.close(file)
                raise OperatorError(
                    f"Process {pid} already writes to {self._database}: stop it (kill {pid}), "
                    "or start this one on another folder (--data DIR)"
                ) from None
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextlib.contextmanager
def operator_errors(path: Path) -> Iterator[None]:
    """Raise OperatorError for a file that cannot be made, opened or used."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OperatorError(f"{path}: {reason}; look at it with: ls -ld {path.parent} {path}") from error


def create_file(path: Path) -> None:
    """An empty file that only its owner reads and writes. Raises FileExistsError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
