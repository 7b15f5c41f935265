"""The rail: groups without data start closed, and stay as somebody left them."""

import re
from dataclasses import replace
from pathlib import Path

import saastracker_runs
from saastracker.event import Event
from saastracker.testing import PROJECT
from saastracker.web.rail import COOKIE, LOOK_MS, Filled
from tests.indexed import reading

from .conftest import NOW, PlainConfig, Running

SAAS = [Event(name="pageview", type="pageview", time=NOW)]
GAME = [Event(name="Start:quay", type="progression", time=NOW)]


def test_a_group_is_without_data_until_one_of_its_events_came(tmp_path: Path) -> None:
    config = PlainConfig(tmp_path)
    pages, taggers = saastracker_runs.reports(config), saastracker_runs.taggers(config)
    filled = Filled(pages)
    assert filled.empty(PROJECT.id) == set()  # nobody looked yet
    for name, sent in (("saas", SAAS), ("game", GAME)):
        (tmp_path / name).mkdir()
        with reading(tmp_path / name, "UTC", sent, taggers=taggers) as reader:
            filled.look(reader, PROJECT.id, NOW)
            assert filled.empty(PROJECT.id) == {"Games"}  # with events of games, as the last look was just before
    with reading(tmp_path / "game", "UTC", taggers=taggers) as reader:
        filled.look(reader, PROJECT.id, NOW + LOOK_MS)
    assert filled.empty(PROJECT.id) == set()


def test_reports_that_do_not_say_what_counts_them_are_never_without_data(running: Running) -> None:
    filled = Filled(running.site.reports.values())
    with running.store.reader() as reader:
        filled.look(reader, running.shop.id, NOW)
    assert filled.empty(running.shop.id) == set()


def test_the_rail_has_groups_closed_but_the_one_of_its_page_and_those_opened(running: Running) -> None:
    games = {page.slug: page for page in saastracker_runs.reports(PlainConfig(Path()))}
    running = replace(running, site=replace(running.site, reports={**running.site.reports, **games}))
    token = running.token()

    def opened(path: str, kept: str = "") -> set[str]:
        page = running.get(path, token=token, cookies={COOKIE: kept} if kept else {}).text
        return set(re.findall(r'<details class="nav-group" data-section="(\w+)" open>', page))

    assert opened("/p/shop/stream") == {"Overview"}
    assert opened("/p/shop/search") == {"Overview"}  # which reads no report
    assert opened("/p/shop/runs") == {"Overview", "Games"}
    assert opened("/p/shop/stream", "Games=open") == {"Overview", "Games"}
    assert opened("/p/shop/search", "Overview=closed&Games=open") == {"Games"}
    assert opened("/p/shop/stream", "%ff=;&&Overview") == {"Overview"}
