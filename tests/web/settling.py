"""People of each role, and what they send to the settings."""

from typing import Any

import httpx

from saastracker import audit
from saastracker.accounts.csrf import csrf_token
from saastracker.web.site import SESSION_COOKIE

from .conftest import Running
from .test_sign_in import join

Cookies = dict[str, str]


def people(running: Running) -> dict[str, Cookies]:
    """One of each role in the shop's workspace, and a stranger: the owner of the other one."""
    shop, other = running.shop.workspace, running.foreign.workspace
    return {
        "owner": join(running, "owner@example.com", "owner", shop),
        "admin": join(running, "admin@example.com", "admin", shop),
        "member": join(running, "member@example.com", "member", shop),
        "viewer": join(running, "viewer@example.com", "viewer", shop),
        "stranger": join(running, "stranger@example.com", "owner", other),
    }


def send(running: Running, path: str, cookies: Cookies, **fields: Any) -> httpx.Response:
    """A form that is sent with its token."""
    data = {"csrf": csrf_token(cookies[SESSION_COOKIE]), **fields}
    return running.request("POST", path, cookies=cookies, data=data, headers={"accept": "text/html"})


def look(running: Running, path: str, cookies: Cookies) -> httpx.Response:
    return running.get(path, cookies=cookies, headers={"accept": "text/html"})


def entries(running: Running, kind: str) -> list[tuple[str, str]]:
    """Who did what to records of a kind, oldest first."""
    found = (audit.read(record) for record in running.records.records(audit.KIND))
    return [(entry.who, entry.action) for entry in found if entry.kind == kind]
