"""What the database holds, and that a file which an older release made becomes today's."""

import contextlib
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from saastracker.errors import OperatorError
from saastracker_sqlite.database import Lock, connect, create_file, operator_errors

MIGRATION_SET = "saastracker_sqlite"
# In this order; `migrations` says what each does.
MIGRATIONS = (
    *("0.1.0 tables", "0.1.0 index", "0.1.0 zones of the index", "0.1.0 open days of the index"),
    *("0.1.0 smaller index", "0.1.0 refusals by day", "0.1.0 changes of the index"),
)
MIGRATION_SECONDS = 60.0  # how long a process waits while another one migrates


def prepare(path: Path) -> None:
    """Bring the file to today's tables, or make it. Raises OperatorError if a newer release made it."""
    with operator_errors(path):
        with contextlib.suppress(FileExistsError):
            create_file(path)
        with contextlib.closing(connect(path)) as connection:
            if not _pending(connection, path):
                return
            lock = Lock(path)
            lock.acquire(MIGRATION_SECONDS)
            try:
                if _pending(connection, path):  # still: another process may just have done it
                    with _without_pandas():
                        from saastracker_sqlite.migrations import migrate  # noqa: PLC0415  # its first lines say why

                    migrate(connection, path)
            finally:
                lock.release()


@contextlib.contextmanager
def _without_pandas() -> Iterator[None]:
    """Where pandas is installed, sqlite-utils imports it: 0.4 s and 70 MB for what nothing here uses."""
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]  # as Python has it, for one that is not to be found
    try:
        yield
    finally:
        sys.modules.pop("pandas", None)


def _pending(connection: sqlite3.Connection, path: Path) -> bool:
    done = applied(connection)
    check_known(path, done)
    if not done and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        raise OperatorError(f"{path} is a database of something else: name another file")
    return len(done) < len(MIGRATIONS)


def applied(connection: sqlite3.Connection) -> list[str]:
    """The migrations that made the tables, oldest first; none of a new file."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_sqlite_migrations'").fetchone():
        return []
    rows = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (MIGRATION_SET,)
    )
    return [name for (name,) in rows]


def check_known(path: Path, done: Sequence[str]) -> None:
    """Raises OperatorError for a file that a newer release made."""
    newer = [name for name in done if name not in MIGRATIONS]
    if newer:
        release = newer[-1].split()[0]
        raise OperatorError(
            f"{path} was made by saastracker {release}, which is newer than this one: "
            f"pip install 'saastracker>={release}', or set path in [plugin.sqlite] to another file"
        )


def before_upgrade(path: Path, done: Sequence[str]) -> Path:
    """Where the copy is kept that is made of a file before it is migrated."""
    return path.with_name(f"{path.name}.{done[-1].split()[0]}")
