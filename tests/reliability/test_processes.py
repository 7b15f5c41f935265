"""The server told to stop, a second server, and commands beside it, all under load."""

import json
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.reliability.conftest import Start
from tests.reliability.launch import launching
from tests.reliability.load import Keys, Load, game_request, stored
from tests.reliability.test_connections import connect
from tests.serving import Server, program

LOAD_SECONDS = 0.5
IMPORTED = 1200


def command(data: Path, *arguments: str, prefix: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
    line = [*prefix, *program(data), *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def test_sigterm_loses_nothing_and_ends_streams(start: Start, keys: Keys, token: str) -> None:
    server = start(saastracker=launching("impatient"))
    load = Load(keys)
    streamed = Stream(server, token)
    with connect(server) as half, load.running(server.url):
        half.sendall(b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf")
        time.sleep(LOAD_SECONDS)
        assert server.stop() == 0, server.output
    streamed.join()
    assert streamed.ended, "the stream was cut"
    assert streamed.lines
    assert "Traceback" not in server.output
    found = stored(server.data)
    assert load.acknowledged <= found.keys()
    assert set(found.values()) == {1}


def test_sigterm_ends_what_hangs(start: Start, keys: Keys) -> None:
    server = start(saastracker=launching("stuck_store"))
    with connect(server) as client:
        client.sendall(game_request(keys, ["a"]))
        time.sleep(LOAD_SECONDS)
        assert server.stop() == 1
        answer = client.recv(4096)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert "what was answered with 2xx is stored" in server.output
    assert not stored(server.data)


class Stream(threading.Thread):
    """Follows the project's events until the server ends the stream."""

    def __init__(self, server: Server, token: str) -> None:
        super().__init__(daemon=True)
        self.lines = 0
        self.ended = False
        self._server = server
        self._headers = {"authorization": f"Bearer {token}"}
        self._opened = threading.Event()
        self.start()
        self._opened.wait()

    def run(self) -> None:
        url = f"{self._server.url}/p/shop/stream.events"
        with httpx.stream("GET", url, headers=self._headers, timeout=30) as answer:
            answer.raise_for_status()
            self._opened.set()
            for _ in answer.iter_lines():
                self.lines += 1
        self.ended = True


def test_a_second_server_names_the_first(start: Start, folder: Path) -> None:
    first = start()
    second = command(folder / "data", "serve", "--port", "0")
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1, second.stderr
    assert f"kill {first.pid}" in second.stderr


def test_a_port_that_is_taken(start: Start, tmp_path: Path) -> None:
    port = urlsplit(start().url).port
    second = command(tmp_path / "other", "serve", "--port", str(port))
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: Cannot listen on 127.0.0.1:{port}: "), second.stderr
    assert second.stderr.count("\n") == 1


def test_a_read_only_database_is_told_at_start(folder: Path) -> None:
    (folder / "data" / "saastracker.db").chmod(0o400)
    as_anyone = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []  # whom file modes bind
    ended = command(folder / "data", "serve", "--port", "0", prefix=as_anyone)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "chmod u+w" in ended.stderr


def test_import_and_backup_under_load(start: Start, folder: Path, keys: Keys) -> None:
    server = start()
    load = Load(keys)
    lines = (json.dumps({"name": "x", "id": f"i{i}", "properties": {"marker": f"i{i}"}}) for i in range(IMPORTED))
    (folder / "events.ndjson").write_text("\n".join(lines))
    copy = folder / "copy" / "data" / "saastracker.db"
    copy.parent.mkdir(parents=True)
    with load.running(server.url):
        imported = command(server.data, "import", str(folder / "events.ndjson"), "--project", "shop")
        before = set(load.acknowledged)
        backup = command(server.data, "backup", str(copy))
    load.finish(server.url)
    assert server.stop() == 0
    assert imported.stdout.startswith(f"{IMPORTED} stored"), imported.stderr
    assert backup.returncode == 0, backup.stderr
    marks = {f"i{i}" for i in range(IMPORTED)}
    copied, found = stored(copy.parent), stored(server.data)
    assert before | marks <= copied.keys() <= found.keys()
    assert load.acknowledged | marks == found.keys()
    for counts, database in ((copied, copy), (found, server.data / "saastracker.db")):
        assert set(counts.values()) == {1}
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT SUM(events) FROM usage").fetchone() == (len(counts),)
