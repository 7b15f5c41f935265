"""Recorded requests of real clients, sent again over HTTP."""

import hashlib
import hmac
import http.client
import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.serving import Served

CAPTURES = Path(__file__).parents[1] / "captures"
ACCEPTED = (202, {"accepted": 1})
OK = (200, {"status": "ok"})
COUNTED = (200, {"accepted": 1, "rejected": 0, "errors": []})

PERSON = "7462108984f629db2ced1aeb2dc3e747e53a2e1c607059f72955ab864c724335"
COMPANY = "65f02acc-e104-45d9-8199-1491332d8454"
PLAYER = "0123456789abcdef0123456789abcdef"


class Seen(NamedTuple):
    """What the stream shows of an event."""

    name: str
    type: str
    user: str | None
    anonymous_id: str | None
    org: str | None
    path: str | None


PAGE_VIEW = Seen("page_view", "pageview", PERSON, None, "org_456", "/dashboard")
EXPECTED: dict[str, tuple[tuple[int, Any], list[Seen]]] = {
    "seed-saastracker_curl": (ACCEPTED, [PAGE_VIEW]),
    "seed-saastracker_python": (ACCEPTED, [PAGE_VIEW]),
    "seed-owlsignal_curl": (COUNTED, [Seen("Session:Start", "session", PLAYER, None, None, None)]),
    "seed-usermaven_identify": (
        OK,
        [Seen("user_identify", "identify", "lzL24K3kYw", "random_id", COMPANY, "/example")],
    ),
    "seed-usermaven_bulk": (
        OK,
        [
            Seen("hxde06067c5f_bulk", "custom", "lzL24K3kYw", "random_id", COMPANY, None),
            Seen("hxde06067c5f_bulk", "custom", "lzL24K3kYw", "random_id", COMPANY, "/example"),
        ],
    ),
    "usermaven-python_sync-track": (OK, [Seen("sync_evt", "custom", "u1", None, None, None)]),
    "usermaven-js_02_pageview-initial": (OK, [Seen("pageview", "pageview", None, "3b34206m3q", None, "/a")]),
    "usermaven-js_04_batch-click-pageview-pageleave": (
        OK,
        [
            Seen("$autocapture", "custom", None, "3b34206m3q", None, "/a"),
            Seen("pageview", "pageview", None, "3b34206m3q", None, "/a"),
            Seen("$pageleave", "custom", None, "3b34206m3q", None, "/a"),
        ],
    ),
    "usermaven-js_08_user_identify": (
        OK,
        [Seen("user_identify", "identify", "u_1", "3b34206m3q", "c_1", "/a/sub")],
    ),
    "usermaven-js_09_group": (OK, [Seen("group", "identify", "u_1", "3b34206m3q", "c_2", "/a/sub")]),
    "usermaven-js_10_track-custom": (OK, [Seen("plan_upgraded", "custom", "u_1", "3b34206m3q", "c_2", "/a/sub")]),
    "usermaven-js_opt-beacon_POST": (
        OK,
        [
            Seen("e1", "custom", None, "294q3y655q", None, "/p"),
            Seen("e2", "custom", None, "294q3y655q", None, "/p"),
        ],
    ),
    "usermaven-js_opt-randomize-url_POST": (
        OK,
        [
            Seen("e1", "custom", None, "38563d0h4u", None, "/p"),
            Seen("e2", "custom", None, "38563d0h4u", None, "/p"),
        ],
    ),
    "usermaven-js_opt-privacy-strict_POST": (OK, [Seen("pageview", "pageview", None, None, None, "/p")]),
}
PREFLIGHTS = ("usermaven-js_01_preflight", "usermaven-js_opt-beacon_OPTIONS")


class Capture(NamedTuple):
    """A recorded request with this server's host and keys in place of the recorded ones."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def load(name: str, served: Served) -> Capture:
    recorded = json.loads((CAPTURES / f"{name}.json").read_text())
    keys, headers = served.keys, recorded["headers"]
    usermaven = keys["query-token"]

    def filled(text: str) -> str:
        text = text.replace("UMtestKEY1", usermaven["api_key"])
        return text.replace("umservertoken1", usermaven["server_token"])

    body = filled(recorded["body"]).encode()
    headers["Host"] = urlsplit(served.url).netloc
    if "Content-Length" in headers:
        headers["Content-Length"] = str(len(body))
    if "Authorization" in headers:
        headers["Authorization"] = f"Bearer {keys['bearer']['key']}"
    if "x-signature" in headers:
        headers["x-app-uuid"] = keys["hmac"]["app_uuid"]
        headers["x-signature"] = hmac.digest(keys["hmac"]["api_secret"].encode(), body, hashlib.sha256).hex()
    query = f"?{filled(recorded['query'])}" if recorded["query"] else ""
    return Capture(recorded["method"], recorded["path"] + query, headers, body)


def send(capture: Capture) -> Answer:
    """The request with exactly the recorded headers."""
    connection = http.client.HTTPConnection(capture.headers["Host"], timeout=20)
    try:
        connection.putrequest(capture.method, capture.target, skip_host=True, skip_accept_encoding=True)
        for name, value in capture.headers.items():
            connection.putheader(name, value)
        connection.endheaders(capture.body)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def test_every_capture_is_sent() -> None:
    assert {file.stem for file in CAPTURES.glob("*.json")} == {*EXPECTED, *PREFLIGHTS}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_request_is_answered_and_its_events_are_seen(name: str, served: Served) -> None:
    arrivals = served.arrivals()
    capture = load(name, served)
    answer = send(capture)
    reply, seen = EXPECTED[name]
    assert (answer.status, json.loads(answer.body)) == reply
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Set-Cookie"] is None
    assert answer.headers["Access-Control-Allow-Origin"] == capture.headers.get("Origin")
    assert [Seen(*(event[field] for field in Seen._fields)) for event in arrivals(len(seen))] == seen


@pytest.mark.parametrize("name", PREFLIGHTS)
def test_a_preflight_is_answered(name: str, served: Served) -> None:
    capture = load(name, served)
    answer = send(capture)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == capture.headers["Origin"]
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert answer.headers["Vary"] == "Origin"


def test_a_request_sent_again_is_acknowledged_and_stored_once(served: Served) -> None:
    arrivals = served.arrivals()
    capture = load("usermaven-js_04_batch-click-pageview-pageleave", served)
    # Ids of its own: the same events may be there already.
    capture = capture._replace(body=capture.body.replace(b"3b34206m3q", b"repeated00"))
    assert [(answer.status, json.loads(answer.body)) for answer in (send(capture), send(capture))] == [OK, OK]
    assert len(arrivals(3)) == 3
