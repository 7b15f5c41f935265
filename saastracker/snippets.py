"""Ready cURL lines, one for each first-party format, filled with a project's keys."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from saastracker.plugins import Bound
from saastracker.records import Key
from saastracker.wire import Project

PLACEHOLDER = "your-secret"  # where a line needs what is not known any more
_PERSON = hashlib.sha256(b"ada@example.com").hexdigest()


def curl(url: str, bindings: Mapping[str, Bound], keys: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A line for a shell by format; `keys` is what was shown, by auth scheme.

    A format that is not at its default path and scheme is left out.
    """
    lines = {}
    for path, (scheme, line) in _LINES.items():
        if path in bindings and bindings[path].scheme.name == scheme and scheme in keys:
            lines[bindings[path].format.name] = line(url + path, keys[scheme])
    return lines


def known(project: Project, keys: Iterable[Key]) -> dict[str, dict[str, str]]:
    """What is readable of a project's live keys, by auth scheme as it was shown; secrets are placeholders."""
    newest = {key.scheme: key for key in keys}
    return {scheme: shown(project, newest[scheme]) for scheme, shown in _READABLE.items() if scheme in newest}


_READABLE: Mapping[str, Callable[[Project, Key], dict[str, str]]] = {
    "hmac": lambda project, _: {"app_uuid": project.id, "api_secret": PLACEHOLDER},
    "project-key": lambda _, key: {"key": key.lookup},
    "query-token": lambda _, key: {"api_key": key.lookup, "server_token": PLACEHOLDER},
    "bearer": lambda *_: {"key": PLACEHOLDER},
}


def _post(url: str, body: object, *headers: str) -> str:
    given = "".join(f" -H '{header}'" for header in headers)
    return f"curl -i '{url}'{given} -d '{msgspec.json.encode(body).decode()}'"


def _events(url: str, keys: Mapping[str, str]) -> str:
    body = {"event": "report_exported", "user_hash": _PERSON, "customer_org_id": "acme", "path": "/reports"}
    text = msgspec.json.encode(body).decode()
    sign = f"""$(printf %s "$BODY" | openssl dgst -sha256 -hmac '{keys["api_secret"]}' -r | cut -d' ' -f1)"""
    return (
        f"BODY='{text}'; "
        f"""curl -i '{url}' -H 'x-app-uuid: {keys["app_uuid"]}' -H "x-signature: {sign}" -d "$BODY\""""
    )


def _nanosights(url: str, keys: Mapping[str, str]) -> str:
    page = "https://app.example.com/pricing"
    body = {
        "projectKey": keys["key"],
        "event_name": "plan_chosen",
        "userId": "ada",
        "url": page,
        "event_data": {"value": 49},
    }
    return _post(url, body)


def _usermaven(url: str, keys: Mapping[str, str]) -> str:
    body = {"event_type": "signed_up", "user": {"id": "ada"}, "company": {"id": "acme", "name": "Acme"}}
    return _post(f"{url}?token={keys['api_key']}.{keys['server_token']}", body)


def _owlsignal(url: str, keys: Mapping[str, str]) -> str:
    event = {
        "build_version": "1.0.0",
        "session_id": str(uuid4()),
        "player_hash": _PERSON,
        "ts": datetime.now(UTC).isoformat(timespec="seconds"),
        "type": "progression",
        "name": "Level:Complete",
        "value": 1,
    }
    return _post(url, {"events": [event]}, f"Authorization: Bearer {keys['key']}")


_LINES: Mapping[str, tuple[str, Callable[[str, Mapping[str, str]], str]]] = {
    "/v1/events": ("hmac", _events),
    "/api/tags/custom": ("project-key", _nanosights),
    "/api/v1/s2s/event": ("query-token", _usermaven),
    "/api/v1/events": ("bearer", _owlsignal),
}
