"""The command palette, the keys and the calendar in a browser, by keyboard alone, without a complaint of it."""

import contextlib
import re

import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

from saastracker.event import Event

from .test_browser import Served, browser, complaints, served, visit  # noqa: F401  # fixtures

THINGS = "/p/shop/things"


@pytest.fixture
def page(browser: Browser, served: Served, complaints: list[str]) -> Page:  # noqa: F811
    return visit(browser, served, complaints, THINGS)


def test_the_palette_finds_and_opens(page: Page) -> None:
    page.locator("#main").focus()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    options = page.locator("#found").get_by_role("option")
    expect(options.first).to_contain_text("Live stream")  # all reports, while nothing is typed
    page.keyboard.type("thi")
    expect(options).to_have_count(1)
    expect(options).to_have_attribute("aria-selected", "true")
    chosen = options.get_attribute("id") or ""
    expect(box).to_have_attribute("aria-activedescendant", chosen)
    page.keyboard.press("Control+a")
    page.keyboard.type("xyzzy")
    expect(page.locator("#palette [role=status]")).to_have_text("Nothing matches “xyzzy”.")
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("stream")
    page.keyboard.press("Enter")  # before the answer came: it opens what comes first
    expect(page).to_have_url(re.compile("/p/shop/stream"))
    page.context.close()


def test_arrows_go_round_in_the_palette(page: Page) -> None:
    page.get_by_role("link", name="Search").click()
    options = page.locator("#found").get_by_role("option")
    expect(options).to_have_count(5)  # three reports, two projects
    for key, place in (("ArrowUp", 4), ("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0)):
        page.keyboard.press(key)
        expect(options.nth(place)).to_have_attribute("aria-selected", "true")
        expect(page.locator("#palette [aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Tab")  # stays inside
    assert page.evaluate(
        "document.querySelector('dialog[open]').contains(document.activeElement) || "
        "document.activeElement === document.body"
    )
    page.context.close()


def test_an_old_answer_never_replaces_a_newer_one(page: Page) -> None:
    late: list[Route] = []

    def answer(route: Route) -> None:
        text = route.request.url.partition("q=")[2]
        found = {"kind": "Reports", "title": f"for {text}", "hint": "", "address": "/p/shop/stream"}
        if text == "slow":
            late.append(route)
        else:
            route.fulfill(json={"results": [found]})

    page.route("**/search.json*", answer)
    page.reload()  # a page that is open hears of a route when Chromium has told it, which may be after the keys
    options = page.locator("#found").get_by_role("option")
    page.keyboard.press("Control+k")
    expect(options).to_have_text(["for "])
    with page.expect_request("**/search.json?q=slow"):
        page.keyboard.type("slow")
    page.keyboard.press("Control+a")
    page.keyboard.type("fast")
    expect(options).to_have_text(["for fast"])
    with contextlib.suppress(Error):  # the page may have given the request up
        late[0].fulfill(json={"results": []})
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/p/shop/stream"))
    page.context.close()


def test_without_script_the_button_leads_to_the_page(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    page = visit(browser, served, complaints, THINGS, java_script_enabled=False)
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Name, id or e-mail address").fill("things")
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_role("link", name="Things").click()
    expect(page).to_have_url(re.compile(THINGS))
    page.context.close()


def test_keys_lead_and_open(page: Page) -> None:
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Live stream")
    page.keyboard.press("d")  # none while a dialog is open
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(page.locator("details.span")).not_to_have_attribute("open", "")

    page.keyboard.press("d")
    expect(page.get_by_role("link", name="Last 28 days")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("details.span > summary")).to_be_focused()
    expect(page.locator("details.span")).not_to_have_attribute("open", "")
    page.keyboard.press("f")
    expect(page.locator("details.add-filter .pop")).to_be_visible()
    page.mouse.click(5, 890)  # beside it
    expect(page.locator("details.add-filter .pop")).to_be_hidden()

    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search Events by name")
    expect(search).to_be_focused()
    page.keyboard.type("gsd?/")  # into the field, as all that is typed there
    expect(search).to_have_value("gsd?/")
    page.locator("#main").focus()
    for modified in ("Control+s", "Alt+d", "Meta+f"):
        page.keyboard.press("g")
        page.keyboard.press(modified)
    expect(page).to_have_url(re.compile(THINGS))
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("/p/shop/stream"))
    page.context.close()


def test_a_span_is_chosen_by_keys(page: Page) -> None:
    page.goto(f"{page.url}?from=2026-10-30&to=2026-11-20")
    page.locator("details.span > summary").click()
    day = page.get_by_role("button", name="Friday 20 November 2026").or_(
        page.get_by_role("button", name="Friday, 20 November 2026")
    )
    expect(page.get_by_role("grid")).to_have_count(2)
    expect(page.locator("td[aria-selected=true]")).to_have_count(22)
    day.focus()
    for key in ("PageUp", "ArrowLeft", "ArrowUp", "Enter"):  # 20, 19, 12 October
        page.keyboard.press(key)
    expect(page.locator(".months [role=status]")).to_have_text("From 12 Oct 2026. Choose the last day.")
    for key in ("ArrowDown", "End"):  # 19, 25 October
        page.keyboard.press(key)
    expect(page.locator("td[aria-selected=true]")).to_have_count(14)
    page.keyboard.press("Enter")
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-10-12")
    expect(page.get_by_label("To", exact=True)).to_have_value("2026-10-25")
    page.get_by_role("button", name="Show this span").click()
    expect(page).to_have_url(re.compile(r"from=2026-10-12&to=2026-10-25"))
    page.context.close()


def test_the_calendar_follows_pointer_and_fields(page: Page) -> None:
    page.goto(f"{page.url}?from=2026-10-30&to=2026-11-20")
    page.locator("details.span > summary").click()
    page.locator("td:has([data-day])").nth(11).click()
    page.locator("td:has([data-day])").nth(3).click()  # the other way round
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-10-04")
    expect(page.get_by_label("To", exact=True)).to_have_value("2026-10-12")
    page.get_by_role("button", name="Month after").click()
    expect(page.get_by_role("grid", name="December 2026")).to_be_visible()
    page.get_by_label("To", exact=True).fill("2026-09-30")
    page.get_by_label("From", exact=True).fill("2026-09-29")
    expect(page.get_by_role("grid", name="September 2026")).to_be_visible()
    expect(page.locator("td[aria-selected=true]")).to_have_count(2)
    page.set_viewport_size({"width": 360, "height": 800})
    expect(page.get_by_role("grid")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.close()


def test_a_value_filters_the_stream_also_in_rows_that_just_came(page: Page, served: Served) -> None:  # noqa: F811
    page.goto(f"{served.url}/p/shop/stream?type=custom")
    expect(page.locator("#live")).to_have_text("Live")
    served.publish(Event(name="a&b", org="acme"))
    page.get_by_role("link", name="a&b").click()
    expect(page.locator("#rows .title")).to_have_text(["a&b"])
    expect(page.locator(".chip")).to_have_count(2)
    page.get_by_role("link", name="acme").click()
    expect(page.locator(".chip")).to_have_count(3)
    expect(page.locator("#rows .title .by")).to_have_count(0)  # it is filtered by already
    page.context.close()


def test_groups_of_the_rail_stay_as_they_were_left(page: Page) -> None:
    group = page.locator(".rail .nav-group").filter(has_text="Live stream")
    group.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(group).not_to_have_attribute("open", "")
    page.goto(page.url.replace(THINGS, "/p/shop/search"))
    expect(group).not_to_have_attribute("open", "")
    group.locator("summary").click()
    page.reload()
    expect(group).to_have_attribute("open", "")
    page.context.close()


def test_the_link_of_the_page_is_in_view_in_a_low_window(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 220})
    page.reload()
    link, foot = page.locator(".rail .nav [aria-current]"), page.locator(".rail-foot")
    page.wait_for_function("document.querySelector('.rail').scrollTop > 0")
    shown, covered = link.bounding_box(), foot.bounding_box()
    assert shown is not None
    assert covered is not None
    assert 0 <= shown["y"] < shown["y"] + shown["height"] <= covered["y"]
    assert page.evaluate("scrollY") == 0
    page.context.close()
