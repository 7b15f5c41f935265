"""The whole application in this process, on a real store, and what is sent to it."""

import asyncio
import hashlib
import hmac
import itertools
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from saastracker.app import App, build
from saastracker.config import load_config
from saastracker.contracts import Refused
from saastracker.wire import Project
from saastracker_sqlite.store import SqliteStore
from tests.plugins.geoip.test_geoip import database

CONFIG = """
[server]
trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
max_body = 4096
max_body_decompressed = 16384
[plugin.geoip]
database = "countries.mmdb"
"""
COUNTRIES = {
    "192.0.2.0/24": {"country": {"iso_code": "DE"}},
    "198.51.100.0/24": {"country": {"iso_code": "FR"}},
    "10.0.0.0/8": {"country": {"iso_code": "XX"}},
}
PERSON = "ab" * 32
GAME = {
    "build_version": "1.0",
    "session_id": "0190c8a2-7d1e-7c3a-9f00-3b6a1c2d4e5f",
    "player_hash": PERSON,
    "ts": "2026-05-06T12:34:56Z",
    "type": "design",
    "name": "x",
}


class Site:
    """A running application, and one project after the other."""

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        (folder / "data").mkdir()
        (folder / "data" / "countries.mmdb").write_bytes(database(COUNTRIES))
        (folder / "config.toml").write_text(CONFIG)
        self.database = folder / "data" / "saastracker.db"
        self._runner = runner
        self.app: App = build(load_config(folder / "config.toml", folder / "data"))
        self.store = SqliteStore(self.database)
        self._numbers = itertools.count()

    def start(self) -> None:
        self._runner.run(self.app.start())

    def stop(self) -> None:
        self.store.close()
        self._runner.run(self.app.stop())

    def add_project(self, *origins: str) -> "Shop":
        facts = self.app.facts
        project = facts.add_project(f"Shop {next(self._numbers)}", facts.default_workspace().id, origins=origins)
        issued = {name: facts.issue_key(project, scheme) for name, scheme in self.app.registry.auth_schemes.items()}
        return Shop(self, project, {name: issue[1] for name, issue in issued.items() if issue})

    def send(self, *requests: httpx.Request, client: str = "127.0.0.1") -> list[httpx.Response]:
        """Answers to requests sent at the same moment."""

        async def sent() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(client, 4711))
            async with httpx.AsyncClient(transport=transport) as http:
                return await asyncio.gather(*(http.send(request) for request in requests))

        return self._runner.run(sent())

    def rejections(self) -> dict[str, float]:
        """By reason, with and without a project."""
        [answer] = self.send(httpx.Request("GET", "http://localhost/metrics"))
        found = re.findall(r'^saastracker_rejected_total{reason="(\w+)"} (\S+)', answer.text, re.MULTILINE)
        return {reason: float(count) for reason, count in found}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The store cannot write."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield


class Shop:
    """A project, its keys, and requests to it."""

    def __init__(self, site: Site, project: Project, keys: Mapping[str, Mapping[str, str]]) -> None:
        self.site = site
        self.id = project.id
        self.keys = keys

    def hmac(self, body: Any = None, *, path: str = "/v1/events", **headers: str) -> httpx.Request:
        """A signed event; `body` as bytes is sent as it is."""
        sent = encode({"event": "x", "user_hash": PERSON, "customer_org_id": "acme"} if body is None else body)
        signature = hmac.digest(self.keys["hmac"]["api_secret"].encode(), sent, hashlib.sha256).hex()
        given = {"x-app-uuid": self.keys["hmac"]["app_uuid"], "x-signature": signature, **_names(headers)}
        return httpx.Request("POST", f"http://localhost{path}", content=sent, headers=given)

    def tag(self, **headers: str) -> httpx.Request:
        """A browser's event with the public project key."""
        sent = encode({"projectKey": self.keys["project-key"]["key"], "event_name": "x", "sessionId": "s"})
        return httpx.Request("POST", "http://localhost/api/tags/custom", content=sent, headers=_names(headers))

    def batch(self, *events: Any, **headers: str) -> httpx.Request:
        """A game's batch."""
        given = {"authorization": f"Bearer {self.keys['bearer']['key']}", **_names(headers)}
        sent = encode({"events": events})
        return httpx.Request("POST", "http://localhost/api/v1/events", content=sent, headers=given)

    def people(self, body: Any, **headers: str) -> httpx.Request:
        """A server's events with the token in the query string."""
        token = "{api_key}.{server_token}".format(**self.keys["query-token"])
        url = f"http://localhost/api/v1/s2s/event?token={token}"
        return httpx.Request("POST", url, content=encode(body), headers=_names(headers))

    def page(self, body: Any, method: str = "POST", key: str | None = None, **headers: str) -> httpx.Request:
        """A browser's event with the public key in the query string."""
        token = self.keys["query-token"]["api_key"] if key is None else key
        url = f"http://localhost/api/v1/event?token={token}"
        return httpx.Request(method, url, content=encode(body), headers=_names(headers))

    def stored(self, column: str = "name") -> list[Any]:
        with self.site.store.reader() as reader:
            sql = f'SELECT "{column}" FROM events WHERE project = :project ORDER BY sequence'
            return [value for (value,) in reader.query(sql, project=self.id)]

    def refused(self) -> tuple[dict[str, int], list[Refused]]:
        """Counts by reason, and the details; those of requests before are written with an event of now."""
        self.site.send(self.hmac())
        with self.site.store.reader() as reader:
            return reader.refusals(self.id), reader.rejected(self.id, 100)


def encode(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def _names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
