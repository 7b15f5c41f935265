"""`saastracker bench`: how many events a second this machine takes, on a server and data of its own."""

import http.client
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import click
import msgspec

from saastracker.cli.options import Options
from saastracker.errors import OperatorError

CONNECTIONS = 8
BATCH = 100  # events a request
READS = 20
START_SECONDS = 20


@click.command()
@click.option("--seconds", type=click.IntRange(1, 600), default=5, show_default=True, help="How long to send.")
def bench(seconds: int) -> None:
    """Send batches to a temporary server for some seconds, then read the stream.

    An event counts once the server has answered, so once it is on disk.
    """
    with tempfile.TemporaryDirectory(prefix="saastracker-bench-") as folder:
        options = Options(Path(folder), Path(folder) / "config.toml")
        Path(folder, "config.toml").touch()
        with options.open() as installation:
            facts = installation.facts
            project = facts.add_project("Bench", facts.default_workspace().id)
            key = facts.issue_keys(project, installation.registry.auth_schemes)["bearer"]["key"]
            _, token = facts.add_token("bench", project.workspace, "read")
        with _server(options) as port:
            latencies = _send(port, key, seconds)
            reads = _read(port, token, project.slug)
    rate = len(latencies) * BATCH / seconds
    click.echo(f"{rate:,.0f} events/s ({CONNECTIONS} connections, {BATCH} events a request)")
    click.echo(f"request: {_percentiles(latencies)}")
    click.echo(f"stream report after {len(latencies) * BATCH:,} events: {_percentiles(reads)}")


@contextmanager
def _server(options: Options) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    given = ["--data", str(options.data), "--config", str(options.config), "serve", "--port", str(port)]
    server = subprocess.Popen([sys.executable, "-m", "saastracker", *given], stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait(server, port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise OperatorError("The server did not start; see its messages above")


def _send(port: int, key: str, seconds: int) -> list[float]:
    """Seconds each answered request took."""
    latencies: list[float] = []
    failures: list[str] = []
    end = time.monotonic() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {key}"}
        body = _body()
        while time.monotonic() < end and not failures:
            started = time.monotonic()
            connection.request("POST", "/api/v1/events", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status == http.HTTPStatus.OK:
                latencies.append(time.monotonic() - started)
            elif answer.status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                failures.append(f"{answer.status} {text.decode()[:200]}")
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures or not latencies:
        raise OperatorError(f"The server refused the events: {failures[0] if failures else 'no answer'}")
    return latencies


def _body() -> bytes:
    event = {
        "build_version": "1.0.0",
        "session_id": str(uuid4()),
        "player_hash": uuid4().hex,
        "ts": "2026-01-01T00:00:00Z",
        "type": "design",
        "name": "Shop:Opened",
        "value": 1.5,
        "data": {"level": 3, "currency": "gems"},
    }
    return msgspec.json.encode({"events": [event] * BATCH})


def _read(port: int, token: str, slug: str) -> list[float]:
    latencies = []
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(READS):
        started = time.monotonic()
        connection.request("GET", f"/p/{slug}/stream.json", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise OperatorError(f"The stream report answered {answer.status}")
        latencies.append(time.monotonic() - started)
    connection.close()
    return latencies


def _percentiles(latencies: list[float]) -> str:
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms"
