"""Who may open and send what in the settings: each route, each role, a stranger, an API token, nobody."""

import pytest

from saastracker.accounts.model import OPERATOR
from saastracker.accounts.shares import Wanted
from saastracker.records import now_ms
from saastracker.roles import ROLES, Role, may
from saastracker.web.settings import ROUTES

from .conftest import Running
from .erased import add_person
from .settling import add_destination, failed, look, people, send
from .test_sign_in import join

PAGES: dict[str, Role] = {
    "/settings/projects": "viewer",
    "/settings/projects/{slug:str}": "viewer",
    "/settings/projects/{slug:str}/keeping": "viewer",
    "/settings/projects/{slug:str}/erase/{of:str}/{item:path}": "admin",
    "/settings/workspace": "viewer",
    "/settings/members": "viewer",
    "/settings/plugins": "viewer",
    "/settings/usage": "viewer",
    "/settings/shares": "member",
    "/settings/tokens": "admin",
    "/settings/notifications": "admin",
    "/settings/status": "admin",
    "/settings/jobs": "admin",
    "/settings/audit": "admin",
}
FORMS: dict[str, Role] = {
    "/settings/projects": "admin",
    "/settings/projects/{slug:str}": "admin",
    "/settings/projects/{slug:str}/keeping": "admin",
    "/settings/projects/{slug:str}/erase/{of:str}/{item:path}": "admin",
    "/settings/projects/{slug:str}/delete": "admin",
    "/settings/projects/{slug:str}/restore": "admin",
    "/settings/projects/{slug:str}/keys": "admin",
    "/settings/projects/{slug:str}/keys/{key:str}/limit": "admin",
    "/settings/projects/{slug:str}/keys/{key:str}/revoke": "admin",
    "/settings/workspace": "owner",
    "/settings/members/{user:str}/role": "admin",
    "/settings/members/{user:str}/remove": "admin",
    "/settings/invitations": "admin",
    "/settings/invitations/{invitation:str}/withdraw": "admin",
    "/settings/usage": "admin",
    "/settings/usage/dismiss": "viewer",
    "/settings/shares": "member",
    "/settings/shares/{share:str}/revoke": "member",
    "/settings/tokens": "admin",
    "/settings/tokens/{token:str}/revoke": "admin",
    "/settings/notifications/destinations": "admin",
    "/settings/notifications/destinations/{destination:str}/remove": "admin",
    "/settings/notifications/destinations/{destination:str}/test": "admin",
    "/settings/notifications/channels/{channel:str}/test": "admin",
    "/settings/notifications/messages/{delivery:str}/again": "admin",
    "/settings/jobs/{name:str}/run": "admin",
}
ADDS_WORKSPACE = "/settings/workspaces"  # whoever is an admin anywhere
EVERYBODYS = {  # who have an account
    "/settings",
    "/settings/account",
    "/settings/account/second-factor",
    "/settings/account/notifications",
}
OWN = {  # forms about oneself
    "/settings/account/name",
    "/settings/account/password",
    "/settings/account/second-factor",
    "/settings/account/second-factor/remove",
    "/settings/account/recovery-codes",
    "/settings/account/notifications",
    "/settings/account/sessions/{session:str}/end",
    "/settings/account/sessions/end-others",
}


def filled(running: Running, path: str) -> str:
    """An address of the shop's workspace, all of whose things there are."""
    facts, shop = running.facts, running.shop
    if "{key" in path:
        issue = facts.issue_key(shop, running.site.registry.auth_schemes["bearer"])
        assert issue
        path = path.replace("{key:str}", issue[0].id)
    accounts, place = running.site.accounts, shop.workspace
    if "{user" in path:
        number = len(accounts.snapshot.users)
        join(running, f"new{number}@example.com", "viewer")
        path = path.replace("{user:str}", accounts.snapshot.by_email[f"new{number}@example.com"].id)
    if "{invitation" in path:
        made = accounts.invitations.invite(place, "guest@example.com", "viewer", by=OPERATOR, now=now_ms())
        path = path.replace("{invitation:str}", made.invitation.id)
    if "{share" in path:
        new = accounts.shares.make(shop, Wanted(report="stream"), title="", maker="", who="ada", now=now_ms())
        path = path.replace("{share:str}", new.share.id)
    if "{destination" in path:
        path = path.replace("{destination:str}", add_destination(running).id)
    if "{delivery" in path:
        path = path.replace("{delivery:str}", failed(running).id)
    if "{token" in path:
        path = path.replace("{token:str}", facts.add_token("one", place, "read")[0].id)
    if "{item" in path:
        path = path.replace("{of:str}/{item:path}", f"person/{add_person(running)}")
    if "/restore" in path:
        shop = running.facts.snapshot.projects_by_slug.get("old") or facts.add_project("Old", place)
        facts.delete_project(shop.id)
    path = path.replace("{slug:str}", shop.slug).replace("{name:str}", "greet").replace("{channel:str}", "post")
    return path if "/projects/" in path else f"{path}?workspace={shop.workspace}"


def test_every_route_is_tested() -> None:
    routes = {(method, path) for route in ROUTES for path in route.paths for method in route.http_methods}
    assert {path for method, path in routes if method == "GET"} == PAGES.keys() | EVERYBODYS
    assert {path for method, path in routes if method == "POST"} == FORMS.keys() | OWN | {ADDS_WORKSPACE}


def test_pages_open_by_role(running: Running) -> None:
    cookies = people(running)
    for path, needed in PAGES.items():
        address = filled(running, path)
        for role in ROLES:
            expected = 200 if may(role, needed) else 403
            assert look(running, address, cookies[role]).status_code == expected, (path, role)
        assert look(running, address, cookies["stranger"]).status_code == 404, path
        assert look(running, address, {}).headers["location"].startswith("/sign-in?next=%2Fsettings"), path
        token = {"saastracker_token": running.token("admin")}
        assert look(running, address, token).status_code == 403, path


def test_forms_are_taken_by_role(running: Running) -> None:
    cookies = people(running)
    for path, needed in FORMS.items():
        for role in ROLES:
            answer = send(running, filled(running, path), cookies[role])
            assert (answer.status_code != 403) == may(role, needed), (path, role, answer.text)
            assert answer.status_code in {200, 303, 400, 403, 409}, (path, role)
        assert send(running, filled(running, path), cookies["stranger"]).status_code == 404, path
        address = filled(running, path)
        for csrf in ("", "x"):
            assert send(running, address, cookies["owner"], csrf=csrf).status_code == 403, path
        token = {"saastracker_token": running.token("admin")}
        assert running.request("POST", address, cookies=token, data={"a": "b"}).status_code == 403, path
        nobody = running.request("POST", address, data={"a": "b"}, headers={"accept": "text/html"})
        assert nobody.headers["location"].startswith("/sign-in"), path


@pytest.mark.parametrize("path", sorted(PAGES))
def test_tabs_are_those_that_open(running: Running, path: str) -> None:
    cookies = people(running)
    for role in ROLES:
        page = look(running, filled(running, path), cookies[role])
        for tab, needed in PAGES.items():
            if page.status_code == 200 and "{" not in tab:
                assert (f'<a href="{tab}?' in page.text) == may(role, needed), (role, tab)


def test_workspaces_are_made_by_role(running: Running) -> None:
    cookies = people(running)
    for role in ROLES:
        answer = send(running, ADDS_WORKSPACE, cookies[role], new=f"Of {role}")
        assert answer.status_code == (303 if may(role, "admin") else 403), role
        assert send(running, ADDS_WORKSPACE, cookies[role], new="x", csrf="x").status_code == 403, role
    token = {"saastracker_token": running.token("admin")}
    assert running.request("POST", ADDS_WORKSPACE, cookies=token, data={"new": "x"}).status_code == 403
    nobody = running.request("POST", ADDS_WORKSPACE, data={"new": "x"}, headers={"accept": "text/html"})
    assert nobody.headers["location"].startswith("/sign-in")
    assert {each.name for each in running.facts.snapshot.workspaces.values()} >= {"Of admin", "Of owner"}
    assert not {"Of member", "Of viewer", "x"} & {each.name for each in running.facts.snapshot.workspaces.values()}


def test_everybody_has_an_account_page(running: Running) -> None:
    cookies = people(running)
    for path in EVERYBODYS - {"/settings"}:
        assert {look(running, path, given).status_code for given in cookies.values()} == {200}
        assert look(running, path, {}).headers["location"].startswith("/sign-in")
        assert look(running, path, {"saastracker_token": running.token("admin")}).status_code == 403
    theirs = running.site.accounts.snapshot.sessions_of(
        running.site.accounts.snapshot.by_email["stranger@example.com"].id, now_ms()
    )
    for path in OWN:
        address = path.replace("{session:str}", theirs[0].id)
        for role in ROLES:
            status = send(running, address, cookies[role]).status_code
            assert status in ({404} if "{" in path else {303, 400, 401, 429}), (path, role)
            assert send(running, address, cookies[role], csrf="x").status_code == 403, path
        assert running.request("POST", address, data={"a": "b"}, headers={"accept": "text/html"}).status_code == 303


def test_who_belongs_to_no_workspace_finds_nothing(running: Running) -> None:
    cookies = people(running)
    accounts = running.site.accounts
    viewer = accounts.snapshot.by_email["viewer@example.com"]
    accounts.roles.remove(running.shop.workspace, viewer.id, by=OPERATOR, now=1)
    assert look(running, "/settings/projects", cookies["viewer"]).status_code == 404
    assert look(running, "/settings", cookies["viewer"]).headers["location"] == "/settings/account"
