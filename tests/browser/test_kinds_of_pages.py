"""Each kind of page in a browser: axe-core finds nothing, the console stays empty, nothing is wider than a phone."""

from collections.abc import Sequence
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import FoundBy, Open
from tests.browser.demo_site import Site

GAME = ("runs", "resources", "activity")  # reports that Trackside has more to show for
EMPTY = ("home", "stream", "funnels", "organizations", "define")  # looked at without events, too
OUTSIDE = ("/sign-in", "/login", "/sign-up/gone")  # for who is not signed in
WIDTHS = (360, 768, 820, 1280)  # px; axe-core looks at the last
CONTRAST = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]}
}  # all that dark pages do not share with light ones
CUT = "document.querySelectorAll('tbody > tr:nth-child(n+9)').forEach(row => row.remove())"  # the same as those before
AROUND = """() => {
    const main = document.querySelector("main");
    for (const each of document.querySelectorAll("body *"))
        if (!each.contains(main) && !main.contains(each) && each.tagName !== "SCRIPT") each.remove();
}"""  # axe-core goes through all of a document, whatever part of it is asked for
LOOKS = """[...document.querySelectorAll("body *")].map(
    each => [each.parentElement, each].map(({tagName, classList}) => [tagName, ...classList].join(".")).join(" ")
)"""  # what the style sheet makes colours of
VIOLATIONS = """async ([part, options]) =>
    (await axe.run(part, {resultTypes: ["violations"], preload: false, ...options})).violations.map(
        ({id, help, nodes}) => [id, help, nodes.slice(0, 3).map(node => node.html.slice(0, 200) + node.failureSummary)]
    )"""


@pytest.fixture(scope="module")
def paths(found_by: FoundBy) -> list[str]:
    """One address of each kind of page, as an owner finds them; a report once, where it has most to show."""
    plain = [page for name, page in found_by("owner").items() if len(name) == 1]
    return [page.path for page in plain if page.html and _tells(page.path)]


def _tells(path: str) -> bool:
    match path.partition("?")[0].split("/")[1:]:
        case ["p", "harbourdesk", report, *_]:
            return report not in GAME
        case ["p", "trackside", report, *_]:
            return report in GAME
        case ["p", _, report, *item]:
            return report in EMPTY and not item
    return True


def with_axe(opened: Open, axe: str, url: str, session: str | None = None) -> Page:
    """A page whose every document has axe-core; sending its 500 kB for each takes as long as all else together."""
    page = opened(url, session, reduced_motion="reduce")
    page.context.add_init_script(axe)
    return page


def wrong(page: Page, path: str, known: set[str]) -> list[Any]:
    """The widths at which a page scrolls sideways, and what axe-core finds in it.

    Also while it is dark, if anything looks as nothing does that was on the pages before: `known`.
    """
    found: list[Any] = []
    page.emulate_media(color_scheme="light")
    page.goto(path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{wide} px wide at {width} px")
    page.evaluate(CUT)
    around = path.split("/")[1]  # all settings have the same around `main`, as have all pages of projects
    looks = {around, *page.evaluate(LOOKS)}
    part = "main" if around in known else "html"
    if part == "main":
        page.evaluate(AROUND)
    found += page.evaluate(VIOLATIONS, [part, {}])
    if not looks <= known:
        page.emulate_media(color_scheme="dark")
        found += page.evaluate(VIOLATIONS, [part, CONTRAST])
    known |= looks
    return found


def all_wrong(page: Page, paths: Sequence[str]) -> dict[str, list[Any]]:
    known: set[str] = set()
    return {path: found for path in paths if (found := wrong(page, path, known))}


def test_no_page_breaks_a_rule(site: Site, opened: Open, axe: str, paths: Sequence[str]) -> None:
    page = with_axe(opened, axe, site.url, site.sessions["owner"])
    assert all_wrong(page, paths) == {}


def test_no_page_breaks_a_rule_before_one_is_signed_in(
    site: Site, opened: Open, axe: str, complaints: list[str]
) -> None:
    page = with_axe(opened, axe, site.url)
    assert all_wrong(page, OUTSIDE) == {}
    assert "404" in complaints.pop()  # what Chromium says of a page that is gone


def test_menus_break_no_rule_when_open(site: Site, opened: Open, axe: str) -> None:
    page = with_axe(opened, axe, site.url, site.sessions["owner"])
    for path in ("/p/harbourdesk/home", "/p/harbourdesk/errors", "/settings/members"):
        page.goto(path)
        for menu in page.locator("details").all():
            menu.evaluate("menu => menu.open = true")
        assert page.evaluate(VIOLATIONS, ["html", {}]) == [], path
