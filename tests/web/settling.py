"""People of each role, and what they send to the settings."""

from typing import Any
from uuid import uuid4

import httpx
import msgspec

from saastracker import audit
from saastracker.accounts.csrf import csrf_token
from saastracker.accounts.model import OPERATOR, Destination
from saastracker.accounts.subscriptions import destinations
from saastracker.contracts import Change
from saastracker.deliveries import KIND, Delivery, State
from saastracker.records import now_ms
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


def add_destination(running: Running, workspace: str | None = None, address: str = "ops") -> Destination:
    """One more, which hears of errors."""
    subscriptions, place = running.site.accounts.subscriptions, workspace or running.shop.workspace
    for old in destinations(running.site.accounts.snapshot, place)[10:]:
        subscriptions.remove(place, old.id, by=OPERATOR, now=now_ms())
    given: dict[str, Any] = {"name": "Ops", "address": address, "topics": ["errors"], "project": None}
    return subscriptions.add(place, running.hook, by=OPERATOR, now=now_ms(), **given)[0]


def failed(running: Running, state: State = "failed", **more: Any) -> Delivery:
    """A message that was not sent."""
    delivery = Delivery(
        id=uuid4().hex,
        notice="errors/x/1",
        title="New error: out of cheese",
        topic="errors",
        workspace=running.shop.workspace,
        channel="post",
        recipient="x",
        state=state,
        attempts=1,
        due_at=now_ms(),
        changed_at=now_ms(),
        error="No such mailbox.",
    )
    delivery = msgspec.structs.replace(delivery, **more)
    running.records.write([Change(KIND, delivery.id, 0, msgspec.json.encode(delivery))])
    return delivery


def entries(running: Running, kind: str) -> list[tuple[str, str]]:
    """Who did what to records of a kind, oldest first."""
    found = (audit.read(record) for record in running.records.records(audit.KIND))
    return [(entry.who, entry.action) for entry in found if entry.kind == kind]
