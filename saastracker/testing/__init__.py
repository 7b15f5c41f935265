"""Contract suites and stand-ins with which a plugin, first or third party, is tested."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from saastracker.testing.definitions import InMemoryDefinitions as InMemoryDefinitions
from saastracker.wire import Project, Request

pytest.register_assert_rewrite(
    "saastracker.testing.auth",
    "saastracker.testing.copying",
    "saastracker.testing.erasing",
    "saastracker.testing.formats",
    "saastracker.testing.opened",
    "saastracker.testing.stores",
    "saastracker.testing.readers",
    "saastracker.testing.record_stores",
)

NOW = 1_778_070_896_000  # 2026-05-06T12:34:56Z in milliseconds; when the requests made here arrive
PROJECT = Project(id="11111111-2222-4333-8444-555555555555", slug="shop", name="Shop", workspace="w1")
OTHER_PROJECT = Project(id="99999999-8888-4777-8666-555555555555", slug="game", name="Game", workspace="w2")


class _Recorded(msgspec.Struct):
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str


def request(
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    received_at: int = NOW,
) -> Request:
    """A request as an auth scheme or wire format gets it; header names in any case."""
    return Request(
        method=method,
        path=path,
        query_string=query.encode(),
        headers={name.lower().encode(): value.encode() for name, value in (headers or {}).items()},
        raw=body,
        body=body,
        received_at=received_at,
    )


def recorded(file: Path, received_at: int = NOW) -> Request:
    """A client's request kept as a JSON file with `method`, `path`, `query`, `headers` and `body`."""
    sent = msgspec.json.decode(file.read_bytes(), type=_Recorded)
    return request(
        sent.body.encode(),
        method=sent.method,
        path=sent.path,
        query=sent.query,
        headers=sent.headers,
        received_at=received_at,
    )
