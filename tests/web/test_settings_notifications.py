"""Notifications in the settings: what one hears of, destinations, messages that were not sent, tests of them."""

import re
from typing import Any

import httpx
import pytest

from saastracker.accounts.csrf import csrf_token
from saastracker.accounts.model import OPERATOR
from saastracker.accounts.subscriptions import hears
from saastracker.deliveries import Deliveries
from saastracker.errors import Invalid, Unavailable
from saastracker.records import now_ms
from saastracker.web.site import SESSION_COOKIE

from .conftest import TOPICS, Running
from .settling import Cookies, add_destination, entries, failed, look, send
from .test_api_roles import ask
from .test_sign_in import join

PAGE = "/settings/notifications"
OWN = "/settings/account/notifications"
ADDED = {"channel": "hook", "name": "Ops chat", "address": "OPS.example", "project": "", "topic-errors": "on"}


@pytest.fixture
def admin(running: Running) -> Cookies:
    return join(running, "admin@example.com", "admin")


def heard(running: Running, email: str, workspace: str | None = None) -> dict[str, bool]:
    running.site.accounts.refresh()
    people = running.site.accounts.snapshot
    place, user = workspace or running.shop.workspace, people.by_email[email].id
    return {name: hears(people, user, place, name, topic) for name, topic in TOPICS.items()}


# --- One's own ---


def switches(page: str) -> dict[str, bool]:
    """Topics on the page, and whether they are on."""
    return {name: bool(on) for name, on in re.findall(r'name="topic-([\w-]+)" value="on"( checked)?', page)}


def test_topics_are_those_of_the_role(running: Running, admin: Cookies) -> None:
    member = join(running, "member@example.com", "member")
    page = look(running, OWN, admin).text
    assert switches(page) == {"errors": True, "budgets": True}
    assert page.count("on by default") == 2
    assert switches(look(running, OWN, member).text) == {"errors": False}


def test_choosing(running: Running, admin: Cookies) -> None:
    answer = send(running, OWN, admin, **{"topic-errors": "on"})
    assert "Saved." in look(running, answer.headers["location"], admin).text
    assert heard(running, "admin@example.com") == {"errors": True, "budgets": False}
    [choices] = running.site.accounts.snapshot.choices.values()
    assert choices.topics == {running.shop.workspace: {"budgets": False}}, "what stayed follows its default still"
    send(running, OWN, admin, **{"topic-errors": "on", "topic-budgets": "on"})
    assert heard(running, "admin@example.com") == {"errors": True, "budgets": True}
    send(running, OWN, admin, **{"topic-errors": "on", "topic-budgets": "on"})
    assert entries(running, "choices") == [("admin@example.com", "change")] * 2


def test_what_a_role_may_not_hear_of_is_not_chosen(running: Running) -> None:
    member = join(running, "member@example.com", "member")
    send(running, OWN, member, **{"topic-budgets": "on", "topic-errors": "on", "topic-made-up": "on"})
    assert heard(running, "member@example.com") == {"errors": True, "budgets": False}
    [choices] = running.site.accounts.snapshot.choices.values()
    assert choices.topics == {running.shop.workspace: {"errors": True}}


def test_each_workspace_has_its_own(running: Running, admin: Cookies) -> None:
    other = running.foreign.workspace
    assert send(running, f"{OWN}?workspace={other}", admin).status_code == 404
    accounts, now = running.site.accounts, now_ms()
    invited = accounts.invitations.invite(other, "admin@example.com", "owner", by=OPERATOR, now=now)
    signed = accounts.signed(admin[SESSION_COOKIE], now)
    assert signed
    accounts.invitations.accept(invited.link, signed, now)
    send(running, f"{OWN}?workspace={other}", admin)
    assert heard(running, "admin@example.com", other) == {"errors": False, "budgets": False}
    assert heard(running, "admin@example.com") == {"errors": True, "budgets": True}


def test_pages_say_when_nothing_is_sent(running: Running, admin: Cookies) -> None:
    assert "is not set" not in look(running, PAGE, admin).text
    running.site.outbox.channels = {"hook": running.hook}
    for path in (PAGE, OWN):
        assert "[plugin.email] host is not set" in look(running, path, admin).text


# --- Destinations ---


def test_a_destination_is_added_used_and_removed(running: Running, admin: Cookies) -> None:
    assert "None yet." in look(running, PAGE, admin).text
    answer = send(running, f"{PAGE}/destinations", admin, **ADDED)
    secret = re.search(r"whsec_[\w-]{43}", answer.text)
    assert secret, answer.text
    [made] = running.site.accounts.snapshot.destinations.values()
    assert (made.address, made.topics, made.project) == ("ops.example", ("errors",), None)
    page = look(running, PAGE, admin).text
    assert "Ops chat" in page
    assert secret[0] not in page
    stored = b"".join(record.data for record in running.records.records())
    assert secret[0].encode() not in stored
    answer = send(running, f"{PAGE}/destinations/{made.id}/test", admin)
    assert "The test message is sent." in look(running, answer.headers["location"], admin).text
    [message] = running.hook.sent
    assert (message.to, message.secret, message.topic) == ("ops.example", secret[0].encode(), "test")
    assert message.unsubscribe == ""
    answer = send(running, f"{PAGE}/destinations/{made.id}/remove", admin)
    assert "The destination is removed." in look(running, answer.headers["location"], admin).text
    assert running.site.accounts.snapshot.destinations == {}
    assert entries(running, "destination") == [("admin@example.com", "create"), ("admin@example.com", "delete")]


def test_of_one_project(running: Running, admin: Cookies) -> None:
    send(running, f"{PAGE}/destinations", admin, **ADDED | {"project": "game"})
    [made] = running.site.accounts.snapshot.destinations.values()
    assert made.project == running.game.id


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"channel": "post"}, "choose for themselves"),
        ({"channel": "pigeon"}, "no channel"),
        ({"name": " "}, "A name has"),
        ({"address": "a" * 3000}, "at most 2048 characters"),
        ({"project": "foreign"}, "no project"),
        ({"topic-made-up": "on"}, "no topic"),
        ({"topic-failures": "on"}, "no topic"),  # which only owners hear of
    ],
)
def test_what_is_wrong_stands_in_the_form(running: Running, admin: Cookies, changed: dict[str, str], told: str) -> None:
    answer = send(running, f"{PAGE}/destinations", admin, **ADDED | changed)
    assert answer.status_code == 400
    assert told in answer.text
    assert 'name="topic-errors" value="on" checked' in answer.text, "what was typed stays"
    assert running.site.accounts.snapshot.destinations == {}


def test_without_topics(running: Running, admin: Cookies) -> None:
    given = {name: value for name, value in ADDED.items() if not name.startswith("topic-")}
    answer = send(running, f"{PAGE}/destinations", admin, **given)
    assert (answer.status_code, "at least one topic" in answer.text) == (400, True)


def test_a_channel_that_does_not_take_the_address(running: Running, admin: Cookies) -> None:
    def check(address: str) -> str:
        raise Invalid(f"{address} will not do.", reason="address")

    running.hook.check = check  # type: ignore[method-assign]
    answer = send(running, f"{PAGE}/destinations", admin, **ADDED)
    assert (answer.status_code, "OPS.example will not do." in answer.text) == (400, True)


def test_only_so_many(running: Running, admin: Cookies) -> None:
    for _ in range(20):
        send(running, f"{PAGE}/destinations", admin, **ADDED)
    answer = send(running, f"{PAGE}/destinations", admin, **ADDED)
    assert (answer.status_code, "at most 20 destinations" in answer.text) == (409, True)


def test_another_workspace_has_other_destinations(running: Running, admin: Cookies) -> None:
    theirs = add_destination(running, running.foreign.workspace)
    assert theirs.address not in look(running, PAGE, admin).text
    for what in ("test", "remove"):
        assert send(running, f"{PAGE}/destinations/{theirs.id}/{what}", admin).status_code == 404
    assert running.hook.sent == []
    assert theirs.id in running.site.accounts.snapshot.destinations


# --- Tests ---


def test_a_test_message_goes_to_who_asks(running: Running, admin: Cookies) -> None:
    answer = send(running, f"{PAGE}/channels/post/test", admin)
    assert answer.status_code == 303
    [message] = running.post.sent
    assert (message.to, message.subject) == ("admin@example.com", "Default: This is a test message")
    assert "somebody tried" in message.text
    assert "somebody tried" in message.html
    assert "nsubscribe" not in message.text + message.html
    log = look(running, "/settings/audit", admin).text
    assert 'Test message sent<span class="sub">admin@example.com</span>' in log
    for wrong in ("hook", "pigeon"):
        assert send(running, f"{PAGE}/channels/{wrong}/test", admin).status_code == 404


def test_a_test_says_what_is_wrong(running: Running, admin: Cookies) -> None:
    running.post.failure = running.hook.failure = Unavailable("The server sleeps.")
    made = add_destination(running)
    for path in ("channels/post/test", f"destinations/{made.id}/test"):
        answer = send(running, f"{PAGE}/{path}", admin)
        assert (answer.status_code, "The server sleeps." in answer.text) == (503, True)


# --- Messages ---


def test_messages_that_were_not_sent(running: Running, admin: Cookies) -> None:
    user = running.site.accounts.snapshot.by_email["admin@example.com"].id
    assert "Nothing waits, and nothing failed." in look(running, PAGE, admin).text
    delivery = failed(running, recipient=user)
    failed(running, "waiting", title="Waits", recipient="x", error="")
    failed(running, "sent", title="Went out")
    failed(running, "withdrawn", title="Nobody wanted it")
    failed(running, title="Of others", workspace=running.foreign.workspace)
    page = look(running, PAGE, admin).text
    for told in ("out of cheese", "admin@example.com", "No such mailbox.", "1 try", "a former one", "Went out"):
        assert told in page, told
    for hidden in ("Nobody wanted it", "Of others"):
        assert hidden not in page
    assert page.count(">Send again<") == 1
    answer = send(running, f"{PAGE}/messages/{delivery.id}/again", admin)
    assert "It is sent again" in look(running, answer.headers["location"], admin).text
    [kept] = [each.delivery for each in Deliveries(running.records).all() if each.delivery.id == delivery.id]
    assert (kept.state, kept.attempts) == ("waiting", 0)
    assert "Message sent again" in look(running, "/settings/audit", admin).text
    answer = send(running, f"{PAGE}/messages/{delivery.id}/again", admin)
    assert (answer.status_code, "on its way" in answer.text) == (409, True)


# --- The same over the API ---


def test_the_api_does_the_same(running: Running) -> None:
    api, token = f"/api/v1/workspaces/{running.shop.workspace}", running.token("admin")
    sent = {"channel": "hook", "name": "Ops", "address": "OPS", "topics": ["errors"], "project": "shop"}
    made = running.request("POST", f"{api}/destinations", token=token, json=sent).json()
    assert made.pop("secret").startswith("whsec_")
    assert (made["address"], made["project"]) == ("ops", "shop")
    assert running.get(f"{api}/destinations", token=token).json() == [made]
    path = f"{api}/destinations/{made['id']}"
    assert running.request("POST", f"{path}/test", token=token).status_code == 204
    assert [message.to for message in running.hook.sent] == ["ops"]
    running.hook.failure = Unavailable("It sleeps.")
    answer = running.request("POST", f"{path}/test", token=token)
    assert (answer.status_code, answer.json()["detail"]) == (503, "It sleeps.")
    mistakes: tuple[dict[str, Any], ...] = (
        {"topics": []},
        {"topics": ["made-up"]},
        {"channel": "pigeon"},
        {"project": "foreign"},
    )
    for wrong in mistakes:
        assert running.request("POST", f"{api}/destinations", token=token, json=sent | wrong).status_code == 400, wrong
    assert running.request("DELETE", path, token=token).status_code == 204
    assert running.request("DELETE", path, token=token).status_code == 404
    assert running.get(f"{api}/channels", token=token).json() == [
        {"name": "hook", "title": "Hook", "personal": False},
        {"name": "post", "title": "Post", "personal": True},
    ]


def test_messages_over_the_api(running: Running) -> None:
    api, token = f"/api/v1/workspaces/{running.shop.workspace}/messages", running.token("admin")
    delivery = failed(running)
    failed(running, "sent", changed_at=now_ms() + 1000)
    failed(running, workspace=running.foreign.workspace)
    [sent, told] = running.get(api, token=token).json()
    assert sent["state"] == "sent"
    assert {name: told[name] for name in ("id", "to", "state", "error", "next_at", "attempts")} == {
        "id": delivery.id,
        "to": "a former one",
        "state": "failed",
        "error": "No such mailbox.",
        "next_at": None,
        "attempts": 1,
    }
    assert running.get(f"{api}?state=failed", token=token).json() == [told]
    assert running.get(f"{api}?state=lost", token=token).status_code == 400
    assert running.request("POST", f"{api}/{delivery.id}/again", token=token).status_code == 204
    assert running.request("POST", f"{api}/{delivery.id}/again", token=token).status_code == 409


def test_topics_over_the_api(running: Running, admin: Cookies) -> None:
    listed = {each["topic"]: each for each in ask(running, "GET", "/account/topics", cookies=admin).json()}
    assert {name: (each["default"], each["hears"]) for name, each in listed.items()} == {
        "errors": (True, True),
        "budgets": (True, True),
    }
    headers = {"x-csrf-token": csrf_token(admin[SESSION_COOKIE])}

    def choose(topic: str, workspace: str = running.shop.workspace) -> httpx.Response:
        path = f"/api/v1/account/topics/{workspace}/{topic}"
        return running.request("PATCH", path, cookies=admin, headers=headers, json={"hears": False})

    assert choose("budgets").json() == listed["budgets"] | {"hears": False}
    assert heard(running, "admin@example.com") == {"errors": True, "budgets": False}
    assert choose("failures").status_code == choose("errors", running.foreign.workspace).status_code == 404
