"""What only a browser can tell: live rows, opening without script, narrow screens, no complaint of the browser."""

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from saastracker.accounts.model import OPERATOR
from saastracker.event import Event
from saastracker.records import now_ms
from tests.chromium import chromium

from .conftest import Running
from .golden import offering_things


@dataclass
class Served:
    """A running site behind a real server in a thread."""

    running: Running
    url: str
    loop: asyncio.AbstractEventLoop

    def publish(self, *events: Event) -> None:
        self.running.add(*events)
        self.loop.call_soon_threadsafe(self.running.site.live.publish, self.running.shop.id, events)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def served(running: Running) -> Iterator[Served]:
    running = offering_things(running)
    running.add(*(Event(name=f"seen {number}", user="a" * 64, path="/x" * 200) for number in range(3)))
    server = uvicorn.Server(uvicorn.Config(running.web, port=0, log_level="warning", lifespan="off"))
    loops: list[asyncio.AbstractEventLoop] = []
    started = threading.Event()

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn tells in no other way
            await asyncio.sleep(0.01)
        started.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(running, f"http://127.0.0.1:{port}", loops[0])
    loops[0].call_soon_threadsafe(running.site.live.close)
    server.should_exit = True
    thread.join()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser had to say; must stay empty."""
    said: list[str] = []
    yield said
    assert said == []


def visit(browser: Browser, served: Served, complaints: list[str], path: str, **options: Any) -> Page:
    # One motion between two pages takes 0.1 s of CPU; `tests.browser.test_definitions_by_mouse` looks at it.
    context = browser.new_context(**{"reduced_motion": "reduce", **options})
    context.add_cookies([{"name": "saastracker_token", "value": served.running.token(), "url": served.url}])
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith(served.url) else complaints.append(sent.url))
    page.goto(served.url + path)
    return page


def test_new_events_come_in_by_themselves_and_wait_while_paused(
    browser: Browser, served: Served, complaints: list[str]
) -> None:
    page = visit(browser, served, complaints, "/p/shop/stream")
    titles = page.locator("#rows .title")
    expect(page.locator("#live")).to_have_text("Live")
    page.locator("#rows summary").first.click()
    served.publish(Event(name="<b>new</b>", properties='{"x":"<i>"}'))
    expect(titles).to_have_text(["<b>new</b>", "seen 2", "seen 1", "seen 0"])
    expect(page.locator("#rows details[open]")).to_have_count(1)
    page.locator("#rows summary").first.click()
    expect(page.locator("#rows .detail pre").first).to_contain_text('"x": "<i>"')

    page.get_by_role("button", name="Pause").click()
    served.publish(Event(name="later"))
    page.get_by_role("button", name="Show 1 newer event").click()
    expect(titles.first).to_have_text("later")
    page.context.close()


def test_new_rows_have_the_names_that_the_page_knows(browser: Browser, served: Served, complaints: list[str]) -> None:
    traits = '{"user":{"first_name":"Zora","last_name":"<Young>"},"company":{"name":"Acme Ltd"}}'
    served.running.add(Event(name="hi", user="u1", org="acme", traits=traits))
    page = visit(browser, served, complaints, "/p/shop/stream")
    expect(page.locator("#live")).to_have_text("Live")
    served.publish(Event(name="again", anonymous="u1", org="acme"), Event(name="stranger", user="u2"))
    people = page.locator("#rows [data-key=user]")
    expect(people.first).to_have_text("u2")
    assert people.all_inner_texts()[:3] == ["u2", "Zora <Young>", "Zora <Young>"]
    assert [each.get_attribute("title") for each in people.all()[:3]] == ["u2", "u1", "u1"]
    assert page.locator("#rows [data-key=org]").all_inner_texts()[1:3] == ["Acme Ltd", "Acme Ltd"]
    page.context.close()


def test_the_first_event_takes_the_place_of_the_instructions(
    browser: Browser, served: Served, complaints: list[str]
) -> None:
    served = replace(served, running=replace(served.running, shop=served.running.game))
    page = visit(browser, served, complaints, "/p/game/stream")
    expect(page.locator("#live")).to_have_text("Live")
    served.publish(Event(name="hello"))
    expect(page.locator("#rows .title")).to_have_text(["hello"])
    page.context.close()


def test_rows_open_without_script(browser: Browser, served: Served, complaints: list[str]) -> None:
    page = visit(browser, served, complaints, "/p/shop/stream", java_script_enabled=False)
    expect(page.locator(".detail pre").first).to_be_hidden()
    page.locator("#rows summary").first.press("Enter")
    expect(page.locator(".detail pre").first).to_be_visible()
    page.context.close()


@pytest.mark.parametrize(
    "path",
    ["/p/shop/stream", "/p/shop/stream?org=none", "/p/game/stream", "/p/shop/things", "/p/shop/asking", "/login"],
)
def test_no_page_scrolls_sideways(browser: Browser, served: Served, complaints: list[str], path: str) -> None:
    page = visit(browser, served, complaints, path, color_scheme="dark")
    if path == "/p/shop/stream":
        page.locator("#rows summary").first.click()
    for width in (360, 640, 820, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize("look", ["light", "dark", "narrow"])
def test_every_block_looks_as_it_should(
    browser: Browser, served: Served, complaints: list[str], look: str, tmp_path: Path
) -> None:
    """People look at the screenshots: SAASTRACKER_SCREENSHOTS names a folder for them."""
    folder = Path(os.environ.get("SAASTRACKER_SCREENSHOTS", tmp_path))
    width, scheme = (360 if look == "narrow" else 1280), ("dark" if look == "dark" else "light")
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = visit(browser, served, complaints, "/p/shop/things", **options)
    page.screenshot(path=folder / f"things-{look}.png", full_page=True)
    page.context.close()


def test_any_filter_is_set_by_a_form_without_script(browser: Browser, served: Served, complaints: list[str]) -> None:
    page = visit(browser, served, complaints, "/p/shop/stream?type=custom", java_script_enabled=False)
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("And").fill("name")
    page.get_by_label("Condition").select_option("contains")
    page.get_by_label("Value").fill("1")
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("#rows .title")).to_have_text(["seen 1"])
    expect(page.locator(".chip")).to_have_count(2)
    page.context.close()


def test_a_chart_is_read_by_pointer_and_by_keys(browser: Browser, served: Served, complaints: list[str]) -> None:
    page = visit(browser, served, complaints, "/p/shop/things")
    chart = page.locator("[data-readout]").first
    chart.hover(position={"x": 400, "y": 100})
    expect(chart.locator(".read .when")).to_have_text(re.compile("^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) "))
    expect(chart.locator(".read .v")).to_have_count(3)  # now, before, change
    chart.focus()
    page.keyboard.press("Home")
    expect(chart.locator(".read .when")).to_have_text("Sun 25 Oct")
    page.keyboard.press("ArrowRight")
    expect(chart.locator(".read .when")).to_have_text("Mon 26 Oct")
    expect(chart.locator("output")).to_contain_text("Mon 26 Oct, Events ")
    page.keyboard.press("Escape")
    expect(chart.locator(".read")).to_have_count(0)
    page.context.close()


def test_somebody_signs_up_out_and_in_by_keyboard_without_script(
    browser: Browser, served: Served, complaints: list[str]
) -> None:
    accounts, workspace = served.running.site.accounts, served.running.shop.workspace
    invited = accounts.invitations.invite(workspace, "ada@example.com", "viewer", by=OPERATOR, now=now_ms())
    options: dict[str, Any] = {"java_script_enabled": False, "viewport": {"width": 360, "height": 700}}
    page = visit(browser, served, complaints, f"/sign-up/{invited.link}", **options)
    page.context.clear_cookies()

    def write(*texts: str) -> None:
        for text in texts:
            page.keyboard.type(text)
            page.keyboard.press("Tab")

    write("Ada", "", "an owl in the chimney")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/p/game/"))
    page.goto(f"{served.url}/p/shop/stream")
    page.get_by_label("Menu", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_title("Sign in · saastracker")
    write("ada@example.com")
    page.keyboard.type("an owl in the chimney")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/p/"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.close()
