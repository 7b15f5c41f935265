"""When shared links end: with their time, their maker, their project, and the report."""
# ruff: noqa: F811  # fixtures of another file

from dataclasses import replace

import msgspec
import pytest

from saastracker.accounts.model import DAY_MS, OPERATOR
from saastracker.accounts.shares import GONE, Wanted
from saastracker.errors import Forbidden
from saastracker.records import now_ms
from saastracker.report import Report
from saastracker.web.callers import Caller
from saastracker.web.sharing import address, share_report

from .conftest import Running
from .settling import look, people
from .test_shared import HTML, member, shared, visit  # noqa: F401  # a fixture


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
