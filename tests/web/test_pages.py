from dataclasses import replace

import pytest

from saastracker.contracts import Reader, Refused, ReportPage
from saastracker.event import Event
from saastracker.plugins import OWN_PAGES
from saastracker.report import Note, Report
from saastracker.scope import Parameter, Scope

from .conftest import NOW, Running


@pytest.fixture
def token(running: Running) -> str:
    return running.token()


def test_the_json_twin_of_the_stream(running: Running, token: str) -> None:
    running.add(Event(name="quote.sent", org="acme", properties='{"n":1}', time=NOW - 1000))
    answer = running.get("/p/shop/stream.json", token=token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    twin = answer.json()
    assert (twin["project"], twin["report"]) == ("shop", "stream")
    assert twin["fresh_until"].endswith("Z")
    [events, rejected, _] = twin["blocks"]
    keys = [column["key"] for column in events["columns"]]
    stable = "id time received_at type name user anonymous_id org session path value environment release properties"
    assert keys == stable.split()
    [row] = events["rows"]
    assert dict(zip(keys, row, strict=True)) == {
        "id": "1",
        "time": "2026-11-21T02:59:59.000Z",
        "received_at": "2026-11-21T03:00:00.000Z",
        "type": "custom",
        "name": "quote.sent",
        "user": None,
        "anonymous_id": None,
        "org": "acme",
        "session": None,
        "path": None,
        "value": None,
        "environment": "production",
        "release": None,
        "properties": {"n": 1},
    }
    assert [column["key"] for column in rejected["columns"]] == ["at", "reason", "detail", "path"]


def test_lists_page_with_an_opaque_cursor(running: Running, token: str) -> None:
    running.add(*(Event(name=f"e{number}") for number in range(5)))
    names, path = [], "/p/shop/stream.json?limit=2&environment=production"
    while path:
        answer = running.get(path, token=token)
        table = answer.json()["blocks"][0]
        names.append([row[4] for row in table["rows"]])
        path = answer.links["next"]["url"] if "link" in answer.headers else ""
        assert (table["next"] is None) == (not path)
    assert names == [["e4", "e3"], ["e2", "e1"], ["e0"]]


def test_csv_is_the_main_table_or_the_block_asked_for(running: Running, token: str) -> None:
    running.add(Event(name="=HYPERLINK()"))
    running.refuse(Refused(running.shop.id, NOW, "invalid", "$.user: Expected `str`", "/v1/events"))
    answer = running.get("/p/shop/stream.csv", token=token)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="shop-stream-events.csv"' in answer.headers["content-disposition"]
    assert ",'=HYPERLINK()," in answer.text
    rejected = running.get("/p/shop/stream.csv?block=rejected", token=token).text
    assert rejected == (
        "at,reason,detail,path\r\n2026-11-21T03:00:00.000Z,invalid,$.user: Expected `str`,/v1/events\r\n"
    )
    assert running.get("/p/shop/stream.csv?block=nothing", token=token).status_code == 400


def test_the_page_shows_events_with_everything_escaped(running: Running, token: str) -> None:
    running.add(
        Event(name="<script>alert(1)</script>", user="\"><img src=x onerror='x'>", properties='{"<b>":"</pre>"}')
    )
    answer = running.get("/p/shop/stream", token=token)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "style=" not in answer.text
    assert " onerror='" not in answer.text.replace("&#39;", "")


def test_an_empty_stream_says_how_to_send_a_first_event(running: Running, token: str) -> None:
    running.facts.issue_keys(running.shop, running.site.registry.auth_schemes)
    page = running.get("/p/shop/stream", token=token).text
    assert f"x-app-uuid: {running.shop.id}" in page
    assert "<mark>your-secret</mark>" in page
    assert "https://stats.example/v1/events" in page
    assert "Nothing matches these filters" in running.get("/p/shop/stream?org=acme", token=token).text


def test_filters_can_be_taken_away_and_forms_keep_the_rest(running: Running, token: str) -> None:
    running.add(Event(name="a", org="acme"))
    page = running.get("/p/shop/stream?org=acme&f=type:is_not:vital&range=7d&environment=qa", token=token).text
    assert (
        'href="?range=7d&amp;environment=qa&amp;f=type%3Ais_not%3Avital" aria-label="Remove filter: org is acme"'
        in page
    )
    assert 'href="?range=7d&amp;environment=qa&amp;org=acme" aria-label="Remove filter: type is not vital"' in page
    assert '<input type="hidden" name="f" value="type:is_not:vital">' in page
    assert '<input type="hidden" name="range" value="7d">' in page


def test_an_answer_that_did_not_change_is_not_sent_again(running: Running, token: str) -> None:
    running.add(Event(name="a"))
    for face in ("", ".json", ".csv"):
        cookies = {"saastracker_project": "shop"}
        first = running.get(f"/p/shop/stream{face}", token=token, cookies=cookies)
        known = {"if-none-match": first.headers["etag"]}
        again = running.get(f"/p/shop/stream{face}", token=token, cookies=cookies, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "private" in first.headers["cache-control"]
    running.add(Event(name="b"))
    assert running.get("/p/shop/stream.json", token=token, headers=known).status_code == 200


@pytest.mark.parametrize("query", ["colour=red", "range=1d", "f=x", "limit=0", "after=!", "block=x"])
def test_unknown_parameters_are_400(running: Running, token: str, query: str) -> None:
    answer = running.get(f"/p/shop/stream.csv?{query}", token=token)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(query.partition("=")[0])


@pytest.mark.parametrize("query", ["x=y", "block=events"])
def test_more_than_100_parameters_are_400(running: Running, token: str, query: str) -> None:
    answer = running.get(f"/p/shop/stream.json?{query}{'&x=y' * 100}", token=token)
    assert (answer.status_code, "100 parameters" in answer.json()["detail"]) == (400, True)


def test_a_token_opens_only_its_own(running: Running) -> None:
    mine = running.token(project=running.shop)
    all_of_workspace = running.token()
    foreign = running.token(workspace=running.foreign.workspace)
    for slug, token, status in [
        ("shop", mine, 200),
        ("game", mine, 404),
        ("foreign", mine, 404),
        ("nothing", mine, 404),
        ("game", all_of_workspace, 200),
        ("foreign", all_of_workspace, 404),
        ("shop", foreign, 404),
        ("foreign", foreign, 200),
    ]:
        for face in ("", ".json", ".csv"):
            assert running.get(f"/p/{slug}/stream{face}", token=token).status_code == status, (slug, face)
        if status == 404:
            assert running.get(f"/p/{slug}/stream.events", token=token).status_code == 404
            assert running.get(f"/p/{slug}/", token=token).status_code == 404
    page = running.get("/p/shop/stream", token=mine).text
    assert "Game" not in page


def test_a_revoked_token_opens_nothing(running: Running) -> None:
    token = running.token()
    [fact] = running.facts.snapshot.tokens.values()
    running.facts.revoke_token(fact.id)
    assert running.get("/p/shop/stream.json", token=token).status_code == 401


def test_a_page_opens_with_something_worth_looking_at_and_its_twin_does_not(running: Running, token: str) -> None:
    asked: list[str] = []

    def load(reader: Reader, scope: Scope) -> Report:
        asked.append(scope.parameters["by"])
        return Report(blocks=(Note(key="a", text="a"),))

    page = ReportPage(
        slug="made",
        title="Made",
        section="Web",
        load=load,
        parameters=(Parameter(name="by", label="By", opening="name"),),
    )
    offered = replace(running, site=replace(running.site, reports={"made": page}))
    for address in ("made", "made?range=7d", "made?by=", "made?by=org", "made.json"):
        assert offered.get(f"/p/shop/{address}", token=token).status_code == 200
    assert asked == ["name", "name", "", "org", ""]


def test_no_report_may_have_an_address_of_the_core(running: Running) -> None:
    names = {
        route.path.split("/")[3].partition(".")[0]
        for route in running.web.routes
        if route.path.startswith("/p/{slug:str}/")
    }
    assert {name for name in names if not name.startswith("{")} <= {*OWN_PAGES}


def test_home_leads_to_the_last_project(running: Running, token: str) -> None:
    assert running.get("/", token=token).headers["location"] == "/p/game/"
    assert running.get("/", token=token, cookies={"saastracker_project": "shop"}).headers["location"] == "/p/shop/"
    assert running.get("/", token=token, cookies={"saastracker_project": "foreign"}).headers["location"] == "/p/game/"
    assert running.get("/p/shop/", token=token).headers["location"] == "/p/shop/stream"


def test_the_home_report_stands_first(running: Running, token: str) -> None:
    home = ReportPage(
        slug="home",
        title="At a glance",
        section="Overview",
        load=lambda reader, scope: Report(blocks=(Note(key="hello", text="Hello"),)),
    )
    offered = replace(running, site=replace(running.site, reports={**running.site.reports, "home": home}))
    assert offered.get("/p/shop/", token=token).headers["location"] == "/p/shop/home"
    page = offered.get("/p/shop/home", token=token).text
    assert page.index('href="/p/shop/home"') < page.index('href="/p/shop/stream"')


def test_a_note_may_stand_above_the_code_of_a_first_event(running: Running, token: str) -> None:
    note = Note(key="hello", text="Nothing yet", begins=True)
    home = ReportPage(slug="home", title="Home", section="Overview", load=lambda reader, scope: Report(blocks=(note,)))
    offered = replace(running, site=replace(running.site, reports={**running.site.reports, "home": home}))
    running.facts.issue_keys(running.shop, running.site.registry.auth_schemes)
    page = offered.get("/p/shop/home", token=token).text
    assert page.index("Nothing yet") < page.index(f"x-app-uuid: {running.shop.id}")
    assert 'data-events="/p/shop/stream.events"' in page  # it waits for the event by itself
    assert "x-app-uuid" not in offered.get("/p/shop/home.json", token=token).text


@pytest.mark.parametrize(
    "path", ["/p/shop/other", "/p/shop/stream.xml", "/p/shop/stream.json.csv", "/p/shop/.json", "/nothing"]
)
def test_what_does_not_exist_is_404(running: Running, token: str, path: str) -> None:
    assert running.get(path, token=token).status_code == 404
    page = running.get(path, token=token, headers={"accept": "text/html"})
    assert page.status_code == 404
