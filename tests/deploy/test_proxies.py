"""The examples for nginx and Caddy, run as they are but for addresses, ports and certificates."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.certificates import certificate_of
from tests.needing import missing
from tests.sdk_python.answering import answering
from tests.serving import Served

DEPLOY = Path(__file__).parents[2] / "contrib" / "deploy"
READY_SECONDS = 10


class Proxy(NamedTuple):
    https: str
    http: str | None  # where it sends on to https
    certificate: Path
    logs: Path

    def client(self, **more: Any) -> httpx.Client:
        return httpx.Client(
            base_url=self.https, verify=ssl.create_default_context(cafile=str(self.certificate)), **more
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        missing(f"{name} is not installed: apt-get install {name}")
    return found


def nginx(folder: Path, upstream: str) -> tuple[list[str], Proxy]:
    certificate, key = certificate_of("127.0.0.1", folder)
    http, https = free_port(), free_port()
    text = (DEPLOY / "nginx.conf").read_text()
    text = re.sub(r"\n *listen \[::\].*", "", text)  # a machine of tests may have no IPv6
    for shown, real in {
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ": f"listen 127.0.0.1:{https} ",
        "https://$host$": f"https://$host:{https}$",
        "127.0.0.1:8000": upstream.removeprefix("http://"),
        "/etc/letsencrypt/live/stats.example.com/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/stats.example.com/privkey.pem": str(key),
        "/var/log/nginx": str(folder),
        "stats.example.com;": "127.0.0.1;",
    }.items():
        assert shown in text, shown
        text = text.replace(shown, real)
    (folder / "saastracker.conf").write_text(text)
    places = "".join(f"{kind}_temp_path {folder};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; pid {folder}/pid; error_log {folder}/start.log;\n"
        f"events {{}}\nhttp {{ {places} include saastracker.conf; }}\n"
    )
    command = [program("nginx"), "-e", f"{folder}/start.log", "-p", str(folder), "-c", "nginx.conf"]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    return command, Proxy(f"https://127.0.0.1:{https}", f"http://127.0.0.1:{http}", certificate, folder)


def caddy(folder: Path, upstream: str) -> tuple[list[str], Proxy]:
    certificate, key = certificate_of("127.0.0.1", folder)
    https = free_port()
    text = (DEPLOY / "Caddyfile").read_text()
    for shown, real in {
        "\nstats.example.com {": f"\nhttps://127.0.0.1:{https} {{\n\ttls {certificate} {key}",
        "127.0.0.1:8000": upstream.removeprefix("http://"),
        "\n{\n": f"\n{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}/storage\n",
    }.items():
        assert shown in text, shown
        text = text.replace(shown, real)
    file = folder / "Caddyfile"
    file.write_text(text)
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
    return command, Proxy(f"https://127.0.0.1:{https}", None, certificate, folder)


Make = Callable[[Path, str], tuple[list[str], Proxy]]


def running(make: Make, folder: Path, upstream: str) -> Iterator[Proxy]:
    command, proxy = make(folder, upstream)
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + READY_SECONDS
        host, _, port = proxy.https.removeprefix("https://").partition(":")
        while True:
            try:
                socket.create_connection((host, int(port))).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "output.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield proxy
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module", params=[nginx, caddy])
def proxy(request: pytest.FixtureRequest, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    yield from running(request.param, tmp_path_factory.mktemp(request.param.__name__), served.url)


def target(served: Served) -> str:
    key = served.keys["query-token"]
    return f"/api/v1/s2s/events?token={key['api_key']}.{key['server_token']}"


def events(*names: str, padding: int = 0) -> bytes:
    return json.dumps([{"event_type": name, "user": {"id": "ada"}, "text": "x" * padding} for name in names]).encode()


def test_events_pass(proxy: Proxy, served: Served) -> None:
    arrivals = served.arrivals()
    with proxy.client() as http:
        assert http.post(target(served), content=events("a")).json() == {"status": "ok"}
        assert http.post(f"{proxy.https}/{target(served)}", content=events("b")).status_code == 200
    assert [event["name"] for event in arrivals(2)] == ["a", "b"]


def test_large_bodies_pass_as_far_as_the_server_takes_them(proxy: Proxy, served: Served) -> None:
    arrivals = served.arrivals()
    with proxy.client() as http:
        body = events(*(str(number) for number in range(130)), padding=32_000)
        assert 3.9 < len(body) / 1024**2 < 4
        assert http.post(target(served), content=body).status_code == 200
        assert http.post(target(served), content=b" " * (4 * 1024**2 + 1)).status_code == 413
    assert len(arrivals(130)) == 130


def test_live_streams_are_sent_on_as_they_come(proxy: Proxy, served: Served) -> None:
    with proxy.client(headers={"Authorization": f"Bearer {served.token}"}) as http:
        started = time.monotonic()
        with http.stream("GET", f"/p/{served.slug}/stream.events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(lines).startswith(":")
            assert httpx.post(served.url + target(served), content=events("live")).status_code == 200
            assert any("live" in line for line in lines)
        assert time.monotonic() - started < 5


def test_pages_and_cookies_pass(proxy: Proxy) -> None:
    with proxy.client() as http:
        answer = http.get("/login")
    assert answer.status_code == 200
    assert "<form" in answer.text


@pytest.mark.parametrize("proxy", [nginx], indirect=True)  # Caddy does so by itself, on port 80
def test_plain_http_leads_to_https_with_the_method_it_came_with(proxy: Proxy, served: Served) -> None:
    assert proxy.http
    answer = httpx.post(proxy.http + target(served), content=events("a"))
    assert (answer.status_code, answer.headers["location"]) == (308, proxy.https + target(served))


def test_logs_hold_no_secrets(proxy: Proxy, served: Served) -> None:
    with proxy.client() as http:
        http.post(target(served), content=events("a"))
        http.get("/share/secret-of-a-share")
    written = "".join(path.read_text() for path in proxy.logs.glob("*.log"))
    for secret in ("token=", served.keys["query-token"]["server_token"], "secret-of-a-share", "/api/v1"):
        assert secret not in written


@pytest.mark.parametrize("make", [nginx, caddy])
def test_what_the_server_is_told_of_the_client(make: Make, tmp_path: Path) -> None:
    with answering() as upstream:
        for proxy in running(make, tmp_path, upstream.url):
            with proxy.client() as http:
                http.post("/v1/events", content=b"{}", headers={"X-Forwarded-For": "203.0.113.9"})
    [asked] = upstream.asked
    assert asked.headers["x-forwarded-for"].split(", ")[-1] == "127.0.0.1"  # the server believes the last one alone
    assert asked.headers["host"] == proxy.https.removeprefix("https://")
    assert "upgrade" not in asked.headers.get("connection", "").lower()


@pytest.mark.parametrize("make", [nginx, caddy])
def test_logs_hold_no_secrets_while_the_server_is_away(make: Make, tmp_path: Path) -> None:
    for proxy in running(make, tmp_path, f"http://127.0.0.1:{free_port()}"):
        with proxy.client() as http:
            assert http.post("/api/v1/s2s/events?token=kept-to-oneself", content=b"{}").status_code == 502
    written = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert "kept-to-oneself" not in written
