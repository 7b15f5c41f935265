"""Forms of signing in and up: none is sent from elsewhere, and their pages need no script."""

import re

import pytest

from saastracker.accounts.csrf import csrf_token
from saastracker.accounts.model import OPERATOR
from saastracker.records import now_ms
from saastracker.web.site import SESSION_COOKIE

from .conftest import BASE, Running
from .test_sign_in import ADA, invite, join


@pytest.mark.parametrize("path", ["/theme", "/logout", "/sign-out", "/sign-in", "/sign-in/code", "/login"])
def test_forms_of_who_is_signed_in_carry_a_token(running: Running, path: str) -> None:
    cookies, others = join(running), join(running, "bob@example.com")
    for csrf in ("", "x", csrf_token(others[SESSION_COOKIE]), cookies[SESSION_COOKIE]):
        answer = running.request("POST", path, cookies=cookies, data={"csrf": csrf})
        assert (answer.status_code, "earlier sign-in" in answer.text) == (403, True)
    right = running.request("POST", path, cookies=cookies, data={"csrf": csrf_token(cookies[SESSION_COOKIE])})
    assert right.status_code != 403


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/sign-up/x", "/password/x"])
def test_forms_of_other_sites_are_refused(running: Running, path: str) -> None:
    for origin in ("https://evil.example", "null"):
        assert running.request("POST", path, data={"a": "b"}, headers={"origin": origin}).status_code == 403
    assert running.request("POST", path, data={"a": "b"}, headers={"origin": BASE}).status_code != 403


def test_a_session_changes_nothing_without_its_token(running: Running) -> None:
    cookies = join(running, role="owner")
    flags = "/api/v1/projects/shop/definitions/flag"
    for headers in ({}, {"x-csrf-token": "x"}, {"origin": BASE}, {"authorization": "Basic YTpi"}):
        assert running.request("POST", flags, json={"name": "a"}, cookies=cookies, headers=headers).status_code == 403
    assert running.get(flags, cookies=cookies).json() == []


@pytest.mark.parametrize("path", ["/sign-in", "/login", "/sign-up/{link}", "/password/{link}"])
def test_pages_have_title_and_heading_and_no_script(running: Running, path: str) -> None:
    join(running)
    accounts = running.site.accounts
    link = invite(running, "bob@example.com").removeprefix("/sign-up/")
    if path.startswith("/password"):
        link = accounts.own.reset(accounts.snapshot.by_email[ADA], by=OPERATOR, factor=False, now=now_ms())
    text = running.get(path.format(link=link)).text
    assert re.search(r"<title>[^<]+ · saastracker</title>", text)
    assert len(re.findall("<h1", text)) == 1
    assert "<script" not in text
    assert "style=" not in text
    labels = set(re.findall(r'<label for="(\w+)"', text))
    assert labels == set(re.findall(r'<input class="input" id="(\w+)"', text))
