"""The event that each format's example sends: where to, with what body, and how it is proved who sends."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import uuid4

Keys: TypeAlias = Mapping[str, str]  # what an auth scheme showed of a key, by label

_PERSON = hashlib.sha256(b"ada@example.com").hexdigest()
_PAGE = "https://app.example.com/pricing"


class Sent(NamedTuple):
    """One request."""

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = {}
    secret: str | None = None  # signs the body, into the header `x-signature`


class Call(NamedTuple):
    """How a server sends a format."""

    scheme: str
    about: str
    sent: Callable[[str, Keys], Sent]  # with the address and the keys of the scheme


class Tag(NamedTuple):
    """How a page sends a format, with public values only."""

    path: str
    scheme: str
    sent: Callable[[str, Keys], tuple[str, str]]  # the address, and the body as the fields of an object in JavaScript


def _events(url: str, keys: Keys) -> Sent:
    body = {"event": "report_exported", "user_hash": _PERSON, "customer_org_id": "acme", "path": "/reports"}
    return Sent(url, body, {"x-app-uuid": keys["app_uuid"]}, keys["api_secret"])


def _nanosights(url: str, keys: Keys) -> Sent:
    body = {
        "projectKey": keys["key"],
        "event_name": "plan_chosen",
        "userId": "ada",
        "url": _PAGE,
        "event_data": {"value": 49},
    }
    return Sent(url, body)


def _usermaven(url: str, keys: Keys) -> Sent:
    body = {"event_type": "signed_up", "user": {"id": "ada"}, "company": {"id": "acme", "name": "Acme"}}
    return Sent(f"{url}?token={keys['api_key']}.{keys['server_token']}", body)


def _owlsignal(url: str, keys: Keys) -> Sent:
    event = {
        "build_version": "1.0.0",
        "session_id": str(uuid4()),
        "player_hash": _PERSON,
        "ts": datetime.now(UTC).isoformat(timespec="seconds"),
        "type": "progression",
        "name": "Level:Complete",
        "value": 1,
    }
    return Sent(url, {"events": [event]}, {"Authorization": f"Bearer {keys['key']}"})


def _page_view(url: str, keys: Keys) -> tuple[str, str]:
    body = f"""projectKey: "{keys["key"]}",
event_name: "page_view",
sessionId: visitor,
url: location.href,
page_title: document.title,
referrer: document.referrer,"""
    return url, body


def _usermaven_view(url: str, keys: Keys) -> tuple[str, str]:
    body = """event_type: "pageview",
user: { anonymous_id: visitor },
url: location.href,
page_title: document.title,
referer: document.referrer,"""
    return f"{url}?token={keys['api_key']}", body


CALLS: Mapping[str, Call] = {  # by path
    "/v1/events": Call("hmac", "Product events with organizations, signed by your server.", _events),
    "/api/tags/custom": Call("project-key", "Page views and custom events under a public key.", _nanosights),
    "/api/v1/s2s/event": Call("query-token", "People and companies, from your server or a page.", _usermaven),
    "/api/v1/events": Call("bearer", "Telemetry of games and apps, in batches of up to 100.", _owlsignal),
}
TAGS: Mapping[str, Tag] = {  # by the path of the format's call
    "/api/tags/custom": Tag("/api/tags/analytics", "project-key", _page_view),
    "/api/v1/s2s/event": Tag("/api/v1/event", "query-key", _usermaven_view),
}
