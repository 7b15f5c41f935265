"""Who may ask what of the API: each operation, each role and scope, a stranger, a project's token, nobody."""

from typing import Any

import httpx
import msgspec

from saastracker.accounts.csrf import csrf_token
from saastracker.accounts.model import OPERATOR
from saastracker.accounts.shares import Wanted
from saastracker.records import now_ms
from saastracker.roles import ROLES, Role, may
from saastracker.web.callers import SCOPE_ROLES
from saastracker.web.site import SESSION_COOKIE

from .conftest import Running
from .erased import add_person
from .settling import add_destination, failed, people
from .test_sign_in import join, sign_in

PREFIX = "/api/v1"
PROJECT, WORKSPACE = "/projects/{slug:str}", "/workspaces/{workspace:str}"
DEFINITIONS = f"{PROJECT}/definitions/{{kind:str}}"
DEFINITION = f"{DEFINITIONS}/{{definition:str}}"
ISSUE = f"{PROJECT}/issues/{{issue:str}}"

NEEDED: dict[tuple[str, str], Role] = {  # of the address's project or workspace
    ("GET", PROJECT): "viewer",
    ("PUT", PROJECT): "admin",
    ("DELETE", PROJECT): "admin",
    ("POST", f"{PROJECT}/restore"): "admin",
    ("GET", f"{PROJECT}/keys"): "viewer",
    ("POST", f"{PROJECT}/keys"): "admin",
    ("PATCH", f"{PROJECT}/keys/{{key:str}}"): "admin",
    ("DELETE", f"{PROJECT}/keys/{{key:str}}"): "admin",
    ("GET", DEFINITIONS): "viewer",
    ("POST", DEFINITIONS): "member",
    ("POST", f"{DEFINITIONS}/preview"): "viewer",
    ("GET", DEFINITION): "viewer",
    ("PUT", DEFINITION): "member",
    ("DELETE", DEFINITION): "member",
    ("GET", f"{DEFINITION}/versions"): "viewer",
    ("POST", f"{DEFINITION}/preview"): "viewer",
    ("GET", ISSUE): "viewer",
    ("PATCH", ISSUE): "member",
    ("POST", f"{ISSUE}/merge"): "member",
    ("POST", f"{ISSUE}/split"): "member",
    ("GET", f"{PROJECT}/forecast"): "viewer",
    ("GET", f"{PROJECT}/erasures"): "admin",
    ("POST", f"{PROJECT}/erasures"): "admin",
    ("POST", f"{PROJECT}/shares"): "member",
    ("GET", f"{WORKSPACE}/shares"): "member",
    ("DELETE", f"{WORKSPACE}/shares/{{share:str}}"): "member",
    ("GET", WORKSPACE): "viewer",
    ("PUT", WORKSPACE): "owner",
    ("GET", f"{WORKSPACE}/usage"): "viewer",
    ("GET", f"{WORKSPACE}/budget"): "viewer",
    ("PUT", f"{WORKSPACE}/budget"): "admin",
    ("GET", f"{WORKSPACE}/members"): "viewer",
    ("PATCH", f"{WORKSPACE}/members/{{user:str}}"): "admin",
    ("DELETE", f"{WORKSPACE}/members/{{user:str}}"): "admin",
    ("GET", f"{WORKSPACE}/invitations"): "admin",
    ("POST", f"{WORKSPACE}/invitations"): "admin",
    ("DELETE", f"{WORKSPACE}/invitations/{{invitation:str}}"): "admin",
    ("GET", f"{WORKSPACE}/tokens"): "admin",
    ("POST", f"{WORKSPACE}/tokens"): "admin",
    ("DELETE", f"{WORKSPACE}/tokens/{{token:str}}"): "admin",
    ("GET", f"{WORKSPACE}/audit"): "admin",
    ("GET", f"{WORKSPACE}/channels"): "admin",
    ("POST", f"{WORKSPACE}/channels/{{channel:str}}/test"): "admin",
    ("GET", f"{WORKSPACE}/destinations"): "admin",
    ("POST", f"{WORKSPACE}/destinations"): "admin",
    ("DELETE", f"{WORKSPACE}/destinations/{{destination:str}}"): "admin",
    ("POST", f"{WORKSPACE}/destinations/{{destination:str}}/test"): "admin",
    ("GET", f"{WORKSPACE}/messages"): "admin",
    ("POST", f"{WORKSPACE}/messages/{{message:str}}/again"): "admin",
}
ANYWHERE: dict[tuple[str, str], Role] = {  # of no project or workspace: the role in any counts
    ("GET", "/status"): "admin",
    ("GET", "/jobs"): "admin",
    ("POST", "/jobs/{job:str}/run"): "admin",
    ("GET", "/plugins"): "viewer",
    ("POST", "/workspaces"): "admin",
}
OWN = {  # tells each caller what is theirs
    ("GET", "/projects"),
    ("GET", "/workspaces"),
    ("GET", "/account"),
}
OF_ACCOUNTS = {  # not for tokens
    ("PATCH", "/account"),
    ("GET", "/account/topics"),
    ("PATCH", "/account/topics/{place:str}/{topic:str}"),
    ("GET", "/account/sessions"),
    ("DELETE", "/account/sessions"),
    ("DELETE", "/account/sessions/{session:str}"),
}
TO_ONESELF = {("POST", f"{WORKSPACE}/channels/{{channel:str}}/test")}  # and a token has no address
BY_BODY = {("POST", "/projects")}  # which names the workspace
OPEN = {("GET", "/api"), ("GET", "/api/openapi.json")}  # say nothing about anybody


def bodies(running: Running) -> dict[str, Any]:
    """What is right to send, by the end of the address."""
    return {
        "projects": {"name": "New", "workspace": running.shop.workspace},
        "keys": {"scheme": "bearer"},
        "budget": {"budget": 5, "policy": "drop"},
        "{key:str}": {"rate": 5},
        "{kind:str}": {"name": "Checkout"},
        "{definition:str}": {"name": "Checkout"},
        "preview": {"name": "Checkout"},
        "{issue:str}": {"status": "resolved"},
        "merge": {"issue": "1-0"},
        "erasures": {"of": "person", "id": "ada"},
        "split": {"key": "1-0"},
        "workspaces": {"name": f"Workspace {len(running.facts.snapshot.workspaces)}"},
        "{workspace:str}": {"name": "Default"},
        "{user:str}": {"role": "viewer"},
        "invitations": {"email": "guest@example.com", "role": "viewer"},
        "tokens": {"name": "one"},
        "shares": {"report": "stream"},
        "destinations": {"channel": "hook", "name": "Ops", "address": "ops", "topics": ["errors"]},
        "{topic:str}": {"hears": True},
        "{slug:str}": {"name": "Shop"},
        "account": {"name": "Ada"},
    }


def filled(running: Running, method: str, path: str) -> tuple[str, int]:
    """An address of the shop's workspace, all of whose things there are, and the version of what it names."""
    facts, accounts, place = running.facts, running.site.accounts, running.shop.workspace
    slug, version = running.shop.slug, facts.snapshot.versions[running.shop.id]
    if path.startswith(PROJECT) and (method, path) in {("DELETE", PROJECT), ("POST", f"{PROJECT}/restore")}:
        old = facts.add_project("Old", place)
        slug = old.slug
        if method == "POST":
            facts.delete_project(old.id)
    if "{key" in path:
        issue = facts.issue_key(running.shop, running.site.registry.auth_schemes["bearer"])
        assert issue
        path = path.replace("{key:str}", issue[0].id)
    if "{definition" in path:
        value = running.site.definitions.read("flag", b'{"name":"Checkout"}')
        defined = running.site.definitions.create(running.shop.id, "flag", value=value, who="test")
        path, version = path.replace("{definition:str}", defined.id), 1
    if "{user" in path:
        email = f"new{len(accounts.snapshot.users)}@example.com"
        join(running, email, "viewer")
        path = path.replace("{user:str}", accounts.snapshot.by_email[email].id)
    if "{invitation" in path:
        invited = accounts.invitations.invite(place, "other@example.com", "viewer", by=OPERATOR, now=now_ms())
        path = path.replace("{invitation:str}", invited.invitation.id)
    if "{token" in path:
        path = path.replace("{token:str}", facts.add_token("one", place, "read")[0].id)
    if "{share" in path:
        shares, wanted = accounts.shares, Wanted(report="stream")
        made = shares.make(running.shop, wanted, title="Stream", maker="x", who="test", now=now_ms())
        path = path.replace("{share:str}", made.share.id)
    if "/destinations" in path:
        path = path.replace("{destination:str}", add_destination(running).id)
    if "{message" in path:
        path = path.replace("{message:str}", failed(running).id)
    path = path.replace("{channel:str}", "post").replace("{place:str}", place).replace("{topic:str}", "errors")
    if path.startswith(WORKSPACE):
        version = facts.snapshot.versions[place]
    path = path.replace("{slug:str}", slug).replace("{workspace:str}", place).replace("{kind:str}", "flag")
    return PREFIX + path.replace("{job:str}", "greet").replace("{issue:str}", "1-0"), version


def ask(
    running: Running, method: str, path: str, *, cookies: dict[str, str] | None = None, who: str = "", **more: Any
) -> httpx.Response:
    """A request that is right in all but who makes it."""
    if "{session" in path:
        accounts = running.site.accounts
        sign_in(running, who or "owner@example.com")
        user = accounts.snapshot.by_email[who or "owner@example.com"].id
        newest = max(accounts.snapshot.sessions_of(user, now_ms()), key=lambda each: each.created_at)
        path = path.replace("{session:str}", newest.id)
    if "/erasures" in path:
        add_person(running, "ada")
    address, version = filled(running, method, path)
    sent = bodies(running).get(path.rpartition("/")[2]) if method in {"POST", "PUT", "PATCH"} else None
    headers = {"if-match": str(version)} if method == "PUT" else {}
    if cookies and method != "GET" and SESSION_COOKIE in cookies:
        headers["x-csrf-token"] = more.pop("csrf", csrf_token(cookies[SESSION_COOKIE]))
    content = None if sent is None else msgspec.json.encode(sent)
    return running.request(method, address, cookies=cookies, headers=headers, content=content, **more)


def test_every_route_has_a_row(running: Running) -> None:
    routes = {
        (method, route.path.removeprefix(PREFIX))
        for route in running.web.routes
        if route.path.startswith("/api")
        for method in route.methods
        if method not in {"HEAD", "OPTIONS"}
    }
    assert routes == NEEDED.keys() | ANYWHERE.keys() | OWN | OF_ACCOUNTS | BY_BODY | OPEN


def test_who_may(running: Running) -> None:
    cookies = people(running)
    strangers: tuple[dict[str, Any], ...] = (
        {"cookies": cookies["stranger"]},
        {"token": running.token("admin", workspace=running.foreign.workspace)},
        {"token": running.token("admin", project=running.game)},
    )
    for (method, path), needed in NEEDED.items():
        fine = {404} if path.startswith(ISSUE) else {200, 201, 202, 204}  # no plugin that keeps issues is on here
        callers: list[tuple[Role, dict[str, Any]]] = [(role, {"cookies": cookies[role]}) for role in ROLES]
        for scope, role in SCOPE_ROLES.items():
            mailless = (method, path) in TO_ONESELF
            callers.append(("viewer" if mailless else role, {"token": running.token(scope)}))
        for role, given in callers:
            answer = ask(running, method, path, **given)
            assert answer.status_code in (fine if may(role, needed) else {403}), (method, path, role, answer.text)
        for given in strangers:
            assert ask(running, method, path, **given).status_code == 404, (method, path)
        check_nobody(running, method, path, cookies["owner"])


def test_what_belongs_to_no_address(running: Running) -> None:
    cookies = people(running)
    for method, path in [*ANYWHERE, *OWN, *OF_ACCOUNTS, *BY_BODY]:
        needed = ANYWHERE.get((method, path), "admin" if (method, path) in BY_BODY else "viewer")
        for role in ROLES:
            answer = ask(running, method, path, cookies=cookies[role], who=f"{role}@example.com")
            fine = {200, 201, 202, 204, 409} if may(role, needed) else {403}  # 409: the job runs still
            assert answer.status_code in fine, (method, path, role, answer.text)
        for scope, role in SCOPE_ROLES.items():
            status = ask(running, method, path, token=running.token(scope)).status_code
            account = (method, path) in OF_ACCOUNTS or (method, path) == ("POST", "/workspaces")
            assert (status == 403) == (account or not may(role, needed)), (method, path, scope, status)
        check_nobody(running, method, path, cookies["owner"])
    for (method, path), needed in ANYWHERE.items():  # one project's token is nothing to the whole server
        status = ask(running, method, path, token=running.token("admin", project=running.game)).status_code
        assert status == (200 if needed == "viewer" else 403), (method, path)
    assert ask(running, "POST", "/projects", cookies=cookies["stranger"]).status_code == 404


def test_lists_have_what_is_ones_own(running: Running) -> None:
    cookies = people(running)
    for path, own, theirs in (("/projects", {"shop", "game"}, {"foreign"}), ("/workspaces", {"Default"}, {"Other"})):
        name = "slug" if path == "/projects" else "name"
        assert {each[name] for each in ask(running, "GET", path, cookies=cookies["viewer"]).json()} == own
        assert {each[name] for each in ask(running, "GET", path, token=running.token("read")).json()} == own
        assert {each[name] for each in ask(running, "GET", path, cookies=cookies["stranger"]).json()} == theirs
    only = running.token("admin", project=running.game)
    assert [each["slug"] for each in ask(running, "GET", "/projects", token=only).json()] == ["game"]
    assert ask(running, "GET", "/workspaces", token=only).json() == []


def check_nobody(running: Running, method: str, path: str, owner: dict[str, str]) -> None:
    """Not signed in, with a wrong token, and with a cookie but without its token for changes."""
    wrong: tuple[dict[str, Any], ...] = ({}, {"token": "st_wrong"})
    for given in wrong:
        answer = ask(running, method, path, **given)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    if method != "GET":
        for csrf in ("", "x"):
            assert ask(running, method, path, cookies=owner, csrf=csrf).status_code == 403
        token = {"saastracker_token": running.token("admin")}
        assert ask(running, method, path, cookies=token).status_code == 401
