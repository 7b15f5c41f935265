"""Shared reports: what their links show to people without an account, and what nobody gets out of them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from saastracker.contracts import Refused
from saastracker.event import Event
from saastracker.records import now_ms

from .conftest import Running
from .golden import offering_things
from .settling import look, people, send
from .test_sign_in import join

HTML = {"accept": "text/html"}
FIELDS = {"project": "shop", "report": "stream", "query": "", "days": "", "origins": ""}


def shared(running: Running, cookies: dict[str, str], **fields: Any) -> str:
    """The path of a new link."""
    answer = send(running, f"/settings/shares?workspace={running.shop.workspace}", cookies, **{**FIELDS, **fields})
    found = re.search(r"https://stats\.example(/share/[\w-]+)", answer.text)
    assert found, answer.text
    return found[1]


def visit(running: Running, path: str, **options: Any) -> httpx.Response:
    return running.get(path, headers=HTML, **options)


@pytest.fixture
def member(running: Running) -> dict[str, str]:
    running.add(Event(name="hello", org="acme"), Event(name="secret", org="globex", session="s-globex"))
    return join(running, "member@example.com")


def test_a_link_shows_its_report_without_an_account(running: Running, member: dict[str, str]) -> None:
    path = shared(running, member, query="org=acme")
    page = visit(running, path)
    assert page.status_code == 200
    assert "hello" in page.text
    assert "secret" not in page.text
    assert "Shop" in page.text
    report = running.get(f"{path}.json").json()
    assert (report["report"], report["scope"]["filters"]) == ("stream", ["org:is:acme"])
    assert [block["key"] for block in report["blocks"]] == ["events"]  # not what was rejected, for it knows no filter
    assert running.get(f"{path}.csv").text.count("\n") == 2
    assert running.get(f"{path}.events").status_code == 404
    assert "set-cookie" not in page.headers


def test_names_of_people_are_not_told_to_strangers(running: Running, member: dict[str, str]) -> None:
    running.add(
        Event(name="hi", user="u1", org="acme", traits='{"user":{"first_name":"Zora"},"company":{"name":"Acme"}}')
    )
    path = shared(running, member, query="org=acme")
    assert "Zora" in look(running, "/p/shop/stream?org=acme", member).text
    for sent in (path, f"{path}.json", f"{path}.csv"):
        text = visit(running, sent).text
        assert "u1" in text
        assert "Zora" not in text


def test_a_shared_page_leads_nowhere_else(running: Running) -> None:
    running = offering_things(running)
    path = shared(running, join(running), report="things")
    page = visit(running, path).text
    for link in re.findall(r'(?:href|src|action)="([^"]*)"', page):
        assert link.startswith(("?", "#", "/static/", path)), link
    assert 'method="post"' not in page
    item = visit(running, shared(running, join(running, "b@example.com"), report="things", item="halden")).text
    assert "/p/shop" not in page + item


def test_how_much_was_dropped_over_budget_is_not_told(running: Running, member: dict[str, str]) -> None:
    running = offering_things(running)
    running.refuse(*[Refused(running.shop.id, now_ms(), "budget", "", "/")] * 7)
    path = shared(running, member, report="things", query="org=acme")
    own = running.get("/p/shop/things.json", token=running.token()).json()["blocks"][0]
    assert (own["key"], own["text"][-2:]) == ("dropped", "7.")
    note = running.get(f"{path}.json").json()["blocks"][0]
    assert note == {"type": "note", "key": "dropped", "text": "Some events that came on these days were not stored."}
    assert "budget" not in visit(running, path).text


def test_every_member_and_nobody_below_makes_links(running: Running) -> None:
    cookies = people(running)
    for role in ("member", "admin", "owner"):
        assert visit(running, shared(running, cookies[role])).status_code == 200
        assert 'action="/settings/shares' in look(running, "/p/shop/stream", cookies[role]).text
    assert "/settings/shares" not in look(running, "/p/shop/stream", cookies["viewer"]).text
    place = f"/settings/shares?workspace={running.shop.workspace}"
    assert send(running, place, cookies["viewer"], **FIELDS).status_code == 403
    assert send(running, place, cookies["stranger"], **FIELDS).status_code == 404
    for project in ("foreign", "absent"):
        assert send(running, place, cookies["member"], **{**FIELDS, "project": project}).status_code == 400
    assert send(running, "/settings/shares", cookies["stranger"], **FIELDS).status_code == 400


@pytest.mark.parametrize(
    "attack",
    [
        "org=globex",
        "f=org:is:globex",
        "%66=org:is:globex",
        "f=org%3Aexists",
        "name=secret",
        "environment=production",
        "filter.dimension=org&filter.operator=is&filter.value=globex",
        "org=acme&org=globex",
        "range=7d&org=globex",
        "user=x",
        "compare=year",
        "F=org:is:globex",
    ],
)
def test_filters_are_neither_removed_nor_widened(running: Running, member: dict[str, str], attack: str) -> None:
    path = shared(running, member, query="org=acme")
    for face in ("", ".json", ".csv"):
        answer = visit(running, f"{path}{face}?{attack}")
        assert answer.status_code == 400
        assert "globex" not in answer.text.replace(attack, "")
        assert "secret" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "range=12mo",
        "range=7d&limit=1000",
        "search=globex&block=events",
        "org=&f=",
        "&&org&f&",
        "limit=1000&after=",
        ";org=globex",
    ],
)
def test_what_visitors_may_ask_shows_no_more(running: Running, member: dict[str, str], query: str) -> None:
    path = shared(running, member, query="org=acme")
    for face in ("", ".json", ".csv"):
        assert "secret" not in visit(running, f"{path}{face}?{query}").text


def test_the_address_beside_a_link_shows_nothing(running: Running, member: dict[str, str]) -> None:
    path = shared(running, member, query="org=acme")
    token = path.removeprefix("/share/")
    for other in (
        f"{path}/secret",
        f"{path}/../stream",
        f"/p/shop/stream?share={token}",
        f"/share/{token[:-1]}",
        "/share/",
    ):
        assert visit(running, other).status_code in {303, 404}
    assert running.get("/p/shop/stream.json", token=token).status_code == 401
    assert running.get("/api/v1/jobs", token=token).status_code == 401


def test_a_visitor_looks_at_another_span_unless_the_maker_fixed_it(running: Running, member: dict[str, str]) -> None:
    running = offering_things(running)
    free, fixed = (
        shared(running, member, report="things", query="range=7d", **given) for given in ({}, {"fixed": "on"})
    )
    assert running.get(f"{free}.json?from=2026-01-01&to=2026-01-31").json()["scope"]["from"] == "2026-01-01"
    today = datetime.now(UTC).date()
    for path in (free, fixed):
        first = running.get(f"{path}.json").json()["scope"]["from"]
        assert first in {str(today - timedelta(days=back)) for back in (5, 6, 7)}  # it goes on with the days
    assert running.get(f"{fixed}.json?range=90d").status_code == 400
    assert "range=90d" in visit(running, free).text
    assert "range=90d" not in visit(running, fixed).text
    assert running.get(f"{fixed}.json?limit=5").status_code == 200


def test_framing_is_allowed_to_exactly_the_origins_named(running: Running, member: dict[str, str]) -> None:
    own = shared(running, member)
    framed = shared(running, member, origins="https://www.example.com\nhttps://*.acme.test:8443/")
    for path in (own, framed):
        first = visit(running, path)
        again = running.get(path, headers={"if-none-match": first.headers["etag"], **HTML})
        assert again.status_code == 304
        for answer in (first, again, running.get(f"{path}.json")):
            policy = answer.headers["content-security-policy"]
            named = "'none'" if path == own else "https://www.example.com https://*.acme.test:8443"
            assert re.findall(r"frame-ancestors ([^;]+);", policy) == [named]
            assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
            assert ("x-frame-options" in answer.headers) == (path == own)
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "noindex" in answer.headers["x-robots-tag"]
    other = look(running, "/p/shop/stream", member)
    assert (other.headers["x-frame-options"], other.headers["referrer-policy"]) == ("DENY", "same-origin")
    assert "x-robots-tag" not in other.headers


@pytest.fixture
def stopped(running: Running, member: dict[str, str]) -> Iterator[tuple[Running, dict[str, str]]]:
    yield running, member
    assert not running.site.accounts.snapshot.shares


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("origins", "www.example.com"),
        ("origins", "https://a.test;script-src"),
        ("origins", "https://a.test/path"),
        ("origins", "'unsafe-inline'"),
        ("origins", "*"),
        ("origins", "\n".join(f"https://a{number}.test" for number in range(21))),
        ("days", "0"),
        ("days", "99999"),
        ("days", "-1"),
        ("query", "range=1d"),
        ("query", "colour=red"),
        ("query", "&".join(f"f=name:is:{'n' * 250}{number}" for number in range(18))),
    ],
)
def test_what_is_wrong_with_a_link_is_told(stopped: tuple[Running, dict[str, str]], field: str, value: str) -> None:
    running, member = stopped
    answer = send(running, "/settings/shares", member, **{**FIELDS, field: value})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    if field != "query":
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text) == [field]


@pytest.mark.parametrize("absent", [{"report": "absent"}, {"report": "stream", "item": "x"}])
def test_there_is_no_link_to_what_is_not_there(stopped: tuple[Running, dict[str, str]], absent: dict[str, str]) -> None:
    running, member = stopped
    assert send(running, "/settings/shares", member, **{**FIELDS, **absent}).status_code == 404


def test_a_head_request_and_a_post(running: Running, member: dict[str, str]) -> None:
    path = shared(running, member)
    assert running.request("HEAD", path, headers=HTML).status_code == 200
    assert running.request("POST", path, headers=HTML).status_code == 405
