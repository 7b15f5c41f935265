"""Shared reports: what their links show to people without an account, and what nobody gets out of them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from saastracker.accounts.model import DAY_MS, OPERATOR
from saastracker.accounts.shares import GONE, Wanted
from saastracker.config import load_config
from saastracker.definitions import Definitions
from saastracker.errors import Forbidden
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.plugins import Plugins
from saastracker.records import now_ms
from saastracker.report import Report
from saastracker.web.callers import Caller
from saastracker.web.sharing import address, share_report

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


def test_a_shared_page_leads_nowhere_else(running: Running) -> None:
    running = offering_things(running)
    path = shared(running, join(running), report="things")
    page = visit(running, path).text
    for link in re.findall(r'(?:href|src|action)="([^"]*)"', page):
        assert link.startswith(("?", "#", "/static/", path)), link
    assert 'method="post"' not in page
    item = visit(running, shared(running, join(running, "b@example.com"), report="things", item="halden")).text
    assert "/p/shop" not in page + item


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


def test_unknown_links_are_all_the_same(running: Running, member: dict[str, str]) -> None:
    path = shared(running, member)
    [share] = running.site.accounts.snapshot.shares.values()
    running.site.accounts.shares.revoke(share.workspace, share.id, who="ada", now=now_ms())
    answers = [visit(running, each) for each in (path, "/share/x", f"/share/{'y' * 43}", "/share/é")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert GONE in answers[0].text
    assert "/sign-in" not in answers[0].text
    programs = [running.get(f"{each}.json") for each in (path, "/share/x")]
    assert {(answer.status_code, answer.text) for answer in programs} == {(404, programs[0].text)}
    for answer in (*answers, *programs):
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"


def test_a_link_ends_with_its_time(running: Running, member: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared(running, member, days="7")
    now = now_ms()
    for days, status in ((6.9, 200), (7.1, 404)):
        monkeypatch.setattr("saastracker.web.shared.now_ms", lambda days=days: now + int(days * DAY_MS))
        for face in ("", ".json", ".csv"):
            assert visit(running, f"{path}{face}").status_code == status


def test_a_link_ends_with_its_maker_and_its_project(running: Running) -> None:
    cookies = people(running)
    accounts, place = running.site.accounts, running.shop.workspace
    by = {role: accounts.snapshot.by_email[f"{role}@example.com"].id for role in ("admin", "member")}
    left, lowered, kept = (shared(running, cookies[role]) for role in ("admin", "member", "owner"))
    accounts.roles.remove(place, by["admin"], by=OPERATOR, now=now_ms())
    accounts.roles.change(place, by["member"], "viewer", by=OPERATOR, now=now_ms())
    assert [visit(running, path).status_code for path in (left, lowered, kept)] == [404, 404, 200]
    accounts.roles.add(place, by["admin"], "admin", by=OPERATOR, now=now_ms())
    assert visit(running, left).status_code == 404  # who comes back does not bring old links
    running.facts.delete_project(running.shop.id)
    assert visit(running, kept).status_code == 404
    assert visit(running, f"{kept}.csv").status_code == 404


def test_a_link_ends_with_the_token_that_made_it(running: Running) -> None:
    site, facts = running.site, running.facts
    token, _ = facts.add_token("ci", running.shop.workspace, "write")
    wanted = Wanted(report="stream", query="org=acme&search=x&limit=5")
    made = share_report(site, Caller(token=token), running.shop, wanted, now_ms())
    assert (made.share.query, made.share.made_by) == ("org=acme", "ci")  # a search and a page are no part of it
    path = address(site, made.link).removeprefix(site.public_url)
    assert visit(running, path).status_code == 200
    facts.revoke_token(token.id)
    assert visit(running, path).status_code == 404
    reading, _ = facts.add_token("reads", running.shop.workspace, "read")
    with pytest.raises(Forbidden):
        share_report(site, Caller(token=reading), running.shop, wanted, now_ms())


def test_a_failure_is_logged_without_the_link(
    running: Running, member: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    path = shared(running, member)

    def fail(*_: object) -> Report:
        raise RuntimeError("it broke")

    broken = msgspec.structs.replace(running.site.reports["stream"], load=fail)
    running = replace(running, site=replace(running.site, reports={"stream": broken}))
    assert visit(running, path).status_code == 500
    assert "/share/{name} failed" in caplog.text
    assert path.removeprefix("/share/") not in caplog.text


def test_a_link_ends_with_its_report(running: Running, member: dict[str, str]) -> None:
    path = shared(running, member)
    assert visit(replace(running, site=replace(running.site, reports={})), path).status_code == 404
    assert "off" in look(replace(running, site=replace(running.site, reports={})), "/settings/shares", member).text


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


THINGS = {"organizations": ("acme",), "people": ("anna",), "health": ("acme",), "sessions": ("s-anna",)}


@pytest.fixture
def every_report(running: Running, tmp_path: Path) -> Running:
    """All our reports over two organizations, one of which has left."""
    plugins = Plugins(load_config(None, tmp_path, {}))
    definitions = Definitions(running.records, plugins.kinds)
    registry = plugins.registry(running.facts, definitions)
    for org, person in (("acme", "anna"), ("globex", "olga")):
        running.add(*(event for day in range(50) for event in _events(org, person, now_ms() - day * DAY_MS)))
    churn = definitions.read("churn", msgspec.json.encode({"org": "globex", "date": str(datetime.now(UTC).date())}))
    definitions.create(running.shop.id, "churn", value=churn, who="ada")
    zones = {running.shop.id: running.shop.timezone}
    indexer = Indexer(
        running.store.index, lambda: zones, lambda work: work(), taggers=registry.taggers, definitions=definitions
    )
    indexer.begin()
    while any(indexer.step()):
        pass
    return replace(
        running, site=replace(running.site, registry=registry, reports=registry.reports, definitions=definitions)
    )


def _events(org: str, person: str, time: int) -> list[Event]:
    whose: dict[str, Any] = {"org": org, "user": person, "session": f"s-{person}", "path": f"/of/{org}", "release": org}
    return [
        Event(
            type="pageview",
            name="pageview",
            time=time,
            properties=msgspec.json.encode({"referrer": f"https://{org}.test/"}).decode(),
            **whose,
        ),
        Event(
            type="custom",
            name=f"save {org}",
            time=time + 1000,
            value=2.0,
            properties=msgspec.json.encode({"at": org}).decode(),
            **whose,
        ),
        Event(type="error", name=f"{org} broke", time=time + 2000, **whose),
        Event(type="vital", name="LCP", time=time + 3000, value=1200.0, **whose),
    ]


def test_no_report_of_ours_shows_other_organizations(every_report: Running) -> None:
    """Each report filtered to one organization, and what it lists of that, as page, JSON and CSV of each block."""
    running, cookies = every_report, join(every_report, "member@example.com")
    assert "globex" in look(running, "/p/shop/health?range=90d", cookies).text
    for slug in running.site.reports:
        for item in (None, *THINGS.get(slug, ())):
            named = {} if item is None else {"item": item}
            path = shared(running, cookies, report=slug, query="org=acme&range=90d", **named)
            blocks = running.get(f"{path}.json").json()["blocks"]
            faces = ["", "?range=30d", ".json", ".json?range=12mo", *(f".csv?block={block['key']}" for block in blocks)]
            for face in faces:
                shown = visit(running, path + face)
                assert shown.status_code == 200, (slug, item, face, shown.text)
                assert not re.search("globex|olga", shown.text), (slug, item, face)
