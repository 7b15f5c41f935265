"""What operators paste into a shell: the four formats by curl and Python, and the lines of the first start."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, Server, columns

PERSON = "7462108984f629db2ced1aeb2dc3e747e53a2e1c607059f72955ab864c724335"  # SHA-256 of demo@example.com
COMPANY = "65f02acc-e104-45d9-8199-1491332d8454"

EVENTS_CURL = r"""
person=$(echo -n "demo@example.com" | shasum -a 256 | cut -c1-64)
body="{\"event\":\"page_view\",\"user_hash\":\"$person\",\"customer_org_id\":\"org_456\",\"path\":\"/dashboard\"}"
secret="API_SECRET"
signature=$(echo -n "$body" | openssl dgst -sha256 -hmac "$secret" | sed 's/^.* //')
curl -X POST "HOST/v1/events" \
  -H "Content-Type: application/json" \
  -H "x-app-uuid: APP_UUID" \
  -H "x-signature: $signature" \
  -d "$body"
"""

EVENTS_PYTHON = """
import hashlib, hmac, json, requests

body = json.dumps(
    {
        "event": "page_view",
        "user_hash": hashlib.sha256(b"demo@example.com").hexdigest(),
        "customer_org_id": "org_456",
        "path": "/dashboard",
    },
    separators=(",", ":"),
).encode("utf-8")
signature = hmac.new("API_SECRET".encode("utf-8"), body, hashlib.sha256).hexdigest()
response = requests.post(
    "HOST/v1/events",
    data=body,
    headers={"Content-Type": "application/json", "x-app-uuid": "APP_UUID", "x-signature": signature},
)
print(response.text)
print(response.status_code)
"""

OWLSIGNAL_CURL = r"""
curl -X POST HOST/api/v1/events \
-H "Authorization: Bearer BEARER_KEY" \
-H "Content-Type: application/json" \
-d '{"events":[{
"build_version":"0.1.0",
"session_id":"00000000-0000-0000-0000-000000000001",
"player_hash":"0123456789abcdef0123456789abcdef",
"ts":"2026-05-06T12:34:56Z",
"type":"session",
"name":"Session:Start"
}]}'
"""

NANOSIGHTS_CURL = r"""
curl -X POST HOST/api/tags/custom -d '{
  "projectKey": "PROJECT_KEY",
  "event_name": "ButtonClick",
  "event_data": {"category": "CTA", "label": "Homepage Hero", "value": 1, "custom_field": "custom value"},
  "url": "https://yourdomain.com/page",
  "page_title": "Home",
  "page_path": "/",
  "referrer": "https://referrer.com/",
  "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)...",
  "sessionId": "uuid-session-id",
  "timestamp": "2025-08-02T14:19:12.000Z"
}'
"""

USERMAVEN_EVENT: dict[str, Any] = {
    "api_key": "API_KEY",
    "event_id": "",
    "event_type": "user_identify",
    "_timestamp": 1632150122000,
    "ids": {},
    "user": {
        "anonymous_id": "random_id",
        "id": "lzL24K3kYw",
        "email": "user@domain.com",
        "created_at": "2021-01-20T09:55:35",
        "first_name": "John",
        "last_name": "Smith",
        "custom": {"plan_name": "premium"},
    },
    "company": {"id": COMPANY, "name": "azhar", "created_at": "2022-02-15T17:25:08", "custom": {"plan": "premium"}},
    "screen_resolution": "0",
    "src": "http",
    "url": "http://localhost:3000/example",
    "page_title": "Your Page Title",
    "doc_path": "/example",
    "doc_host": "localhost",
    "doc_search": "",
    "vp_size": "0",
    "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0",
    "user_language": "en-US",
    "doc_encoding": "UTF-8",
}
UPGRADE = USERMAVEN_EVENT | {"event_type": "plan_upgraded", "event_attributes": {"amount": 100, "currency": "USD"}}
SECOND_UPGRADE = UPGRADE | {"_timestamp": 1632150123000, "event_attributes": {"amount": 25, "currency": "USD"}}
COMMENTED = json.dumps(USERMAVEN_EVENT, indent=2).replace('"API_KEY",', '"API_KEY", // change this')


def filled(snippet: str, served: Served) -> str:
    """The snippet with this server's address and keys."""
    keys = served.keys
    values = {
        "HOST": served.url,
        "APP_UUID": keys["hmac"]["app_uuid"],
        "API_SECRET": keys["hmac"]["api_secret"],
        "BEARER_KEY": keys["bearer"]["key"],
        "PROJECT_KEY": keys["project-key"]["key"],
        "API_KEY": keys["query-token"]["api_key"],
        "SERVER_TOKEN": keys["query-token"]["server_token"],
    }
    return re.sub("|".join(values), lambda found: values[found[0]], snippet)


def usermaven_curl(path: str, body: object) -> str:
    text = body if isinstance(body, str) else json.dumps(body, indent=2)
    return f"curl -X POST 'HOST{path}?token=API_KEY.SERVER_TOKEN' -H 'Content-Type: application/json' -d '{text}'"


def run(*command: str, folder: Path) -> tuple[int, Any]:
    """Status and JSON of the answer that a script prints last; curl adds the status by its own settings."""
    (folder / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
    environment = os.environ | {"CURL_HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    *_, answer, status = done.stdout.splitlines()
    return int(status), json.loads(answer)


def shell(snippet: str, folder: Path) -> tuple[int, Any]:
    return run("bash", "-c", snippet, folder=folder)


@pytest.mark.parametrize(
    "command", [("bash", "-c", EVENTS_CURL), (sys.executable, "-c", EVENTS_PYTHON)], ids=["curl", "python"]
)
def test_saastracker(command: tuple[str, ...], served: Served, tmp_path: Path) -> None:
    arrivals = served.arrivals()
    *interpreter, snippet = command
    assert run(*interpreter, filled(snippet, served), folder=tmp_path) == (202, {"accepted": 1})
    assert columns(arrivals(1), "name", "type", "user", "org", "path", "environment") == [
        ("page_view", "pageview", PERSON, "org_456", "/dashboard", "production")
    ]


def test_owlsignal(served: Served, tmp_path: Path) -> None:
    arrivals = served.arrivals()
    answer = shell(filled(OWLSIGNAL_CURL, served), tmp_path)
    assert answer == (200, {"accepted": 1, "rejected": 0, "errors": []})
    assert columns(arrivals(1), "name", "type", "time", "user", "session", "release") == [
        (
            "Session:Start",
            "session",
            "2026-05-06T12:34:56.000Z",
            "0123456789abcdef0123456789abcdef",
            "00000000-0000-0000-0000-000000000001",
            "0.1.0",
        )
    ]


def test_nanosights(served: Served, tmp_path: Path) -> None:
    arrivals = served.arrivals()
    assert shell(filled(NANOSIGHTS_CURL, served), tmp_path) == (202, {"accepted": 1})
    (event,) = arrivals(1)
    assert columns([event], "name", "type", "time", "session", "path", "value") == [
        ("ButtonClick", "custom", "2025-08-02T14:19:12.000Z", "uuid-session-id", "/", 1.0)
    ]
    assert event["properties"]["custom_field"] == "custom value"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/s2s/event", [USERMAVEN_EVENT]),
        ("/api/v1/s2s/event", [UPGRADE]),
        ("/api/v1/s2s/events", [UPGRADE, SECOND_UPGRADE]),
    ],
    ids=["identify", "custom", "bulk"],
)
def test_usermaven(path: str, body: list[dict[str, Any]], served: Served, tmp_path: Path) -> None:
    arrivals = served.arrivals()
    snippet = usermaven_curl(path, body if len(body) > 1 else body[0])
    assert shell(filled(snippet, served), tmp_path) == (200, {"status": "ok"})
    events = arrivals(len(body))
    times = ["2021-09-20T15:02:02.000Z", "2021-09-20T15:02:03.000Z"]
    assert columns(events, "time", "name", "user", "anonymous_id", "org", "path") == [
        (time, sent["event_type"], "lzL24K3kYw", "random_id", COMPANY, "/example")
        for time, sent in zip(times, body, strict=False)
    ]
    assert [(event["properties"].get("amount"), "api_key" in event["properties"]) for event in events] == [
        (sent.get("event_attributes", {}).get("amount"), False) for sent in body
    ]


def test_usermaven_with_the_comments_of_its_page(served: Served, tmp_path: Path) -> None:
    before = len(served.events())
    status, answer = shell(filled(usermaven_curl("/api/v1/s2s/event", COMMENTED), served), tmp_path)
    assert status == 400
    assert "line 2" in answer["detail"]
    assert len(served.events()) == before


def test_the_lines_of_the_first_start(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        lines = [line for line in server.output.splitlines() if "curl" in line]
        token = re.search(r"^  (st_\S+)$", server.output, re.MULTILINE)
        assert token is not None
        statuses = {re.sub(r".*? '(http\S+?)[?'].*", r"\1", line): shell(line, tmp_path)[0] for line in lines}
        assert statuses == {
            f"{server.url}/v1/events": 202,
            f"{server.url}/api/tags/custom": 202,
            f"{server.url}/api/v1/s2s/event": 200,
            f"{server.url}/api/v1/events": 200,
        }
        names = {event["name"] for event in server.events("my-product", token[1])}
        assert names == {"report_exported", "plan_chosen", "signed_up", "Level:Complete"}
    finally:
        assert server.stop() == 0, server.output
