"""Two real servers on one database act as one, and go on as one when the other is killed."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from saastracker.cli import main
from saastracker.cli.options import Options, opened
from saastracker.cli.serving import make_demo
from saastracker.demo.load import Demo
from saastracker.event import Event
from saastracker.records import now_ms
from saastracker.secrets import VARIABLE
from tests.postgres import Postgres
from tests.serving import Server, typed

REACH_SECONDS = 5  # a change of keys reaches every process
LEADING = "This server follows the index and runs jobs"


class Pair:
    def __init__(self, folder: Path) -> None:
        for name in ("one", "two"):
            (folder / name).mkdir()
        self.data = folder / "one" / "data"
        self.project = self.command("project", "add", "Shop")
        self.key = self.project["keys"]["bearer"]["key"]
        self.token = self.command("token", "add", "tests", "--scope", "admin")["token"]
        self.servers = [Server(folder / name) for name in ("one", "two")]

    def command(self, *words: str) -> Any:
        return typed(self.data, *words)

    def send(self, server: Server, *names: str, key: str = "") -> int:
        events = [
            {
                "build_version": "1.0.0",
                "session_id": "11111111-2222-4333-8444-555555555555",
                "player_hash": "ab" * 32,
                "ts": datetime.now(UTC).isoformat(),
                "type": "design",
                "name": name,
            }
            for name in names
        ]
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.post(f"{server.url}/api/v1/events", json={"events": events}, headers=headers).status_code

    def get(self, server: Server, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.get(f"{server.url}{path}", headers=headers).raise_for_status().json()

    @contextlib.contextmanager
    def following(self, server: Server) -> Iterator[Iterator[str]]:
        """The names of events that a page of the server is told of, once it listens."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.stream("GET", f"{server.url}/p/shop/stream.events", headers=headers, timeout=10) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith(":")
            yield (json.loads(line.removeprefix("data: "))["name"] for line in lines if line.startswith("data: "))

    def type(self, *words: str) -> None:
        result = CliRunner().invoke(main, ["--data", str(self.data), *words])
        assert result.exit_code == 0, result.output

    def used(self) -> int:
        [workspace] = self.command("workspace", "list")
        return int(workspace["used"])

    def leading(self) -> tuple[Server, Server]:
        """The server that leads, once one does, and the other."""
        one, two = self.servers
        until(lambda: LEADING in one.output + two.output, 10)
        return (one, two) if LEADING in one.output else (two, one)


@contextlib.contextmanager
def running(url: str, folder: Path) -> Iterator[Pair]:
    config = folder / "config.toml"
    config.write_text(f'[storage]\nbackend = "postgres"\n[plugin.postgres]\nurl = "{url}"\n')
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SAASTRACKER_CONFIG", str(config))
        environment.setenv(VARIABLE, Fernet.generate_key().decode())
        pair = Pair(folder)
        yield pair
        for server in pair.servers:
            server.kill()


@pytest.fixture(scope="module")
def pair(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running(postgres.database(), tmp_path_factory.mktemp("pair")) as pair:
        yield pair


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_when_one_is_killed_the_other_goes_on(postgres: Postgres, tmp_path: Path) -> None:
    with running(postgres.database(), tmp_path) as pair:
        leading, other = pair.leading()
        assert LEADING not in other.output
        assert [pair.send(leading, "from one"), pair.send(other, "from two")] == [200, 200]
        for server in pair.servers:
            assert [event["name"] for event in server.events("shop", pair.token)] == ["from one", "from two"]
        leading.kill()
        until(lambda: LEADING in other.output, 15)
        assert pair.send(other, "after") == 200
        until(lambda: _persons(pair, other) == 1, 60)


def test_a_job_that_is_asked_for_where_none_run_is_run_once_by_the_other(pair: Pair) -> None:
    leading, other = pair.leading()
    headers = {"Authorization": f"Bearer {pair.token}"}
    httpx.post(f"{other.url}/api/v1/jobs/tidy/run", headers=headers).raise_for_status()
    until(lambda: _job(pair, other, "tidy")["runs"] != [], 15)
    assert len(_job(pair, leading, "tidy")["runs"]) == 1


def test_pages_follow_what_reaches_the_other_server(pair: Pair) -> None:
    for round_, (here, there) in enumerate((pair.servers, reversed(pair.servers))):
        with pair.following(there) as names:
            for name in (f"first {round_}", f"second {round_}"):  # the first as soon as the page listens
                assert pair.send(here, name) == 200
                assert next(names) == name


def test_keys_and_definitions_reach_every_server(pair: Pair) -> None:
    one, two = pair.servers
    key = pair.command("key", "add", "--project", "shop", "bearer")
    for server in (one, two):
        until(lambda server=server: pair.send(server, "with a new key", key=key["key"]) == 200, REACH_SECONDS)  # type: ignore[misc]
    headers = {"Authorization": f"Bearer {pair.token}"}
    path = "/api/v1/projects/shop/definitions/annotation"
    httpx.post(f"{one.url}{path}", json={"text": "Deployed"}, headers=headers).raise_for_status()
    until(lambda: [each["text"] for each in pair.get(two, path)] == ["Deployed"], REACH_SECONDS)
    pair.type("key", "revoke", key["id"])
    for server in (one, two):
        until(lambda server=server: pair.send(server, "too late", key=key["key"]) == 401, REACH_SECONDS)  # type: ignore[misc]


def test_a_budget_that_one_server_uses_up_is_used_up_on_the_other(pair: Pair) -> None:
    one, two = pair.servers
    keys = [pair.command("project", "add", name)["keys"]["bearer"]["key"] for name in ("Bought", "Sold")]
    for server, key in zip((one, two), keys, strict=True):
        until(lambda server=server, key=key: pair.send(server, "known", key=key) == 200, REACH_SECONDS)  # type: ignore[misc]
    [workspace] = pair.command("workspace", "list")
    budget, path = workspace["used"] + 10, f"/api/v1/workspaces/{workspace['id']}/budget"
    pair.type("workspace", "set", workspace["name"], "--budget", str(budget), "--policy", "drop")
    for server in (one, two):
        until(lambda server=server: pair.get(server, path)["budget"] == budget, REACH_SECONDS)  # type: ignore[misc]
    time.sleep(2)  # in which they hear of what was stored before
    for number in range(12):
        assert pair.send(one, str(number), key=keys[0]) == 200
    assert pair.used() == budget
    sent = 0

    def dropped() -> bool:
        nonlocal sent
        before = pair.used()
        sent += 1
        assert pair.send(two, "too many", key=keys[1]) == 200
        return pair.used() == before

    until(dropped, REACH_SECONDS)
    assert pair.used() == budget + sent - 1
    for server, key in zip((one, two), keys, strict=True):
        pair.send(server, *"more", key=key)
    assert pair.used() == budget + sent - 1
    pair.type("workspace", "set", workspace["name"], "--budget", "none")


def test_the_index_is_made_again_beside_the_server_that_leads(pair: Pair) -> None:
    _, other = pair.leading()
    pair.send(other, "to be counted")
    until(lambda: _persons(pair, other) == 1, 60)
    told = CliRunner().invoke(main, ["--data", str(other.data), "rebuild"])
    assert (told.exit_code, "The index was made again." in told.output) == (0, True), told.output
    assert _persons(pair, other) == 1


def test_elsewhere_a_command_says_where_to_type_it(pair: Pair, tmp_path: Path) -> None:
    leading, _ = pair.leading()
    told = CliRunner().invoke(main, ["--data", str(tmp_path / "data"), "rebuild"])
    assert told.exit_code == 1
    assert f"saastracker {leading.pid} on" in told.output
    assert "with the --data of that one" in told.output


def test_demo_projects_are_made_beside_the_server_that_leads(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [Event(name="made up", time=now_ms(), received_at=now_ms(), user=f"user {number}") for number in range(3)]
    monkeypatch.setattr(
        "saastracker.demo.load.DEMOS", (Demo("Made up", "made-up", "Asia/Tokyo", lambda _: iter(events)),)
    )
    with opened(Options(tmp_path / "data", None).load()) as installation:
        make_demo(installation)
    _, other = pair.leading()
    until(lambda: _persons(pair, other, "made-up") == 3, 60)


def _job(pair: Pair, server: Server, name: str) -> Any:
    [job] = [each for each in pair.get(server, "/api/v1/jobs") if each["name"] == name]
    return job


def _persons(pair: Pair, server: Server, slug: str = "shop") -> int:
    try:
        blocks = pair.get(server, f"/p/{slug}/people.json")["blocks"]
    except httpx.HTTPStatusError:  # it has not heard of a new project yet
        return 0
    rows = [row for block in blocks for row in block.get("rows", [])]
    return len(rows)
