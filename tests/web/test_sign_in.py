"""Coming in: by a link, with a password, with a code; and what each role may then do."""

import re
from typing import Any

import httpx
import pytest

from saastracker.accounts import totp
from saastracker.accounts.csrf import csrf_token
from saastracker.accounts.invitations import first_owner
from saastracker.accounts.model import OPERATOR
from saastracker.records import now_ms
from saastracker.roles import ROLES, Role
from saastracker.web.callers import Caller
from saastracker.web.site import SESSION_COOKIE

from .conftest import Running

PASSWORD = "an owl in the chimney"
ADA = "ada@example.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def invite(running: Running, email: str, role: Role = "member", workspace: str | None = None) -> str:
    invitations = running.site.accounts.invitations
    made = invitations.invite(workspace or running.shop.workspace, email, role, by=OPERATOR, now=now_ms())
    return f"/sign-up/{made.link}"


def sign_up(running: Running, path: str, email: str, **fields: str) -> httpx.Response:
    sent = {"name": "Ada", "email": email, "password": PASSWORD, **fields}
    return running.request("POST", path, data=sent, headers={"user-agent": FIREFOX})


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    """The session cookie that an answer set."""
    found = re.search(rf"{SESSION_COOKIE}=([^;]+);", answer.headers["set-cookie"])
    assert found, answer.text
    return {SESSION_COOKIE: found[1]}


def join(running: Running, email: str = ADA, role: Role = "member", workspace: str | None = None) -> dict[str, str]:
    """Cookies of somebody new."""
    return cookies_of(sign_up(running, invite(running, email, role, workspace), email))


def sign_in(running: Running, email: str = ADA, password: str = PASSWORD, **fields: str) -> httpx.Response:
    return running.request("POST", "/sign-in", data={"email": email, "password": password, **fields})


def test_the_first_link_makes_the_owner(running: Running) -> None:
    invited, writes = first_owner(running.shop.workspace, now_ms())
    running.records.write(writes)
    running.site.accounts.refresh()
    path = f"/sign-up/{invited.link}"
    form = running.get(path)
    assert form.status_code == 200
    assert "You become owner of the workspace Default." in form.text
    answer = sign_up(running, path, ADA)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    set_cookie = answer.headers["set-cookie"].lower()
    assert all(part in set_cookie for part in ("httponly", "samesite=lax", "secure", "path=/"))
    cookies = cookies_of(answer)
    assert running.get("/p/shop/stream", cookies=cookies).status_code == 200
    assert running.get("/p/shop/stream.json", cookies=cookies).status_code == 200
    assert running.get("/p/foreign/stream", cookies=cookies).status_code == 404
    assert sign_up(running, path, "eve@example.com").status_code == 404
    used = running.get(path, headers={"accept": "text/html"})
    assert used.status_code == 404
    assert '<h1 id="h-refused">This link no longer works</h1>' in used.text
    assert "If you made your account with it, sign in" in used.text
    assert '<a class="btn" href="/sign-in">Sign in</a>' in used.text


def test_pages_lead_to_sign_in_once_there_are_accounts(running: Running) -> None:
    assert running.get("/p/shop/stream").headers["location"] == "/login?next=%2Fp%2Fshop%2Fstream"
    join(running)
    onward = running.get("/p/shop/stream?type=error").headers["location"]
    assert onward == "/sign-in?next=%2Fp%2Fshop%2Fstream%3Ftype%3Derror"
    assert 'name="next" value="/p/shop/stream?type=error"' in running.get(onward).text
    assert running.get("/p/shop/stream.json").status_code == 401
    assert "Sign in with e-mail and password" in running.get("/login").text


def test_a_password_signs_in_and_out(running: Running) -> None:
    join(running)
    answer = sign_in(running, " ADA@example.com ", next="/p/shop/stream")
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/shop/stream")
    cookies = cookies_of(answer)
    text = running.get("/p/shop/stream", cookies=cookies).text
    csrf = csrf_token(cookies[SESSION_COOKIE])
    assert text.count(f'name="csrf" value="{csrf}"') == text.count('method="post"') > 0
    assert cookies[SESSION_COOKIE] not in text
    out = running.request("POST", "/sign-out", cookies=cookies, data={"csrf": csrf})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert "max-age=0" in out.headers["set-cookie"].lower()
    assert running.get("/p/shop/stream.json", cookies=cookies).status_code == 401


def test_after_signing_in_one_stays_on_this_server(running: Running) -> None:
    join(running)
    assert sign_in(running, next="//evil.example").headers["location"] == "/"


def test_a_token_still_signs_in_beside_accounts(running: Running) -> None:
    join(running)
    answer = running.request("POST", "/login", data={"token": running.token(), "next": "/"})
    assert answer.status_code == 303
    assert running.get("/p/shop/stream", cookies={"saastracker_token": running.token()}).status_code == 200


def test_wrong_passwords_are_told_and_not_shown_again(running: Running) -> None:
    join(running)
    for email, password in ((ADA, "<wrong>"), ("eve@example.com", PASSWORD), ("", "")):
        answer = sign_in(running, email, password)
        assert answer.status_code == 401
        assert "E-mail or password is wrong." in answer.text
        assert "wrong&gt;" not in answer.text
        assert PASSWORD not in answer.text
        assert "set-cookie" not in answer.headers


def test_after_five_wrong_passwords_one_waits(running: Running) -> None:
    join(running)
    for _ in range(5):
        assert sign_in(running, ADA, "wrong").status_code == 401
    answer = sign_in(running)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert "Try again in 2 s" in answer.text


def test_the_browser_of_an_earlier_sign_in_does_not_wait_for_failures_elsewhere(running: Running) -> None:
    join(running)
    [known] = re.findall(r"saastracker_browser=([^;]+); HttpOnly", sign_in(running).headers["set-cookie"])
    cookies = {"saastracker_browser": known}
    for _ in range(5):
        assert sign_in(running, ADA, "wrong").status_code == 401
    assert sign_in(running).status_code == 429
    assert running.get("/p/shop/stream.json", cookies=cookies).status_code == 401  # it lets nobody in
    sent = {"email": ADA, "password": PASSWORD}
    assert running.request("POST", "/sign-in", data=sent, cookies=cookies).status_code == 303


# --- The second factor ---


def test_a_second_factor(running: Running) -> None:
    cookies = join(running)
    accounts, now = running.site.accounts, now_ms()
    signed = accounts.signed(cookies[SESSION_COOKIE], now)
    assert signed
    secret, _ = accounts.own.new_factor(signed)
    code = totp.code_at(secret, now // totp.STEP_MS - 1)
    codes = accounts.own.add_factor(signed, secret, code, password=PASSWORD, address="", now=now)
    asked = sign_in(running, next="/p/shop/stream")
    assert asked.status_code == 200
    assert "set-cookie" not in asked.headers
    ticket = re.search(r'name="ticket" value="([^"]+)"', asked.text)
    assert ticket

    def confirm(code: str, ticket: str) -> httpx.Response:
        return running.request("POST", "/sign-in/code", data={"ticket": ticket, "code": code, "next": "/p/shop/stream"})

    wrong = confirm("abcdef", ticket[1])
    assert (wrong.status_code, "This code is wrong" in wrong.text, "abcdef" in wrong.text) == (401, True, False)
    over = confirm(codes[0], "no ticket")
    assert (over.status_code, "Start again" in over.text, 'name="password"' in over.text) == (401, True, True)
    right = confirm(codes[0], ticket[1])
    assert (right.status_code, right.headers["location"]) == (303, "/p/shop/stream")
    assert running.get("/p/shop/stream", cookies=cookies_of(right)).status_code == 200


# --- Links ---


def test_the_form_of_a_link_says_what_is_wrong(running: Running) -> None:
    path = invite(running, ADA, "viewer")
    assert f'value="{ADA}"' in running.get(path).text
    for email, fields, status, field, said in (
        (ADA, {"password": "short"}, 400, "password", "10 to 200 characters"),
        (ADA, {"name": ""}, 400, "name", "A name has"),
        ("eve@example.com", {}, 403, "email", "This invitation is for ada@example.com"),
        ("ada", {}, 400, "email", "is no e-mail address"),
    ):
        answer = sign_up(running, path, email, **fields)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
        assert re.findall(r'id="(\w+)"[^>]* autofocus[^>]* aria-invalid="true"', answer.text) == [field]
        assert PASSWORD not in answer.text
    assert sign_up(running, path, ADA).status_code == 303
    taken = sign_up(running, invite(running, ADA, "viewer", running.foreign.workspace), ADA)
    assert (taken.status_code, "sign in with it, then open this link again" in taken.text) == (409, True)


def test_who_is_signed_in_joins_with_one_button(running: Running) -> None:
    cookies = join(running)
    path = invite(running, ADA, "viewer", running.foreign.workspace)
    form = running.get(path, cookies=cookies).text
    assert "you become viewer of this workspace" in form
    assert 'name="password"' not in form
    csrf = csrf_token(cookies[SESSION_COOKIE])
    assert running.request("POST", path, cookies=cookies, data={"csrf": csrf}).status_code == 303
    assert running.get("/p/foreign/stream", cookies=cookies).status_code == 200
    other = invite(running, "eve@example.com", "viewer")
    refused = running.request("POST", other, cookies=cookies, data={"csrf": csrf})
    assert (refused.status_code, "is for eve@example.com" in refused.text) == (403, True)


def test_a_new_password_by_a_link(running: Running) -> None:
    cookies = join(running)
    accounts = running.site.accounts
    link = accounts.own.reset(accounts.snapshot.by_email[ADA], by=OPERATOR, factor=False, now=now_ms())
    path = f"/password/{link}"
    assert f'value="{ADA}"' in running.get(path).text
    assert running.get("/p/shop/stream.json", cookies=cookies).status_code == 401
    assert running.request("POST", path, data={"password": "short"}).status_code == 400
    answer = running.request("POST", path, data={"password": "two owls in the chimney"})
    assert (answer.status_code, "Your new password is kept" in answer.text) == (200, True)
    assert sign_in(running).status_code == 401
    assert sign_in(running, password="two owls in the chimney").status_code == 303
    for method in ("GET", "POST"):
        assert running.request(method, path, data={"password": PASSWORD}).status_code == 404


def test_a_failure_does_not_write_a_link_into_the_log(
    running: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("no luck")

    path = invite(running, ADA)
    monkeypatch.setattr(running.site.accounts.invitations, "find", fail)
    assert running.get(path).status_code == 500
    assert "GET /sign-up/{link} failed" in caplog.text
    assert path not in caplog.text


# --- Forms and roles ---


@pytest.mark.parametrize("role", ROLES)
def test_what_each_role_may(running: Running, role: Role) -> None:
    cookies = join(running, role=role)
    flags = "/api/v1/projects/shop/definitions/flag"
    csrf = {"x-csrf-token": csrf_token(cookies[SESSION_COOKIE])}
    rank = ROLES.index(role)
    assert running.get(flags, cookies=cookies).status_code == 200
    made = running.request("POST", flags, json={"name": "a"}, cookies=cookies, headers=csrf)
    assert made.status_code == (201 if rank >= ROLES.index("member") else 403)
    if rank < ROLES.index("member"):
        assert made.json()["detail"] == "This needs the role member; you are viewer. Ask an admin."
    else:
        versions = running.get(f"{made.headers['location']}/versions", cookies=cookies).json()
        assert [version["who"] for version in versions] == [ADA]
    run = running.request("POST", "/api/v1/jobs/greet/run", cookies=cookies, headers=csrf)
    assert run.status_code == (202 if rank >= ROLES.index("admin") else 403)
    assert running.get("/metrics", cookies=cookies).status_code == (200 if rank >= ROLES.index("admin") else 403)
    foreign = "/api/v1/projects/foreign/definitions/flag"
    assert running.get(foreign, cookies=cookies).status_code == 404
    assert running.request("POST", foreign, json={"name": "a"}, cookies=cookies, headers=csrf).status_code == 404


def test_a_removed_member_is_out_at_once(running: Running) -> None:
    join(running, "bob@example.com", "owner")
    cookies = join(running)
    accounts, shop = running.site.accounts, running.shop
    assert running.get("/p/shop/stream", cookies=cookies).status_code == 200
    signed = accounts.signed(cookies[SESSION_COOKIE], now_ms())
    assert signed
    then = Caller(signed=signed)
    assert running.site.opens(then, shop)
    accounts.roles.remove(shop.workspace, signed.user.id, by=OPERATOR, now=now_ms())
    assert running.get("/p/shop/stream", cookies=cookies).status_code == 404
    assert not running.site.opens(then, shop)
    assert "There is no project yet" in running.get("/", cookies=cookies, headers={"accept": "text/html"}).text
