"""The addresses in messages with which people unsubscribe: who has one may, without signing in."""

import logging
from urllib.parse import urlsplit

import httpx
import pytest

from saastracker.accounts.model import OPERATOR
from saastracker.accounts.subscriptions import hears
from saastracker.job import Notice
from saastracker.notify import Notices
from saastracker.records import now_ms

from .conftest import TOPICS, Running
from .settling import Cookies, entries, look, send
from .test_sign_in import join

ADMIN = "admin@example.com"
HTML = {"accept": "text/html"}


@pytest.fixture
def cookies(running: Running) -> Cookies:
    return join(running, ADMIN, "admin")


def address(running: Running, topic: str = "budgets") -> str:
    """The path in a message to the admin about a topic."""
    now = now_ms()
    Notices(running.records).add(topic, [Notice(project=running.shop.id, key=str(now), title="T", text="x")], now)
    running.site.outbox.route(now)
    running.site.outbox.send(now + 120_000, lambda: False)
    return urlsplit(running.post.sent[-1].unsubscribe).path


def hears_of(running: Running, topic: str = "budgets") -> bool:
    running.site.accounts.refresh()
    snapshot = running.site.accounts.snapshot
    return hears(snapshot, snapshot.by_email[ADMIN].id, running.shop.workspace, topic, TOPICS[topic])


def test_by_the_button(running: Running, cookies: Cookies) -> None:
    path = address(running)
    shown = running.get(path, headers=HTML)
    assert shown.status_code == 200
    assert "Budget" in shown.text
    assert "Default" in shown.text
    assert hears_of(running), "looking changes nothing: mail programs look, too"
    done = running.request("POST", path, data={"csrf": ""}, headers=HTML)
    assert "You are unsubscribed" in done.text
    assert not hears_of(running)
    assert hears_of(running, "errors"), "other topics stay"
    undone = running.request("POST", path, data={"again": "on"}, headers=HTML)
    assert "You are subscribed again" in undone.text
    assert hears_of(running)
    assert entries(running, "choices") == [(ADMIN, "change")] * 2


def test_by_one_click_of_a_mail_program(running: Running, cookies: Cookies) -> None:
    """RFC 8058: a POST from anywhere, without cookies and without looking at the page first."""
    path = address(running)
    headers = {"origin": "https://mail.example", "content-type": "application/x-www-form-urlencoded"}
    answer = running.request("POST", path, content=b"List-Unsubscribe=One-Click", headers=headers)
    assert answer.status_code == 200
    assert not hears_of(running)
    assert running.request("POST", path, content=b"List-Unsubscribe=One-Click", headers=headers).status_code == 200


def test_signed_in_it_is_the_same(running: Running, cookies: Cookies) -> None:
    path = address(running)
    assert look(running, path, cookies).status_code == 200
    assert send(running, path, cookies, csrf="wrong").status_code == 200
    assert not hears_of(running)


def test_wrong_addresses_answer_alike(running: Running, cookies: Cookies) -> None:
    right = address(running)
    accounts = running.site.accounts
    gone = address(running, "errors")
    sealed = right.rpartition("/")[2]
    place = 20  # of the last one some bits count for nothing
    altered = f"{sealed[:place]}{'a' if sealed[place] != 'a' else 'b'}{sealed[place + 1 :]}"
    wrong = [f"/unsubscribe/{text}" for text in ("x", sealed[:-4], altered, "é", "gAAAAA", "x" * 5000)]

    def answers(path: str) -> list[httpx.Response]:
        return [running.get(path, headers=HTML), running.request("POST", path, content=b"x=y", headers=HTML)]

    bodies = {(each.status_code, each.text.replace(path, "")) for path in wrong[:3] for each in answers(path)}
    assert len({status for status, _ in bodies}) == 1
    assert {each.status_code for path in wrong for each in answers(path)} == {404}
    accounts.roles.remove(running.shop.workspace, accounts.snapshot.by_email[ADMIN].id, by=OPERATOR, now=now_ms())
    bodies |= {(each.status_code, each.text.replace(path, "")) for path in (right, gone) for each in answers(path)}
    assert len(bodies) == 1


def test_the_address_stays_secret(running: Running, cookies: Cookies, caplog: pytest.LogCaptureFixture) -> None:
    path = address(running)
    sealed = path.rpartition("/")[2]
    answer = running.get(path, headers=HTML)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "no-store"
    assert "https://" not in answer.text.replace("https://stats.example", "")
    caplog.set_level(logging.DEBUG)

    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    running.site.accounts.subscriptions.choose_by_link = fail  # type: ignore[assignment]
    assert running.request("POST", path, content=b"x=y", headers=HTML).status_code == 500
    own = [record for record in caplog.records if record.name.startswith("saastracker")]
    assert any("POST /unsubscribe/" in record.getMessage() for record in own)
    assert not any(sealed in record.getMessage() for record in own)
