"""The claim: one process of all that share a database holds it, and whoever dies lets go of it."""

from typing import Any

import psycopg

from saastracker.errors import OperatorError
from saastracker_postgres.database import alive, connect, failures
from saastracker_postgres.schema import CLAIMED, LOCK

# A machine that loses its power tells nobody: the server asks after it, and lets go of the claim in half a minute.
_SETTINGS = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
_HOLDER = """SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class Claim:
    """An advisory lock of a session of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def acquire(self) -> None:
        """Take it, or make sure that it is still held.

        Raises OperatorError naming the process that holds it, Unavailable if the database cannot be asked.
        """
        if self._connection is not None:
            if alive(self._connection):
                try:
                    self._connection.execute("SELECT 1")
                    return
                except psycopg.Error:
                    pass
            self.release()
        with failures():
            connection = connect(self._url, **_SETTINGS)
            try:
                [(taken,)] = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK, CLAIMED)).fetchall()
                if not taken:
                    row = connection.execute(_HOLDER, (LOCK, CLAIMED)).fetchone()
                    holder = row[0] if row else "Another process, which just now let go of it,"
                    raise OperatorError(
                        f"{holder} already follows the events of this database and runs its jobs: type this where a "
                        "server runs, with the --data of that one, which then does it; or stop all servers first"
                    )
            except BaseException:
                connection.close()
                raise
            self._connection = connection

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
