"""The command line on a data folder of its own, in this process or in another."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from saastracker.cli import main
from tests.serving import PLAIN

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    monkeypatch.delenv("SAASTRACKER_SECRET_KEY", raising=False)


@pytest.fixture
def run() -> Run:
    """Run a command in this process; fails unless it exits with `code`."""

    def run(*arguments: str, code: int = 0, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=stdin)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def read(run: Run) -> Callable[..., Any]:
    """What a command prints with --json."""
    return lambda *arguments: json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A running server on ./saastracker-data: its address, and what it printed before it served."""
    with subprocess.Popen(
        [sys.executable, "-m", "saastracker", "serve", "--port", str(free_port())],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if found := re.match(r"Serving at (http://\S+)", line):
                wait(found[1])
                break
        else:
            raise AssertionError(printed)
        try:
            yield found[1], printed
        finally:
            process.terminate()
        assert process.wait(timeout=20) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(f"{url}/healthz", verify=PLAIN)
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not answer")
