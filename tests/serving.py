"""The real server as a process of its own, for tests that send what clients send."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx
from click.testing import CliRunner

from saastracker.cli import main

READY_SECONDS = 120  # on a busy machine, with demo projects to make first
STOP_SECONDS = 15
ARRIVE_SECONDS = 20
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for HTTP; with one of its own each of httpx's clients takes 40 ms
SAASTRACKER = (sys.executable, "-m", "saastracker")

Event: TypeAlias = dict[str, Any]  # one row of the report "stream", by column


class Server:
    """`saastracker serve` on `folder/data` and a port, a free one unless given; its output goes to `folder/output`."""

    def __init__(
        self, folder: Path, *options: str, saastracker: Sequence[str] = SAASTRACKER, port: int | None = None
    ) -> None:
        self.data = folder / "data"
        self._output = folder / "output"
        if port is None:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*saastracker, "--data", str(self.data), "serve", "--port", str(port), *options],
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        with httpx.Client(verify=PLAIN) as http:
            while self._process.poll() is None and time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    if http.get(f"{self.url}/readyz").is_success:
                        return
                time.sleep(0.05)
        self._process.kill()
        self._process.wait()
        raise AssertionError(f"The server did not start:\n{self.output}")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """What it printed and logged so far."""
        return self._output.read_text()

    def events(self, slug: str, token: str) -> list[Event]:
        """All events of a project, in order of arrival."""
        found: list[Event] = []
        url = httpx.URL(f"{self.url}/p/{slug}/stream.json", params={"limit": 1000})
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, verify=PLAIN) as http:
            while True:
                answer = http.get(url).raise_for_status()
                table = answer.json()["blocks"][0]
                keys = [column["key"] for column in table["columns"]]
                found += [dict(zip(keys, row, strict=True)) for row in table["rows"]]
                if table["next"] is None:
                    return found[::-1]
                url = url.copy_set_param("after", table["next"])

    def stop(self) -> int:
        """End it as an init system does; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def kill(self) -> None:
        """End it as a power cut does, without a word to it."""
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Served:
    """A running server with one project."""

    server: Server
    slug: str
    keys: dict[str, dict[str, str]]  # by auth scheme, as `project add --json` prints them
    token: str  # reads the project

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def data(self) -> Path:
        return self.server.data

    def events(self) -> list[Event]:
        """All events of the project, in order of arrival."""
        return self.server.events(self.slug, self.token)

    def arrivals(self, *ignored: str) -> Callable[[int], list[Event]]:
        """A function that waits for that many events from now on, and returns all that came.

        Events with a name in `ignored` neither count nor return.
        """

        def events() -> list[Event]:
            return [event for event in self.events() if event["name"] not in ignored]

        before = len(events())

        def wait(count: int) -> list[Event]:
            deadline = time.monotonic() + ARRIVE_SECONDS
            while len(arrived := events()[before:]) < count:
                assert time.monotonic() < deadline, f"{count} events were expected, these came: {arrived}"
                time.sleep(0.05)
            return arrived

        return wait


def columns(events: Sequence[Event], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of each event."""
    return [tuple(event[name] for name in names) for event in events]


def program(data: Path) -> list[str]:
    """The command line on a data folder."""
    return [*SAASTRACKER, "--data", str(data)]


def typed(data: Path, *command: str) -> Any:
    """What a command on a data folder prints with --json; in this process, as each start takes half a second."""
    result = CliRunner().invoke(main, ["--data", str(data), *command, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def serve(folder: Path) -> Served:
    """A server with one project, made as an operator makes it."""
    data = folder / "data"
    project = typed(data, "project", "add", "Shop")
    token = typed(data, "token", "add", "tests", "--project", project["slug"])["token"]
    return Served(Server(folder), project["slug"], project["keys"], token)
