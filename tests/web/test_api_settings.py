"""Settings over the API: what is made is told once and works, versions guard changes, lists go on, all is logged."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest

from saastracker import audit
from saastracker.accounts.csrf import csrf_token
from saastracker.contracts import Record, RecordStore
from saastracker.event import Event
from saastracker.web.site import SESSION_COOKIE
from saastracker.web.trail import PAGE

from .conftest import Running
from .test_sign_in import join

API = "/api/v1"


def ask(running: Running, method: str, path: str, token: str, body: Any = None, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return running.request(method, API + path, token=token, json=body, headers=sent)


def test_a_project_from_beginning_to_end(running: Running) -> None:
    admin = running.token("admin")
    body = {"name": "Second Shop", "timezone": "Asia/Kolkata", "origins": ["app.example.com"]}
    made = ask(running, "POST", "/projects", admin, body)
    assert (made.status_code, made.headers["location"]) == (201, f"{API}/projects/second-shop")
    project = made.json()
    keys = project.pop("keys")
    assert {"hmac", "bearer", "query-token", "project-key"} <= keys.keys()
    assert {name: project[name] for name in body} == body
    one = ask(running, "GET", "/projects/second-shop", admin)
    assert (one.json(), one.headers["etag"]) == (project, '"1"')
    assert keys["bearer"]["key"] not in one.text

    change = {"name": "Third", "timezone": "UTC"}
    assert ask(running, "PUT", "/projects/second-shop", admin, change).status_code == 428
    assert ask(running, "PUT", "/projects/second-shop", admin, change, if_match="7").status_code == 412
    changed = ask(running, "PUT", "/projects/second-shop", admin, change, if_match='"1"').json()
    assert (changed["name"], changed["origins"], changed["version"], changed["slug"]) == ("Third", [], 2, "second-shop")

    gone = ask(running, "DELETE", "/projects/second-shop", admin).json()
    assert gone["deleted_at"] < gone["restorable_until"]
    assert ask(running, "GET", "/projects/second-shop", admin).status_code == 404
    deleted = ask(running, "GET", "/projects?deleted=true", admin).json()
    assert [each["slug"] for each in deleted] == ["second-shop"]
    assert ask(running, "POST", "/projects/second-shop/restore", admin).json()["deleted_at"] is None
    assert ask(running, "POST", "/projects/second-shop/restore", admin).status_code == 404
    assert ask(running, "GET", "/projects/second-shop", admin).json()["name"] == "Third"


def test_keys_are_shown_once_rotated_and_revoked(running: Running) -> None:
    admin = running.token("admin")
    first = ask(running, "POST", "/projects/shop/keys", admin, {"scheme": "bearer"}).json()
    second = ask(running, "POST", "/projects/shop/keys", admin, {"scheme": "bearer", "overlap_hours": 2}).json()
    assert first["shown"]["key"] != second["shown"]["key"]
    listed = ask(running, "GET", "/projects/shop/keys", admin)
    old, new = listed.json()
    assert second["shown"]["key"] not in listed.text
    assert (old["id"], new["id"], new["expires_at"]) == (first["id"], second["id"], None)
    left = datetime.fromisoformat(old["expires_at"]) - datetime.now(UTC)
    assert 1.9 < left.total_seconds() / 3600 <= 2
    assert ask(running, "DELETE", f"/projects/shop/keys/{new['id']}", admin).status_code == 204
    assert ask(running, "GET", "/projects/shop/keys", admin).json()[1]["revoked_at"]
    wrong = ask(running, "POST", "/projects/shop/keys", admin, {"scheme": "baerer"})
    assert (wrong.status_code, "bearer" in wrong.json()["detail"]) == (404, True)


def test_keys_are_limited(running: Running) -> None:
    admin = running.token("admin")
    first = ask(running, "POST", "/projects/shop/keys", admin, {"scheme": "bearer", "rate": 7}).json()
    assert first["rate"] == 7
    rotated = ask(running, "POST", "/projects/shop/keys", admin, {"scheme": "bearer", "overlap_hours": 2}).json()
    assert rotated["rate"] == 7, "a new key does not lift the limit of those it replaces"
    other = ask(running, "POST", "/projects/shop/keys", admin, {"scheme": "hmac"}).json()
    assert other["rate"] is None
    path = f"/projects/shop/keys/{first['id']}"
    assert ask(running, "PATCH", path, admin, {"rate": None}).json()["rate"] is None
    assert ask(running, "PATCH", path, admin, {"rate": 100_000}).json()["rate"] == 100_000
    for wrong in ({"rate": 0}, {"rate": 100_001}, {"rate": 1.5}, {"rate": "9"}, {}):
        assert ask(running, "PATCH", path, admin, wrong).status_code == 400, wrong
    assert ask(running, "PATCH", "/projects/game/keys/" + first["id"], admin, {"rate": 1}).status_code == 404
    assert [key["rate"] for key in ask(running, "GET", "/projects/shop/keys", admin).json()] == [100_000, 7, None]


def test_a_token_opens_what_it_says(running: Running) -> None:
    admin, place = running.token("admin"), running.shop.workspace
    body = {"name": "reader", "scope": "read", "project": "game"}
    made = ask(running, "POST", f"/workspaces/{place}/tokens", admin, body).json()
    assert [each["slug"] for each in ask(running, "GET", "/projects", made["token"]).json()] == ["game"]
    assert ask(running, "POST", f"/workspaces/{place}/tokens", admin, {**body, "project": "foreign"}).status_code == 404
    assert ask(running, "DELETE", f"/workspaces/{place}/tokens/{made['id']}", admin).status_code == 204
    assert ask(running, "GET", "/projects", made["token"]).status_code == 401


def test_an_invitation_lets_somebody_in_and_roles_change(running: Running) -> None:
    owner = join(running, "owner@example.com", "owner")
    place = f"{API}/workspaces/{running.shop.workspace}"
    csrf = {"x-csrf-token": csrf_token(owner[SESSION_COOKIE])}

    def send(method: str, path: str, body: Any = None) -> httpx.Response:
        return running.request(method, place + path, cookies=owner, headers=csrf, json=body)

    made = send("POST", "/invitations", {"email": "ada@example.com", "role": "viewer"}).json()
    assert made["link"].startswith("https://stats.example/sign-up/")
    assert made["link"] not in send("GET", "/invitations").text
    join(running, "bo@example.com", "viewer")
    members = {each["email"]: each for each in send("GET", "/members").json()}
    assert {email: each["role"] for email, each in members.items()} == {
        "bo@example.com": "viewer",
        "owner@example.com": "owner",
    }
    bo, self = members["bo@example.com"]["user"], members["owner@example.com"]["user"]
    assert send("PATCH", f"/members/{bo}", {"role": "admin"}).json()["role"] == "admin"
    assert send("PATCH", f"/members/{self}", {"role": "viewer"}).status_code == 409  # the last owner
    assert send("DELETE", f"/members/{bo}").status_code == 204
    assert send("DELETE", f"/invitations/{made['id']}").status_code == 204
    assert send("GET", "/invitations").json() == []


def test_usage_is_by_month_and_project(running: Running) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    for project, count in ((running.shop, 3), (running.game, 2), (running.foreign, 5)):
        running.add(*(Event(name="a", received_at=now) for _ in range(count)), project=project)
    place = running.shop.workspace
    months = ask(running, "GET", f"/workspaces/{place}/usage?months=3", running.token()).json()
    this = f"{datetime.now(UTC):%Y-%m}"
    used = {
        month["month"]: (month["events"], {each["project"]: each["events"] for each in month["projects"]})
        for month in months
    }
    assert len(months) == 3
    assert sum(events for events, _ in used.values()) == 5
    assert {project: events for _, shares in used.values() for project, events in shares.items()} == {
        "shop": 3,
        "game": 2,
    }
    assert months[0]["month"] == this


def test_a_workspace_is_renamed_and_budgeted_by_its_owner(running: Running) -> None:
    owner = join(running, "owner@example.com", "owner")
    path = f"{API}/workspaces/{running.shop.workspace}"
    headers = {"x-csrf-token": csrf_token(owner[SESSION_COOKIE]), "if-match": "1"}
    body = {"name": "Shops", "budget": 1000.0, "policy": "drop"}
    changed = running.request("PUT", path, cookies=owner, headers=headers, json=body).json()
    assert (changed["name"], changed["budget"], changed["policy"], changed["version"]) == ("Shops", 1000, "drop", 2)
    assert running.request("PUT", path, cookies=owner, headers=headers, json=body).status_code == 412


def test_the_audit_log_is_read_page_by_page(running: Running) -> None:
    admin, place = running.token("admin"), running.shop.workspace
    for number in range(4):
        ask(running, "POST", "/projects", admin, {"name": f"P{number}"})
    found: list[tuple[str, str]] = []
    address = f"{API}/workspaces/{place}/audit?limit=3"
    while address:
        answer = running.get(address, token=admin)
        assert len(answer.json()) <= 3
        found += [(each["at"], each["id"]) for each in answer.json()]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    whole = ask(running, "GET", f"/workspaces/{place}/audit?limit=1000", admin)
    assert found == [(each["at"], each["id"]) for each in whole.json()]
    times = [at for at, _ in found]
    assert times == sorted(times, reverse=True)
    assert len(set(found)) == len(found) > 8
    assert "Foreign" not in whole.text
    assert "digest" not in whole.text


class CountingRecords:
    """Records, and how many of the audit log were read."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def newest(self, kind: str, limit: int, before: str | None = None) -> list[Record]:
        found = self._records.newest(kind, limit, before)
        self.read += len(found)
        return found


def test_a_page_of_the_audit_log_reads_no_more_than_it_has_to(running: Running) -> None:
    place = running.shop.workspace
    entries = [
        audit.Entry(at=at, who="ada", project="", workspace=place, action="change", kind="x", record="y", version=1)
        for at in range(3 * PAGE)
    ]
    running.records.write([audit.record(entry) for entry in entries])
    counting = CountingRecords(running.records)
    asked = replace(running, site=replace(running.site, records=cast("RecordStore", counting)))
    address = f"{API}/workspaces/{place}/audit?limit=20"
    for page in range(3):
        counting.read = 0
        answer = asked.get(address, token=running.token("admin"))
        assert counting.read <= 2 * PAGE, page
        address = answer.links["next"]["url"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("PATCH", "/projects", {}, 405),
        ("GET", "/nothing", {}, 404),
        ("POST", "/projects", {"content": b"x" * 70_000}, 413),
        ("POST", "/projects", {"data": {"name": "a"}}, 415),
        ("POST", "/projects", {"content": b"{"}, 400),
        ("POST", "/projects", {"json": {"name": "a\u202eb"}}, 400),
        ("GET", "/projects?page=2", {}, 400),
        ("GET", "/projects?limit=1&limit=2", {}, 400),
        ("GET", "/projects?after=xyz", {}, 400),
    ],
)
def test_every_refusal_is_problem_details(
    running: Running, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    answer = running.request(method, API + path, token=running.token("admin"), **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert {"type", "title", "detail"} <= answer.json().keys()


def test_options_tells_all_methods(running: Running) -> None:
    answer = running.request("OPTIONS", f"{API}/projects/shop")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
