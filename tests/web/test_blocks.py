"""Pages of reports with every block, with parameters of their own, and with details."""

import re
from typing import Any

import pytest

from .conftest import Running
from .golden import BLOCKS, offering_things


@pytest.fixture
def things(running: Running) -> Running:
    return offering_things(running)


@pytest.fixture
def token(running: Running) -> str:
    return running.token()


def test_a_page_holds_every_block_without_script_or_style(things: Running, token: str) -> None:
    page = things.get("/p/shop/things", token=token).text
    for block in BLOCKS:
        assert f'id="{block.key}"' in page or block.key == "events"  # which the figures' panel holds
    assert "style=" not in page
    assert re.findall(r"<script(?! type=\"module\" src=)", page) == []
    assert page.count("As a table") == 6
    assert len(re.findall(r'id="([^"]+)"', page)) == len(set(re.findall(r'id="([^"]+)"', page)))


def test_every_block_is_a_csv(things: Running, token: str) -> None:
    for block in BLOCKS:
        answer = things.get(f"/p/shop/things.csv?block={block.key}", token=token)
        assert (answer.status_code, f"shop-things-{block.key}.csv" in answer.headers["content-disposition"]) == (
            200,
            True,
        )
    assert things.get("/p/shop/things.csv?block=names", token=token).text.count("\n") == 121  # all rows, not a page
    assert things.get("/p/shop/things.csv?block=names&limit=5", token=token).text.count("\n") == 6


def test_json_holds_all_blocks_in_the_reports_order(things: Running, token: str) -> None:
    twin = things.get("/p/shop/things.json", token=token).json()
    assert [block["key"] for block in twin["blocks"]] == [block.key for block in BLOCKS]
    assert twin["scope"]["parameters"] == {"of": "people"}
    names = twin["blocks"][4]
    assert (len(names["rows"]), names["total"], names["next"] is not None) == (100, 120, True)


def test_a_table_is_sorted_searched_and_paged_by_links(things: Running, token: str) -> None:
    def rows(query: str) -> list[str]:
        page = things.get(f"/p/shop/things?{query}", token=token).text
        panel = page[page.index('id="names"') : page.index('id="organizations"')]
        return re.findall(r">(event\.\d+)<", panel)

    assert rows("") == [f"event.{number:02}" for number in range(10)]
    assert len(rows("block=names")) == 100
    assert rows("block=names&sort=events")[0] == "event.119"
    assert rows("block=names&search=EVENT.11") == ["event.11", *(f"event.{number}" for number in range(110, 120))]
    answer = things.get("/p/shop/things.json?block=names&sort=-name&limit=50", token=token)
    names = []
    while True:
        names += [row[0] for row in answer.json()["blocks"][4]["rows"]]
        if "next" not in answer.links:
            break
        answer = things.get(answer.links["next"]["url"], token=token)
    assert names == sorted((f"event.{number:02}" for number in range(120)), reverse=True)
    assert "No" not in names


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("sort=events", "sort, search: only for tables"),  # the main table is one that the report cut itself
        ("block=names&sort=colour", "sort: expected one of name, events, mean"),
        ("block=none", "block: expected one of counting, totals"),
        ("of=all", "of: expected one of people, orgs"),
        ("start=x", "start: unknown parameter, allowed are of, from"),
    ],
)
def test_what_cannot_be_arranged_is_refused(things: Running, token: str, query: str, detail: str) -> None:
    for face in ("", ".json", ".csv"):
        answer = things.get(f"/p/shop/things{face}?{query}", token=token)
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith(detail)


def test_details_of_any_id(things: Running, token: str) -> None:
    page = things.get("/p/shop/things", token=token).text
    addresses = re.findall(r'href="(/p/shop/things/[^"?]+)"', page)
    assert "/p/shop/things/kessler%20%26%20roth" in addresses
    assert "/p/shop/things/castellan%2Feu" in addresses
    for address in addresses:
        assert things.get(address, token=token).status_code == 200
    detail = things.get("/p/shop/things/castellan%2Feu", token=token).text
    assert "<h1>Castellan Transport</h1>" in detail
    assert '<a href="/p/shop/things">Things</a>' in detail
    assert '<input class="input" id="p-step" name="step" value="" maxlength="255">' in detail
    assert 'name="step"' not in page
    twin = things.get("/p/shop/things/castellan%2Feu.json?of=orgs", token=token).json()
    assert twin["blocks"] == [{"type": "note", "key": "plan", "text": "None"}]
    assert twin["scope"]["parameters"] == {"of": "orgs", "step": ""}
    assert things.get("/p/shop/things/halden.csv", token=token).text == "text\r\nScale\r\n"


@pytest.mark.parametrize(
    "path", ["things/nothing", "things/nothing.json", "stream/x", "other/x", "things/halden.xml", "things.json/halden"]
)
def test_an_unknown_detail_is_404(things: Running, token: str, path: str) -> None:
    assert things.get(f"/p/shop/{path}", token=token).status_code == 404


def test_links_to_other_reports_keep_the_scope_but_not_the_reports_own_questions(things: Running, token: str) -> None:
    page = things.get("/p/shop/things?of=orgs&range=7d&type=page", token=token).text
    assert 'href="/p/shop/things/halden?range=7d&amp;type=page"' in page
    assert 'href="/p/shop/things?of=people&amp;range=7d&amp;type=page"' in page  # of a figure


def test_the_scope_bar_offers_comparison_and_the_reports_own_questions(things: Running, token: str) -> None:
    page = things.get("/p/shop/things?of=orgs&range=7d&environment=staging", token=token).text
    assert '<a href="?range=7d&amp;environment=staging&amp;of=orgs" aria-current="true">Previous 7 days</a>' in page
    assert '<a href="?range=7d&amp;compare=year&amp;environment=staging&amp;of=orgs">Same days last year</a>' in page
    assert '<a href="?range=7d&amp;environment=staging">People</a>' in page
    assert '<a href="?range=7d&amp;environment=staging&amp;of=orgs" aria-current="true">Organizations</a>' in page


def test_questions_with_free_answers_become_a_form(things: Running, token: str) -> None:
    def asked(query: str) -> Any:
        return things.get(f"/p/shop/asking.json?{query}", token=token).json()["scope"]["parameters"]

    assert asked("") == {"measure": "events", "by": "", "value_of": ""}
    assert asked("measure=sum&by=org&by=prop.size&value_of=price") == {
        "measure": "sum",
        "by": "org,prop.size",
        "value_of": "price",
    }
    page = things.get("/p/shop/asking?by=org&range=7d", token=token).text
    assert '<input class="input" id="p-by" name="by" value="org" maxlength="255">' in page
    assert '<input type="hidden" name="range" value="7d">' in page
