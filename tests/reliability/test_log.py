"""The log of a server that everything is tried on holds nothing that lets somebody in, and nobody's data."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.reliability.conftest import Start
from tests.reliability.launch import launching
from tests.reliability.load import Keys, encode, game_request
from tests.reliability.test_disk import soon
from tests.serving import Server, program

ADDRESS = "203.0.113.77"  # of the client, behind a proxy
EMAIL, PASSWORD, WRONG = "ada@example.com", "an owl in the chimney", "a wolf under the stairs"
MARKER, QUERY, PERSON = "marker-in-a-body", "marker-in-a-query", "marker-of-a-person"
CONFIG = """
[server]
trusted_proxies = ["127.0.0.1"]
[log]
level = "debug"
format = "{form}"
slow_seconds = 0
[plugin.email]
host = "127.0.0.1"
port = 9
tls = "none"
sender = "Stats <stats@example.net>"
"""


def sent(server: Server, path: str, body: bytes, **headers: str) -> int:
    with httpx.Client(headers={"x-forwarded-for": ADDRESS}) as client:
        return client.post(f"{server.url}{path}", content=body, headers=headers).status_code


def tried_by_programs(server: Server, keys: Keys) -> Iterator[str]:
    """Events by each scheme, right and wrong."""
    body = encode({"event": MARKER, "user_hash": "ab" * 32, "customer_org_id": MARKER, "properties": {"x": MARKER}})
    hmac = keys["hmac"]
    assert sent(server, "/v1/events", body, **{"x-app-uuid": hmac["app_uuid"], "x-signature": "00" * 32}) == 401
    yield hmac["api_secret"]
    bearer = keys["bearer"]["key"]
    batch = game_request(keys, [MARKER]).partition(b"\r\n\r\n")[2]
    assert sent(server, "/api/v1/events", batch, authorization=f"Bearer {bearer}") == 200
    assert sent(server, "/api/v1/events", batch, authorization="Bearer pk_live_wrong") == 401
    assert (
        sent(server, "/api/v1/events", b'{"events":[{"name":"' + MARKER.encode(), authorization=f"Bearer {bearer}")
        == 400
    )
    yield bearer
    token = keys["query-token"]
    path = f"/api/v1/s2s/event?token={token['api_key']}.{token['server_token']}&note={QUERY}"
    assert sent(server, path, encode({"event_type": MARKER, "user": {"id": PERSON}})) < 300
    assert sent(server, path.replace("token=", "token=wrong"), b"{}") == 401
    assert sent(server, path, b"[" * 10_000) == 400
    yield token["server_token"]


def tried_by_people(server: Server, link: str, token: str) -> Iterator[str]:
    """Sign-up, sign-in with right and wrong passwords, pages that fail, links."""
    yield link
    forwarded = {"x-forwarded-for": ADDRESS, "accept": "text/html", "origin": server.url}
    with httpx.Client(base_url=server.url, headers=forwarded) as client:
        form = {"name": "Ada", "email": EMAIL, "password": PASSWORD, "again": PASSWORD}
        made = client.post(f"/sign-up/{link}", data=form)
        assert made.status_code == 303, made.text
        yield from client.cookies.values()
        client.cookies.clear()
        for _ in range(7):  # the last ones have to wait
            assert client.post("/sign-in", data={"email": EMAIL, "password": WRONG}).status_code in {401, 429}
        client.headers["authorization"] = f"Bearer {token}"
        soon(lambda: client.get(f"/p/shop/people/{PERSON}.json").is_success, server)  # the index follows
        for path in (f"/p/shop/home?user={QUERY}", f"/p/shop/people/{PERSON}?org={QUERY}"):
            assert client.get(path).status_code == 500, path
        assert client.get(f"/p/shop/home.json?f=prop.x:is:{QUERY}").status_code == 200
        assert client.get(f"/p/shop/{MARKER}").status_code == 404
        assert client.get(f"/unsubscribe/{MARKER}").status_code == 404
        shared = client.post("/api/v1/projects/shop/shares", json={"report": "home", "title": MARKER})
        assert shared.status_code == 403  # a token of scope read
        client.headers["authorization"] = f"Bearer st_{MARKER}"
        assert client.get("/api/v1/account").status_code == 401
    yield token


def sign_up_link(folder: Path) -> str:
    """What opens the door to a new user."""
    made = subprocess.check_output([*program(folder / "data"), "user", "add", EMAIL, "--role", "owner"], text=True)
    found = re.search(r"/sign-up/(\S+)", made)
    assert found
    return found[1]


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_of_what_was_sent_is_logged(start: Start, folder: Path, keys: Keys, token: str, form: str) -> None:
    (folder / "config.toml").write_text(CONFIG.format(form=form))
    link = sign_up_link(folder)
    server = start(saastracker=launching("broken_pages"))
    secrets = [*tried_by_programs(server, keys), *tried_by_people(server, link, token)]
    assert server.stop() == 0
    log = server.output
    assert "no page today" in log
    assert "The report home of shop took" in log
    for secret in [*secrets, EMAIL, PASSWORD, WRONG, ADDRESS, MARKER, QUERY, PERSON]:
        assert secret not in log, secret
    if form == "json":
        lines: list[Any] = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        assert {"time", "level", "logger", "message"} <= lines[0].keys()
        failed = [line["message"] for line in lines if line["level"] == "error"]
        assert failed == ["GET /p/shop/home failed", "GET /p/shop/people/{item} failed"]
