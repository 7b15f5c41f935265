"""Two real servers on one database act as one, and go on as one when the other is killed."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from saastracker.secrets import VARIABLE
from tests.postgres import Postgres
from tests.serving import Server, program

REACH_SECONDS = 5  # a change of keys reaches every process
LEADING = "This server follows the index and runs jobs"


class Pair:
    def __init__(self, folder: Path) -> None:
        for name in ("one", "two"):
            (folder / name).mkdir()
        self._data = folder / "one" / "data"
        self.key = self.command("project", "add", "Shop")["keys"]["bearer"]["key"]
        self.token = self.command("token", "add", "tests", "--scope", "admin")["token"]
        self.servers = [Server(folder / name) for name in ("one", "two")]

    def command(self, *words: str) -> Any:
        return json.loads(subprocess.check_output([*program(self._data), *words, "--json"]))

    def send(self, server: Server, name: str) -> int:
        event = {
            "build_version": "1.0.0",
            "session_id": "11111111-2222-4333-8444-555555555555",
            "player_hash": "ab" * 32,
            "ts": datetime.now(UTC).isoformat(),
            "type": "design",
            "name": name,
        }
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.post(f"{server.url}/api/v1/events", json={"events": [event]}, headers=headers).status_code

    def get(self, server: Server, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.get(f"{server.url}{path}", headers=headers).raise_for_status().json()

    def leads(self) -> list[bool]:
        return [LEADING in server.output for server in self.servers]


@pytest.fixture
def pair(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    config = tmp_path / "config.toml"
    config.write_text(f'[storage]\nbackend = "postgres"\n[plugin.postgres]\nurl = "{postgres.database()}"\n')
    monkeypatch.setenv("SAASTRACKER_CONFIG", str(config))
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    pair = Pair(tmp_path)
    yield pair
    for server in pair.servers:
        server.kill()


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_two_servers_are_one(pair: Pair) -> None:
    one, two = pair.servers
    assert [pair.send(server, f"from {place}") for place, server in enumerate((one, two))] == [200, 200]
    for server in (one, two):
        assert [event["name"] for event in server.events("shop", pair.token)] == ["from 0", "from 1"]

    until(lambda: any(pair.leads()), 10)
    assert sorted(pair.leads()) == [False, True]
    leading, other = (one, two) if pair.leads()[0] else (two, one)

    # A job that is asked for where none run is run by the other server.
    headers = {"Authorization": f"Bearer {pair.token}"}
    httpx.post(f"{other.url}/api/v1/jobs/tidy/run", headers=headers).raise_for_status()
    until(lambda: _job(pair, other, "tidy")["runs"] != [], 15)
    assert len(_job(pair, leading, "tidy")["runs"]) == 1

    leading.kill()
    until(lambda: LEADING in other.output, 15)
    assert pair.send(other, "after") == 200
    until(lambda: _persons(pair, other) == 1, 60)

    [key] = [each for each in pair.command("key", "list", "--project", "shop") if each["scheme"] == "bearer"]
    subprocess.check_call([*program(pair._data), "key", "revoke", key["id"]])
    until(lambda: pair.send(other, "revoked") == 401, REACH_SECONDS)


def _job(pair: Pair, server: Server, name: str) -> Any:
    [job] = [each for each in pair.get(server, "/api/v1/jobs") if each["name"] == name]
    return job


def _persons(pair: Pair, server: Server) -> int:
    blocks = pair.get(server, "/p/shop/people.json")["blocks"]
    rows = [row for block in blocks for row in block.get("rows", [])]
    return len(rows)
