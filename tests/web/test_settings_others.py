"""Tokens, jobs, plugins and the audit log in the settings."""

import html
import re
import time

from saastracker import audit
from saastracker.web.settings import audit_log

from .conftest import Running
from .settling import entries, look, people, send
from .test_sign_in import join

TOKENS = "/settings/tokens"
ADMIN = "ada@example.com"


def test_a_token_is_shown_once_and_revoked(running: Running) -> None:
    cookies = join(running, role="admin")
    made = send(running, TOKENS, cookies, name="nightly", scope="read", project="shop")
    assert made.status_code == 200
    text = re.search(r">(st_[\w-]+)<", html.unescape(made.text))
    assert text
    assert running.get("/p/shop/stream.json", token=text[1]).status_code == 200
    assert running.get("/p/game/stream.json", token=text[1]).status_code == 404
    later = look(running, TOKENS, cookies).text
    assert "nightly" in later
    assert text[1] not in later
    [token] = running.facts.snapshot.tokens.values()
    answer = send(running, f"{TOKENS}/{token.id}/revoke", cookies)
    assert "The token is revoked." in look(running, answer.headers["location"], cookies).text
    assert running.get("/p/shop/stream.json", token=text[1]).status_code == 401
    assert send(running, f"{TOKENS}/{token.id}/revoke", cookies).status_code == 303
    assert entries(running, "token") == [(ADMIN, "create"), (ADMIN, "change")]


def test_what_is_wrong_with_a_token(running: Running) -> None:
    cookies = join(running, role="admin")
    right = {"name": "ci", "scope": "read", "project": ""}
    for field, value in (("name", ""), ("scope", "all"), ("project", "foreign"), ("project", "absent")):
        answer = send(running, TOKENS, cookies, **{**right, field: value})
        assert answer.status_code == 400
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text) == [field]
    assert not running.facts.snapshot.tokens
    theirs, _ = running.facts.add_token("theirs", running.foreign.workspace, "read")
    assert send(running, f"{TOKENS}/{theirs.id}/revoke", cookies).status_code == 404
    assert "theirs" not in look(running, TOKENS, cookies).text


def test_a_job_is_run_now(running: Running) -> None:
    cookies = join(running, role="admin")
    jobs = "/settings/jobs"
    assert "none yet" in look(running, jobs, cookies).text
    answer = send(running, f"{jobs}/greet/run", cookies)
    assert answer.status_code == 303
    while "3 notices" not in look(running, jobs, cookies).text:
        time.sleep(0.01)
    assert "The job was started." in look(running, answer.headers["location"], cookies).text
    assert send(running, f"{jobs}/absent/run", cookies).status_code == 404
    assert entries(running, "job") == [(ADMIN, "run")]


def test_plugins_are_listed_with_what_they_offer(running: Running) -> None:
    page = look(running, "/settings/plugins", join(running, role="viewer")).text
    for plugin in running.site.registry.plugins:
        assert f">{plugin.name}<" in page
    assert "auth scheme hmac" in page


def test_the_audit_log_is_paged_and_shows_only_ones_own(running: Running) -> None:
    cookies = people(running)
    for number in range(audit_log.LIMIT):
        name = f"Edit {number}"
        running.facts.set_project(running.game.id, name=name, origins=(), timezone="UTC", who="bob@example.com")
    running.facts.set_project(running.foreign.id, name="Hidden", origins=(), timezone="UTC", who="eve@example.com")
    first = look(running, "/settings/audit", cookies["admin"]).text
    names = re.findall(r'<span class="sub">(Edit \d+)</span>', first)
    assert names == [f"Edit {number}" for number in reversed(range(audit_log.LIMIT))]
    older = re.search(r'href="([^"]+before=[^"]+)" rel="next"', first)
    assert older
    second = look(running, html.unescape(older[1]), cookies["admin"]).text
    assert "Signed in" in second
    assert ">Newest<" in second
    assert ">Newest<" not in first
    assert ">Newest<" not in look(running, f"/settings/audit?workspace={running.shop.workspace}", cookies["admin"]).text
    assert "owner@example.com" in second
    for text in (first, second):
        assert "Hidden" not in text
        assert "stranger@example.com" not in text
        assert "argon2" not in text
    assert 'rel="next"' not in second
    total = len(running.records.records(audit.KIND))
    theirs = look(running, "/settings/audit", cookies["stranger"]).text
    assert 0 < theirs.count("<time") < total
    assert "bob@example.com" not in theirs
