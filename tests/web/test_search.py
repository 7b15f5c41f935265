"""Search over a project's pages: what it finds, who may ask, and its bounds."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from saastracker.contracts import Match, Reader, ReportPage
from saastracker.report import Note, Report

from .conftest import Flag, Running
from .test_sign_in import join

HERE = "/p/shop/search"


def find_boats(_: Reader, project: str, text: str, limit: int) -> Sequence[Match]:
    boats = [Match("a/b", f"Boat {text}", project), Match("c.json", "Barge", "Ahoy · c.json")]
    return [*boats, *(Match(str(number), f"Raft {number} {text}") for number in range(100))][:limit]


def sailing(running: Running) -> Running:
    page = ReportPage(
        slug="boats",
        title="Boats",
        section="Product",
        key="b",
        load=lambda _reader, _scope: Report(blocks=(Note(key="n", text="Boats"),)),
        detail=lambda _reader, _scope, item: Report(blocks=(Note(key="n", text=item),), title=item),
        search=find_boats,
    )
    return replace(running, site=replace(running.site, reports={**running.site.reports, page.slug: page}))


def titles(running: Running, text: str, **options: object) -> dict[str, list[str]]:
    """What is found, by kind, in the order of the answer."""
    answer = running.get(f"{HERE}.json?q={text}", **options)  # type: ignore[arg-type]
    assert answer.status_code == 200
    found: dict[str, list[str]] = {}
    for one in answer.json()["results"]:
        found.setdefault(one["kind"], []).append(one["title"])
    return found


def test_reports_and_what_they_find_themselves(running: Running) -> None:
    running = sailing(running)
    token = running.token()
    answer = running.get(f"{HERE}.json?q=++boat++", token=token)
    assert answer.headers["cache-control"] == "no-store"
    assert {key: answer.json()[key] for key in ("project", "query")} == {"project": "shop", "query": "boat"}
    assert answer.json()["results"][:3] == [
        {"kind": "Reports", "title": "Boats", "hint": "Product", "address": "/p/shop/boats"},
        {"kind": "Boats", "title": "Boat boat", "hint": running.shop.id, "address": "/p/shop/boats/a%2Fb"},
        {"kind": "Boats", "title": "Raft 0 boat", "hint": "", "address": "/p/shop/boats/0"},
    ]
    assert running.get(answer.json()["results"][1]["address"], token=token).status_code == 200
    assert titles(running, "boat", token=token)["Reports"] == ["Boats"]
    assert titles(running, "BOAT", token=token)["Reports"] == ["Boats"]


def test_the_closest_come_first_and_none_crowds_out_the_others(running: Running) -> None:
    running = sailing(running)
    found = titles(running, "boat", token=running.token())
    assert list(found) == ["Reports", "Boats"]
    assert len(found["Boats"]) == 6
    assert list(titles(running, "oat", token=running.token())) == ["Boats", "Reports"]  # "Boat oat" has it as a word


def test_without_a_text_there_are_the_reports_and_projects(running: Running) -> None:
    running = sailing(running)
    assert titles(running, "", token=running.token()) == {
        "Reports": ["Live stream", "Boats"],
        "Projects": ["Game", "Shop"],
    }


def test_no_more_than_twenty(running: Running) -> None:
    for number in range(30):
        running.facts.add_project(f"Stream {number}", running.shop.workspace)
    running.site.definitions.refresh()
    token = running.token()
    assert len(titles(running, "stream", token=token)["Projects"]) == 6
    assert sum(map(len, titles(running, "", token=token).values())) == 20


def test_definitions_and_saved_views(running: Running) -> None:
    token, writer = running.token(), running.token("write")
    at = f"/api/v1/projects/{running.shop.slug}/definitions"
    made = running.request("POST", f"{at}/flag", token=writer, json={"name": "Half mast"})
    assert made.status_code == 201
    view = {"name": "Half of it", "report": "stream", "query": "type=error"}
    assert running.request("POST", f"{at}/view", token=writer, json=view).status_code == 201
    results = running.get(f"{HERE}.json?q=half", token=token).json()["results"]
    assert [(one["kind"], one["title"], one["address"]) for one in results] == [
        ("Flags", "Half mast", f"/p/shop/define/flag/{made.json()['id']}"),
        ("Saved views", "Half of it", "/p/shop/stream?type=error"),
    ]
    assert running.get("/p/game/search.json?q=half", token=token).json()["results"] == []
    assert Flag("Half mast").name in running.get(f"{HERE}?q=half", token=token).text


def test_settings_are_found_by_those_who_may_open_them(running: Running) -> None:
    assert titles(running, "audit", cookies=join(running, role="admin")) == {"Settings": ["Audit log"]}
    viewer = join(running, "viewer@example.com", role="viewer")
    assert titles(running, "audit", cookies=viewer) == {}
    assert titles(running, "members", cookies=viewer) == {"Settings": ["Members"]}
    assert titles(running, "members", token=running.token("admin")) == {}
    for one in running.get(f"{HERE}.json?q=shop", cookies=viewer).json()["results"]:
        assert running.get(one["address"], cookies=viewer).status_code in {200, 303}


def test_only_projects_that_one_may_know_of(running: Running) -> None:
    assert titles(running, "foreign", token=running.token()) == {}
    assert titles(running, "game", token=running.token(project=running.shop)) == {}


@pytest.mark.parametrize("face", ["", ".json"])
def test_a_stranger_finds_nothing(running: Running, face: str) -> None:
    stranger = running.token(workspace=running.foreign.workspace)
    for path in (f"{HERE}{face}?q=a", f"/p/none/search{face}"):
        answer = running.get(path, token=stranger, headers={"accept": "text/html"})
        assert answer.status_code == 404
    elsewhere = running.token(project=running.game)
    assert running.get(f"{HERE}{face}", token=elsewhere).status_code == 404
    assert running.get(f"{HERE}{face}").status_code == (401 if face else 303)


@pytest.mark.parametrize("query", ["q=" + "a" * 101, "q=%00", "x=1", "q=a&limit=5"])
def test_odd_questions_are_refused(running: Running, query: str) -> None:
    answer = running.get(f"{HERE}.json?{query}", token=running.token())
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_the_page_shows_the_same(running: Running) -> None:
    text = sailing(running).get(f"{HERE}?q=boat", token=running.token()).text
    assert '<a href="/p/shop/boats/a%2Fb">Boat boat</a>' in text
    assert '<input class="input" id="q" type="search" name="q" value="boat" maxlength="100">' in text
    assert "Nothing matches “&lt;b&gt;”" in running.get(f"{HERE}?q=<b>", token=running.token()).text


def test_names_of_pages_lead_to_the_search_and_its_keys(running: Running) -> None:
    running = sailing(running)
    text = running.get("/p/shop/stream", token=running.token()).text
    assert '<a class="find" href="/p/shop/search" data-palette>' in text
    assert '<a href="/p/shop/boats" data-go="b">Boats</a>' in text
    assert '<a href="/p/shop/stream" data-go="s">Live stream</a>' in text
