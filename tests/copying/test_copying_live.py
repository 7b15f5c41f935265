"""A copy beside a server under load: nothing that was acknowledged is lost or twice there, whoever is killed."""

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from saastracker_postgres.store import PostgresStore
from tests.postgres import Postgres
from tests.reliability.load import Load
from tests.serving import Server, program, typed

FOLLOWING = "What comes follows"


class Copying:
    """`saastracker copy` as a process of its own."""

    def __init__(self, data: Path, *words: str) -> None:
        self._process = subprocess.Popen(
            [*program(data), "copy", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def says(self, text: str) -> None:
        """Wait until it does."""
        assert self._process.stdout
        told = ""
        while text not in told:
            line = self._process.stdout.readline()
            assert line, told
            told += line

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def ended(self, *, by_signal: bool = False) -> str:
        if by_signal:
            self._process.terminate()
        told, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, told
        return told


Start = Callable[[Path], Server]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server on a folder; those that still run at the end are killed."""
    with ExitStack() as started:

        def start(folder: Path) -> Server:
            server = Server(folder)
            started.callback(server.kill)
            return server

        yield start


def test_nothing_is_lost_between_two_stores(tmp_path: Path, postgres: Postgres, start: Start) -> None:
    folder, data, url = tmp_path / "old", tmp_path / "old" / "data", postgres.database()
    folder.mkdir()
    load = Load(typed(data, "project", "add", "Shop")["keys"])

    server = start(folder)
    with load.running(server.url):
        copying = Copying(data, "--to", url, "--follow")
        copying.says(FOLLOWING)
        time.sleep(0.5)
        copying.kill()
        copying = Copying(data, "--to", url, "--follow")
        time.sleep(0.5)
        server.kill()
    server = start(folder)
    with load.running(server.url):
        copying.says(FOLLOWING)
        assert "Go on with the same command" in copying.ended(by_signal=True)
        assert "Handed over." in Copying(data, "--to", url, "--switch").ended()
        time.sleep(0.3)
    assert load.statuses[503] > 0
    server.kill()
    again = subprocess.run([*program(data), "serve", "--port", "0"], capture_output=True, text=True, check=False)
    assert (again.returncode, "handed over" in again.stderr) == (1, True)

    new = tmp_path / "new"
    (new / "data").mkdir(parents=True)
    shutil.copy(data / "secret_key", new / "data")
    (new / "config.toml").write_text(f'[storage]\nbackend = "postgres"\n[plugin.postgres]\nurl = "{url}"\n')
    load.finish(start(new).url)
    with closing(PostgresStore(url)) as store:
        found = Counter(json.loads(event.properties or "")["marker"] for _, event in store.read_after(0, 1_000_000))
    assert len(load.acknowledged) > 500
    assert load.acknowledged - found.keys() == set()
    assert [marker for marker, count in found.items() if count > 1] == []
