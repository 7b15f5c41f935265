"""The database file while nothing has it open: told of, and replaced by a backup."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from saastracker.errors import OperatorError
from saastracker.resting import DatabaseState
from saastracker_sqlite.backup import copy
from saastracker_sqlite.database import Lock, connect, connect_readonly, operator_errors, truncate_wal
from saastracker_sqlite.schema import MIGRATIONS, applied, before_upgrade, check_known

TICK_STEPS = 1_000_000  # of SQLite's virtual machine, between two signs of life


class SqliteDatabase:
    """Implements `resting.Database`."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def state(self) -> DatabaseState:
        if not self._path.exists():
            return DatabaseState(place=str(self._path), exists=False, pending=MIGRATIONS)
        with operator_errors(self._path), contextlib.closing(connect_readonly(self._path)) as connection:
            done = applied(connection)
            return DatabaseState(
                place=str(self._path),
                bytes=self._path.stat().st_size,
                events=_number(connection, "SELECT COUNT(*) FROM event_rows") if done else 0,
                applied=tuple(done),
                pending=tuple(name for name in MIGRATIONS if name not in done),
                unknown=tuple(name for name in done if name not in MIGRATIONS),
                index=_index(connection),
                copy=str(before_upgrade(self._path, done)) if done else "",
            )

    @contextlib.contextmanager
    def restoring(self, path: Path, progress: Callable[[int, int], None]) -> Iterator[Path | None]:
        source = path.resolve()
        if not source.is_file():
            raise OperatorError(f"There is no file {path}")
        if source == self._path:
            raise OperatorError(f"{path} is the database itself; name a backup of it")
        lock = Lock(self._path)
        lock.acquire()
        new = self._path.with_name(f"{self._path.name}.restoring")
        made = [each for each in _beside(source) if not each.exists()]  # by SQLite, while it reads
        try:
            new.unlink(missing_ok=True)  # of a restoring that was killed
            _check_backup(source)
            copy(source, new, progress)
            _check_whole(source, new, progress)
            aside = _move_aside(self._path)
            new.rename(self._path)
        finally:
            for left in (new, *_beside(new), *made):
                left.unlink(missing_ok=True)
            lock.release()
        try:
            yield aside
        except BaseException:
            for left in _beside(self._path):
                left.unlink(missing_ok=True)
            self._path.unlink()
            if aside is not None:
                _rename(aside, self._path)
            raise


def _check_backup(path: Path) -> None:
    """Raises OperatorError for a file of something else, or of a newer release."""
    try:
        # Not to be written to, not even a WAL beside it: a backup may lie on a disk that is read-only.
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
            done = applied(connection)
    except sqlite3.DatabaseError as error:
        raise OperatorError(f"{path} is no database of saastracker: {error}") from None
    if not done:
        raise OperatorError(f"{path} is no database of saastracker")
    check_known(path, done)


def _check_whole(source: Path, new: Path, progress: Callable[[int, int], None]) -> None:
    """Raises OperatorError unless every page of the copy is sound."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        progress(ticks, ticks + 1)

    with operator_errors(new), contextlib.closing(connect(new)) as connection:
        connection.set_progress_handler(tick, TICK_STEPS)
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        connection.set_progress_handler(None, 0)
        if found != "ok":
            raise OperatorError(f"{source} is damaged ({found}); take another backup")
        truncate_wal(connection, wait_ms=0)


def _move_aside(path: Path) -> Path | None:
    """The database under another name, with what is beside it."""
    if not path.exists():
        return None
    with contextlib.suppress(sqlite3.Error), contextlib.closing(connect(path)) as connection:
        truncate_wal(connection, wait_ms=0)  # a damaged one goes aside as it is
    aside = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    _rename(path, aside)
    return aside


def _rename(path: Path, to: Path) -> None:
    for old, new in zip((path, *_beside(path)), (to, *_beside(to)), strict=True):
        if old.exists():
            old.rename(new)
    folder = os.open(to.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _index(connection: sqlite3.Connection) -> str:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'index_state'").fetchone():
        return ""
    return str(connection.execute("SELECT version FROM index_state").fetchone()[0])


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])
