"""Connections to ClickHouse, each used by one thread at a time, and what its failures mean."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, Error
from urllib3.exceptions import HTTPError

from saastracker.errors import OperatorError, TimeLimit, Unavailable

# They warn of every try, with addresses and their queries; who asked is told, and tells it once.
for _noisy in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(_noisy).setLevel(logging.ERROR)

READERS_MAX = 4  # queries of reports at a time; those beyond wait
LOOK_SECONDS = 0.1  # between two looks at whether a query is still wanted
CONNECT_SECONDS = 10
SEND_SECONDS = 60  # for an answer of the server
STORE_SECONDS = 20  # for one to what storing a group asks, for which others wait
ERASE_SECONDS = 3600  # for one to a deletion

_ENDED = {159, 160, 394}  # TIMEOUT_EXCEEDED, TOO_SLOW, QUERY_WAS_CANCELLED
_MEMORY = 241  # MEMORY_LIMIT_EXCEEDED
# Words of settings: an empty aggregate, a division and a name mean what they mean in SQLite and PostgreSQL.
_AS_ELSEWHERE = {
    "aggregate_functions_null_for_empty": 1,
    "join_use_nulls": 1,
    "prefer_column_name_to_alias": 1,
    "union_default_mode": "DISTINCT",
    "max_query_size": 16 * 1024 * 1024,
}


class Clients:
    """Connections to one server or embedded engine, kept open between uses."""

    def __init__(self, url: str) -> None:
        """Raises OperatorError for an address that is none."""
        self._options, self.shown = _options(url)
        self._idle: dict[int, list[Client]] = {}  # by how long they wait
        self._slots = threading.BoundedSemaphore(READERS_MAX)
        self._closed = False

    def unusable(self, error: Exception) -> str:
        """What to tell an operator of a first connection that fails."""
        if self._options["interface"] == "chdb":
            return (
                f"The ClickHouse engine at {self.shown} cannot be opened: it takes one process at a time, so stop the "
                "server first, or run ClickHouse as a server and set plugin.clickhouse.url to its http:// address"
            )
        reason = str(error).partition(";")[0]
        return f"{reason}; see whether it runs at {self.shown}, and look at user and password in plugin.clickhouse.url"

    @contextlib.contextmanager
    def client(self, seconds: int | None = None) -> Iterator[Client]:
        """A connection that waits so long for an answer, SEND_SECONDS unless told; failures raise Unavailable."""
        seconds = seconds or SEND_SECONDS
        idle = self._idle.setdefault(seconds, [])
        with failures():
            try:
                client = idle.pop()
            except IndexError:
                client = self._open(seconds)
            try:
                yield client
            except BaseException:
                client.close()
                raise
            if self._closed:
                client.close()
            else:
                idle.append(client)

    def _open(self, seconds: int) -> Client:
        options = dict(self._options)
        if options["interface"] != "chdb":
            options["send_receive_timeout"] = seconds
        return clickhouse_connect.get_client(settings=_AS_ELSEWHERE, **options)

    def query(
        self, sql: str, seconds: float, cancelled: Callable[[], bool], settings: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Rows of a SELECT. Raises TimeLimit if it takes longer, or soon after `cancelled`."""
        end = time.monotonic() + seconds
        if not self._slots.acquire(timeout=seconds):
            raise TimeLimit("All readers are busy; try again.")
        name = uuid4().hex
        over = threading.Event()
        try:
            with self.client() as client:
                watch = threading.Thread(target=self._watch, args=(name, over, end, cancelled), daemon=True)
                watch.start()
                try:
                    limits = {"max_execution_time": max(0.01, end - time.monotonic()), "log_comment": name}
                    return [tuple(row) for row in client.query(sql, settings={**settings, **limits}).result_rows]
                except Error as error:
                    if error.code == _MEMORY:
                        raise TimeLimit("This takes more memory than ClickHouse allows; ask for less.") from None
                    if error.code not in _ENDED:
                        raise
                    raise TimeLimit(f"This took longer than {seconds:g} s; ask for a shorter span of time.") from None
                finally:
                    over.set()
                    watch.join()
        finally:
            self._slots.release()

    def _watch(self, name: str, over: threading.Event, end: float, cancelled: Callable[[], bool]) -> None:
        """End a query that nobody waits for any more. The engine's own limit is not looked at everywhere."""
        while not over.wait(LOOK_SECONDS):
            if cancelled() or time.monotonic() > end + 1:
                with contextlib.suppress(Unavailable), self.client() as client:
                    client.command(f"KILL QUERY WHERE Settings['log_comment'] = '{name}' ASYNC")

    def close(self) -> None:
        self._closed = True
        for idle in list(self._idle.values()):
            while idle:
                idle.pop().close()


def _options(url: str) -> tuple[dict[str, Any], str]:
    """What the client's maker is given for an address, and the address without user and password."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed
        parts = urlsplit("")
    if parts.scheme == "chdb" and parts.path.strip("/") and not parts.netloc:
        return {"interface": "chdb", "path": parts.path}, f"chdb://{parts.path}"
    try:
        port = parts.port or (8443 if parts.scheme == "https" else 8123)
    except ValueError:
        port = 0
    # A character of a password that is not escaped ends the part of the address that has it.
    rest = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port or rest:
        raise OperatorError(
            "plugin.clickhouse.url: write it as http://USER:PASSWORD@HOST:8123, with %40 for @, %2F for / and the like "
            "in the password, or chdb:///FOLDER for the engine within this process"
        )
    return {
        "interface": parts.scheme,
        "host": parts.hostname,
        "port": port,
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "connect_timeout": CONNECT_SECONDS,
        "autogenerate_session_id": False,
        "dedicated_pool": True,  # closed with the client
    }, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Raise Unavailable for what is wrong around ClickHouse."""
    try:
        yield
    except (DatabaseError, HTTPError) as error:
        # The text may hold the statement, and with that what somebody sent; the code and its name tell enough.
        reason = "it does not answer"
        if isinstance(error, DatabaseError) and error.code is not None:
            reason = f"{error.name} ({error.code})"
        raise Unavailable(f"ClickHouse fails, {reason}; nothing was stored.") from error
