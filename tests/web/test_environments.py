"""A project's environments: where pages begin, what they offer, and that twins ask for what they name."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from saastracker import environments
from saastracker.definitions import Definitions
from saastracker.environments import ENVIRONMENTS, Environments, check, offered, preview
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.testing import PROJECT
from tests.asking import SPAN, blocks, scope
from tests.indexed import at, reading

from .conftest import NOW, Running
from .test_sign_in import join

NAMES = ["live", "staging", "ci"]
DEFINED = "/api/v1/projects/shop/definitions/environments"


def sent() -> list[Event]:
    return [Event(name=f"of {name}", time=NOW - 1000, environment=name) for name in NAMES]


@pytest.fixture
def shop(running: Running) -> Running:
    """Reports begin in `live`, and do not offer `ci`."""
    definitions = Definitions(running.records, {ENVIRONMENTS.kind: ENVIRONMENTS})
    shop = replace(running, site=replace(running.site, definitions=definitions))
    shop.add(*sent())
    shop.indexer.step()
    answer = shop.request("POST", DEFINED, token=shop.token("write"), json={"begin": "live", "hidden": ["ci"]})
    assert answer.status_code == 201
    return shop


def listed(page: str) -> list[str]:
    """The events on a page of the stream."""
    return sorted(set(re.findall(r"of (?:live|staging|ci)\b", page)))


def menu(page: str) -> dict[str, str]:
    """The environments that a page offers, with their addresses."""
    links = re.findall(r'<a href="([^"]*)"(?: aria-current="true")?>(live|staging|ci|All environments)</a>', page)
    return {name: address.replace("&amp;", "&") for address, name in links}


def test_pages_begin_there_and_lead_to_the_others(shop: Running) -> None:
    cookies = join(shop, "mia@example.com", "viewer")
    page = shop.get("/p/shop/stream", cookies=cookies).text
    assert listed(page) == ["of live"]
    assert menu(page).keys() == {"live", "staging", "All environments"}
    for name, expected in (("staging", ["of staging"]), ("All environments", ["of ci", "of live", "of staging"])):
        there = shop.get(f"/p/shop/stream{menu(page)[name]}", cookies=cookies).text
        assert listed(there) == expected
        assert listed(shop.get(f"/p/shop/stream{menu(there)['live']}", cookies=cookies).text) == ["of live"]


def test_all_stays_all_on_every_link_of_the_page(shop: Running) -> None:
    page = shop.get("/p/shop/stream?environment=", cookies=join(shop, "mia@example.com", "viewer")).text
    assert listed(page) == ["of ci", "of live", "of staging"]
    assert '<input type="hidden" name="environment" value="">' in page  # of the forms for span and filters
    filtered = re.search(r'href="(\?[^"]*name=of\+ci[^"]*)"', page)
    assert filtered
    assert "environment=" in filtered[1]


def test_what_is_hidden_can_still_be_asked_for(shop: Running) -> None:
    page = shop.get("/p/shop/stream?environment=ci", cookies=join(shop, "mia@example.com", "viewer")).text
    assert listed(page) == ["of ci"]
    assert "ci" in menu(page)


def test_twins_ask_for_what_their_address_names(shop: Running) -> None:
    twin = shop.get("/p/shop/stream.json", token=shop.token()).json()
    assert twin["scope"]["environment"] is None
    assert len(twin["blocks"][0]["rows"]) == len(NAMES)
    page = shop.get("/p/shop/stream", cookies=join(shop, "mia@example.com", "viewer")).text
    assert 'href="/p/shop/stream.json?environment=live"' in page


def test_the_project_says_so(shop: Running) -> None:
    path, address = "/settings/projects/shop", "/p/shop/define/environments/"
    page = shop.get(path, cookies=join(shop, "mia@example.com", "member")).text
    assert "Reports begin in <b>live</b>. Not offered: ci." in page
    assert f'href="{address}' in page
    assert f'href="{address}' not in shop.get(path, cookies=join(shop, "v@example.com", "viewer")).text


def test_nobody_else_changes_it(shop: Running) -> None:
    said = {"begin": "ci"}
    assert shop.request("POST", DEFINED, json=said).status_code == 401
    assert shop.request("POST", DEFINED, token=shop.token(), json=said).status_code == 403
    foreign = shop.token("write", workspace=shop.foreign.workspace)
    assert shop.request("POST", DEFINED, token=foreign, json=said).status_code == 404
    assert environments.of(shop.site.definitions, shop.shop.id).begin == "live"
    assert environments.of(shop.site.definitions, shop.game.id) == Environments()


def test_the_form_suggests_those_there_are(shop: Running) -> None:
    page = shop.get("/p/shop/define/environments/new", cookies=join(shop, "mia@example.com", "member")).text
    suggested = re.search(r'<datalist id="environments">(.*?)</datalist>', page)
    assert suggested
    assert sorted(re.findall('value="([^"]*)"', suggested[1])) == sorted(NAMES)
    assert 'list="environments"' in page


def test_pages_cannot_begin_in_what_they_do_not_offer() -> None:
    check(Environments(begin="live", hidden=("ci",)))
    with pytest.raises(Invalid, match=r"\$\.hidden"):
        check(Environments(begin="ci", hidden=("ci",)))


def test_offered() -> None:
    said = Environments(hidden=("ci",))
    assert offered(said, NAMES, None) == ["live", "staging"]
    assert offered(said, NAMES, "ci") == NAMES
    assert offered(Environments(), NAMES, None) == NAMES


def test_the_preview_counts_each(tmp_path: Path) -> None:
    sent = [Event(name="a", time=at("2026-10-24 12:00"), environment=name) for name in ("live", "live", "ci", "old")]
    with reading(tmp_path, "UTC", sent) as reader:
        asked = scope(SPAN)
        assert asked.project == PROJECT.id
        said = Environments(begin="soon", hidden=("ci", "gone"))
        told = blocks(preview(reader, asked, None, said, None), asked)  # type: ignore[arg-type]
    assert told["environments"]["rows"] == [
        ["live", 2, "offered"],
        ["ci", 1, "not offered"],
        ["old", 1, "offered"],
        ["soon", 0, "reports begin in it"],
    ]
