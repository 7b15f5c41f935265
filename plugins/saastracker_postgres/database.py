"""Connections to the database, and what its failures mean."""

import contextlib
import os
import select
import socket
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import conninfo, errors
from psycopg.adapt import Dumper
from psycopg.types.numeric import NumericBinaryLoader, NumericLoader

from saastracker.errors import OperatorError, Unavailable

CONNECT_SECONDS = 5
SILENT_MS = 10_000  # after which a connection over which nothing comes back is given up
HINT = "check url in [plugin.postgres], and that the database is there: psql URL"
WRONG = (
    "the address is none: write it as postgresql://USER:PASSWORD@HOST/DATABASE, with %40 for @, %25 for % and the like "
    "in the password"
)

# Of the server's answers, those that blame what was sent; all else is wrong around the data.
_OF_DATA = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.NotSupportedError)


class _Number(NumericLoader):
    """Sums as numbers of Python."""

    def load(self, data: Any) -> Any:
        return _plain(super().load(data))


class _BinaryNumber(NumericBinaryLoader):
    def load(self, data: Any) -> Any:
        return _plain(super().load(data))


class _Bool(Dumper):
    """Truth as a number, as all stores keep it."""

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"

    def quote(self, obj: bool) -> bytes:
        return self.dump(obj)


def _plain(number: Decimal) -> int | float:
    exponent = number.as_tuple().exponent
    return int(number) if isinstance(exponent, int) and exponent >= 0 else float(number)


def connect(url: str, **settings: str | int) -> psycopg.Connection[Any]:
    """A connection on which every statement is a transaction unless one is begun; values are put into the SQL here.

    `settings` are the server's own for the session. Raises psycopg.Error.
    """
    connection = psycopg.connect(
        _address(url, settings), autocommit=True, cursor_factory=psycopg.ClientCursor, prepare_threshold=None
    )
    connection.adapters.register_loader("numeric", _Number)
    connection.adapters.register_loader("numeric", _BinaryNumber)
    connection.adapters.register_dumper(bool, _Bool)
    return connection


def fetch(connection: psycopg.Connection[Any], sql: str, values: Any = None) -> list[tuple[Any, ...]]:
    """The rows of a statement, sent as bytes, which cursors that put values into the SQL cannot; none if none."""
    text = psycopg.ClientCursor(connection).mogrify(sql, values) if values is not None else sql
    with psycopg.Cursor(connection) as cursor:
        cursor.execute(text.encode(), binary=True, prepare=False)
        return cursor.fetchall() if cursor.description else []


def _address(url: str, settings: dict[str, Any]) -> str:
    try:
        given: dict[str, Any] = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # whose text repeats the password
        raise psycopg.ProgrammingError(WRONG) from None
    if "@" in (given.get("host") or "")[1:]:  # behind the end of a password
        raise psycopg.ProgrammingError(WRONG)
    of_session = {"client_encoding": "utf8", "standard_conforming_strings": "on", "timezone": "UTC", **settings}
    options = " ".join(f"-c {name}={value}" for name, value in of_session.items())
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": SILENT_MS,
        "application_name": f"saastracker {os.getpid()} on {socket.gethostname()}"[:63],
    }
    return conninfo.make_conninfo(**{**defaults, **given, "options": f"{given.get('options') or ''} {options}"})


def alive(connection: psycopg.Connection[Any]) -> bool:
    """Whether an idle connection can still be used: one that its server closed has its end to read."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Raise Unavailable for what is wrong around the database; what is wrong with the data passes through."""
    try:
        yield
    except _OF_DATA:
        raise
    except psycopg.Error as error:
        raise Unavailable(f"{reason(error)}; nothing was stored.") from error


def reason(error: psycopg.Error) -> str:
    """Why the database does nothing, without a secret."""
    if isinstance(error, errors.DiskFull):
        return "The disk of the database is full"
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return "The database is read-only"
    if error.sqlstate is None:
        return "The database cannot be reached"
    text = str(error).strip().splitlines()
    return f"The database fails ({text[0] if text else type(error).__name__})"


@contextlib.contextmanager
def operator_errors() -> Iterator[None]:
    """Raise OperatorError for a database that cannot be used at the start."""
    try:
        yield
    except psycopg.Error as error:
        text = str(error).strip().splitlines()
        raise OperatorError(f"PostgreSQL: {text[-1] if text else type(error).__name__}; {HINT}") from None
