"""The tag on pages of another origin: what the real server stores of views, events, people, companies, vitals."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.clients.browsing import Site, Visit
from tests.sdk_python.answering import Script, Turn, answering
from tests.sdk_web.pages import HIDE
from tests.serving import Served, columns

BODY = (
    "<h1>Shop</h1><button onclick='const end = performance.now() + 120; while (performance.now() < end);'>Buy</button>"
)
WAITING = "Object.keys(localStorage).some((key) => /:(tag|vitals):/.test(key) && !key.includes(':lease:'))"


def tag(served: Served, host: str = "", vitals: bool = False) -> str:
    keys = {"api-key": served.keys["query-token"]["api_key"]}
    if vitals:
        keys["project-key"] = served.keys["project-key"]["key"]
    attributes = " ".join(f'data-{name}="{key}"' for name, key in keys.items())
    return f'{BODY}<script src="/tag.js" data-host="{host or served.url}" {attributes}></script>'


def call(page: Page, function: str, *arguments: Any) -> None:
    page.evaluate("([name, given]) => saastracker[name](...given)", [function, arguments])


def settled(page: Page) -> None:
    page.evaluate(HIDE)
    page.wait_for_function(f"!{WAITING}")


@pytest.fixture
def page(visit: Visit, site: Site, served: Served) -> Page:
    site.page = tag(served)
    return visit.page


@pytest.fixture
def server() -> Iterator[Script]:
    with answering() as script:
        yield script


def test_views_events_people_and_companies(page: Page, visit: Visit, site: Site, served: Served) -> None:
    arrivals = served.arrivals()
    page.goto(f"{site.url}/a?utm_source=news&token=secret#part")
    call(page, "identify", {"id": "ada", "email": "ada@example.com", "first_name": "Ada"})
    call(page, "group", {"id": "acme", "name": "Acme"})
    call(page, "track", "plan_chosen", {"value": 49, "plan": {"name": "pro"}})
    page.evaluate("history.pushState({}, '', '/b')")
    settled(page)
    page.goto(f"{site.url}/c")
    settled(page)
    events = arrivals(6)
    assert columns(events, "type", "name", "path", "user", "org", "value") == [
        ("pageview", "pageview", "/a", events[0]["user"], None, None),
        ("identify", "user_identify", "/a", "ada", None, None),
        ("identify", "group", "/a", "ada", "acme", None),
        ("custom", "plan_chosen", "/a", "ada", "acme", 49),
        ("pageview", "pageview", "/b", "ada", "acme", None),
        ("pageview", "pageview", "/c", "ada", "acme", None),  # who they are outlives the page
    ]
    assert len({event["anonymous_id"] for event in events}) == 1
    assert events[3]["properties"]["plan"] == {"name": "pro"}
    assert events[0]["properties"]["url"] == f"{site.url}/a?utm_source=news"
    assert "secret" not in str([request.post_data for request in visit.sent])
    assert visit.complaints == []
    assert visit.preflights == []


def test_signing_out_begins_another_visitor(page: Page, site: Site, served: Served) -> None:
    arrivals = served.arrivals()
    page.goto(site.url)
    call(page, "identify", {"email": "Ada@Example.com"})
    call(page, "group", {"id": "acme"})
    call(page, "reset")
    call(page, "track", "after")
    settled(page)
    view, identified, _, after = arrivals(4)
    assert identified["user"] == "ada@example.com"
    assert (after["org"], after["anonymous_id"] == view["anonymous_id"]) == (None, False)
    assert after["user"] is None


def test_a_page_that_is_left_at_once_is_counted_once(page: Page, site: Site, served: Served) -> None:
    arrivals = served.arrivals()
    page.goto(f"{site.url}/a")
    call(page, "track", "left")
    page.goto(f"{site.url}/b")  # sends again what was not seen to arrive; the events have ids
    settled(page)
    assert sorted(columns(arrivals(3), "name", "path")) == [("left", "/a"), ("pageview", "/a"), ("pageview", "/b")]


def test_a_tag_that_is_asked_to_slow_down_loses_nothing(
    visit: Visit, site: Site, served: Served, server: Script
) -> None:
    server.then(Turn(429, {"Retry-After": "1"}), Turn(503))
    visit.page.add_init_script("Math.random = () => 0")
    site.page = tag(served, server.url)
    visit.page.clock.install()
    visit.page.goto(site.url)
    for _ in range(10):
        visit.page.clock.run_for(1000)
        visit.page.wait_for_timeout(20)
    settled(visit.page)
    assert len({asked.body for asked in server.wait(3)}) == 1


def test_the_example_of_the_readme(visit: Visit, site: Site, served: Served, package: Path) -> None:
    [example] = re.findall(r"```html\n(.+?)```", (package / "README.md").read_text(), re.DOTALL)
    real = {
        "/tag.global.js": "/tag.js",
        "https://stats.example.com": served.url,
        "API_KEY": served.keys["query-token"]["api_key"],
        "PROJECT_KEY": served.keys["project-key"]["key"],
    }
    arrivals = served.arrivals("TTFB", "FCP", "LCP", "CLS")
    site.page = re.sub("|".join(real), lambda found: real[found[0]], example)
    visit.page.goto(site.url)
    settled(visit.page)
    assert columns(arrivals(4), "name", "user", "org", "value")[1:] == [
        ("user_identify", "ada", None, None),
        ("group", "ada", "acme", None),
        ("plan_chosen", "ada", "acme", 49),
    ]


def test_opting_out(page: Page, visit: Visit, site: Site, served: Served) -> None:
    arrivals = served.arrivals()
    page.goto(site.url)
    call(page, "optOut", True)
    call(page, "track", "not_recorded")
    call(page, "identify", {"id": "ada"})
    page.goto(f"{site.url}/b")
    page.goto("about:blank")
    assert visit.sent == []
    assert arrivals(0) == []


def test_web_vitals(visit: Visit, site: Site, served: Served) -> None:
    """Each as the browser itself tells it, and of the type that the report on vitals counts."""
    arrivals = served.arrivals("pageview")
    site.page = tag(served, vitals=True)
    visit.page.goto(f"{site.url}/vitals")
    visit.page.click("button")
    visit.page.wait_for_timeout(300)  # until the next paint is told
    truth = visit.page.evaluate(
        """async () => {
            const load = performance.getEntriesByType("navigation")[0];
            const paint = performance.getEntriesByName("first-contentful-paint")[0];
            const largest = await new Promise((done) => {
                const observer = new PerformanceObserver((list) => done(list.getEntries().at(-1)));
                observer.observe({type: "largest-contentful-paint", buffered: true});
            });
            const shift = await new Promise((done) => {
                const observer = new PerformanceObserver((list) => done(list.getEntries()[0].value));
                observer.observe({type: "layout-shift", buffered: true});
                const block = Object.assign(document.createElement("div"), {style: "height: 99px"});
                setTimeout(() => document.body.prepend(block), 600);  // shifts soon after a click do not count
            });
            return {TTFB: load.responseStart, FCP: paint.startTime, LCP: largest.startTime, CLS: shift};
        }"""
    )
    site.page = ""
    visit.page.goto(f"{site.url}/elsewhere")
    events = arrivals(5)
    assert {(event["type"], event["path"], event["user"], event["anonymous_id"]) for event in events} == {
        ("vital", "/vitals", None, None)
    }
    measured = {event["name"]: event["value"] for event in events}
    assert 120 <= measured.pop("INP") < 2000
    assert measured == pytest.approx(truth, abs=0.001)
    assert measured["CLS"] > 0.01


def test_no_function_of_the_tag_throws(page: Page, visit: Visit, site: Site) -> None:
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no') }})")
    page.goto(site.url)
    page.evaluate(
        """() => {
            const loop = {}; loop.loop = loop;
            for (const run of Object.values(saastracker)) {
                if (run === saastracker.optOut) continue;
                for (const value of [undefined, null, "x", 1, loop, Symbol("s"), () => {}, document.body]) {
                    run(value); run("odd", value);
                }
            }
        }"""
    )
    assert visit.complaints == []
