"""A consistent copy of the database, as PostgreSQL's own pg_dump makes it."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from psycopg import conninfo

from saastracker.errors import OperatorError
from saastracker_postgres.database import connect, operator_errors

LOOK_SECONDS = 0.2
# Of the very state that is dumped.
_STATE = """SELECT pg_export_snapshot(), value, pg_database_size(current_database())
    FROM counters WHERE name = 'sequence'"""


def dump(url: str, target: Path, progress: Callable[[int, int], None]) -> int:
    """Write the database to a new file for pg_restore; the last number of an event in it.

    `progress(done, total)` counts bytes. Raises OperatorError.
    """
    program = shutil.which("pg_dump")
    if program is None:
        raise OperatorError("pg_dump is not installed: apt install postgresql-client, as new as the server")
    with operator_errors(), closing(connect(url)) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        [(snapshot, last, total)] = connection.execute(_STATE).fetchall()
        _dump(program, snapshot, url, target, total, progress)
    progress(total, total)
    return int(last)


def _dump(  # noqa: PLR0917
    program: str, snapshot: str, url: str, target: Path, total: int, progress: Callable[[int, int], None]
) -> None:
    parameters: dict[str, Any] = conninfo.conninfo_to_dict(url)
    password = parameters.pop("password", None)
    # On the command line others would read the password.
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    try:
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OperatorError(f"{target} already exists: name another file, or move that one away") from None
    except OSError as error:
        raise OperatorError(f"{target}: {error.strerror}; look at it with: ls -ld {target.parent}") from None
    try:
        with (
            os.fdopen(file, "wb") as output,
            subprocess.Popen(  # noqa: S603  # found above, and no shell
                [
                    program,
                    "--format=custom",
                    f"--snapshot={snapshot}",
                    f"--dbname={conninfo.make_conninfo(**parameters)}",
                ],
                stdout=output,
                stderr=subprocess.PIPE,
                env=environment,
                text=True,
            ) as process,
        ):
            while process.poll() is None:
                progress(min(target.stat().st_size, total - 1), total)
                time.sleep(LOOK_SECONDS)
            told = process.stderr.read() if process.stderr else ""
        if process.returncode:
            raise OperatorError(f"pg_dump failed: {told.strip().splitlines()[-1] if told.strip() else 'no message'}")
    except BaseException:
        target.unlink(missing_ok=True)
        raise
