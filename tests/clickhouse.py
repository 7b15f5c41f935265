"""What tests put and look up in ClickHouse's engine, and the engine behind HTTP."""

import itertools
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from saastracker.event_rows import EventRow
from saastracker.sql_events import CODED
from saastracker.testing import PROJECT
from saastracker.testing.opened import event

ROOT = Path(__file__).parents[1]


def row(sequence: int, name: str, **fields: Any) -> EventRow:
    return EventRow(PROJECT.id, sequence, event(name, **fields), [0] * len(CODED))


def count(url: str, **where: str) -> int:
    from saastracker_clickhouse.rows import ClickHouseRows

    with closing(ClickHouseRows(url, **where)) as rows:
        return sum(held.events for held in rows.held().values())


class Served:
    """The engine on a folder behind HTTP, as a process; see `clickhouse_http`."""

    def __init__(self, folder: Path) -> None:
        from tests.clickhouse_http import PASSWORD, USER

        self._folder = folder
        self._numbers = itertools.count(1)
        self._start(0)
        self.url = f"http://{quote(USER)}:{quote(PASSWORD, safe='')}@127.0.0.1:{self._port}"

    def _start(self, port: int) -> None:
        command = [sys.executable, "-m", "tests.clickhouse_http", str(self._folder), str(port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout
        self._port = int(self._process.stdout.readline())

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return f"http://127.0.0.1:{self._port}"

    def database(self) -> str:
        """The name of one that is not there yet."""
        return f"test{next(self._numbers)}"

    def fault(self, how: str, of: str = "", times: int = 1, seconds: float = 0.0) -> None:
        """See `clickhouse_http.Fault`."""
        fault = {"how": how, "of": of, "times": times, "seconds": seconds}
        httpx.post(f"{self.shown}/faults", json=fault).raise_for_status()

    def say(self, statement: str, data: bytes = b"") -> None:
        """As an operator does by curl."""
        httpx.post(self.url, params={"query": statement}, content=data, timeout=30).raise_for_status()

    def backup(self, name: str) -> str:
        """Where ClickHouse may write one, as it is told."""
        return f"File('{self._folder}.backups/{name}')"

    def kill(self) -> None:
        """As a power cut does."""
        self._process.kill()
        self._process.communicate()

    def restart(self) -> None:
        self._start(self._port)
