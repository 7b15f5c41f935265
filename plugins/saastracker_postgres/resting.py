"""The database while no server runs: told of, and left to PostgreSQL's own tools to be restored."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from psycopg import conninfo, errors

from saastracker.errors import OperatorError
from saastracker.resting import DatabaseState
from saastracker_postgres.database import connect, operator_errors
from saastracker_postgres.schema import VERSION

_MADE = """SELECT t.version, t.release, pg_database_size(current_database()),
    (SELECT value FROM counters WHERE name = 'sequence'), (SELECT version FROM index_state) FROM saastracker t"""


class PostgresDatabase:
    """Implements `resting.Database`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def state(self) -> DatabaseState:
        place = _place(self._url)
        with operator_errors(), closing(connect(self._url)) as connection:
            try:
                [(version, release, size, events, index)] = connection.execute(_MADE).fetchall()
            except errors.UndefinedTable:
                return DatabaseState(place=place, exists=False, pending=(_tables(VERSION),))
        found = f"{release} {_tables(version)}"
        return DatabaseState(
            place=place,
            bytes=size,
            events=events,
            applied=(*(_tables(each) for each in range(1, version)), found),
            pending=tuple(_tables(each) for each in range(version + 1, VERSION + 1)),
            unknown=(found,) if version > VERSION else (),
            index=index,
        )

    @contextlib.contextmanager
    def restoring(self, path: Path, progress: Callable[[int, int], None]) -> Iterator[Path | None]:  # noqa: ARG002
        raise OperatorError(
            f"PostgreSQL is restored by its own tools. Stop all servers, make an empty database, then type: "
            f"pg_restore --no-owner --exit-on-error --dbname='{_place(self._url)}' {path} — and set "
            f"$SAASTRACKER_SECRET_KEY, or the file secret_key in each data folder, to what {path}.secret_key holds"
        )
        yield None


def _place(url: str) -> str:
    """The address without a password."""
    given = conninfo.conninfo_to_dict(url)
    user = f"{given['user']}@" if given.get("user") else ""
    port = f":{given['port']}" if given.get("port") else ""
    return f"postgresql://{user}{given.get('host') or ''}{port}/{given.get('dbname') or ''}"


def _tables(version: int) -> str:
    return f"tables {version}"
