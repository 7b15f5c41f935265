"""The web SDK on pages that are left, reloaded, opened twice, crash, forbid things and hand in nonsense."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.clients.browsing import Site, Visit
from tests.sdk_python.answering import Asked, Script, Turn, answering
from tests.sdk_web.pages import HIDE, WAITING, call, design, emptied, game, later, names

STORED = "Object.keys(localStorage).sort()"
KILLED = """
    for (const kind of ["pagehide", "visibilitychange"]) {
        addEventListener(kind, (event) => event.stopImmediatePropagation(), {capture: true});
    }
"""
NONSENSE = """
    const loop = {name: "loop"}; loop.loop = loop;
    const trap = {get broken() { throw new Error("looked") }};
    const values = [undefined, null, "", 0, NaN, "x", "\\0", "\\ud800", 10n, Symbol("s"), () => {}, [], [1], {},
      loop, trap, new Proxy({}, {ownKeys() { throw new Error("asked") }}), document.body, window, new Date(NaN),
      Object.create(null)];
    for (const method of Object.keys(OwlsignalClient)) {
      if (method === "SetOptOut") continue;
      OwlsignalClient[method]();
      for (const value of values) {
        OwlsignalClient[method](value);
        OwlsignalClient[method]("Odd", value);
        OwlsignalClient[method]("Odd", {value, dim01: value, data: value});
        OwlsignalClient[method]("Odd", {data: {value}});
      }
    }
"""


@pytest.fixture
def server() -> Iterator[Script]:
    with answering() as script:
        yield script


@pytest.fixture
def page(visit: Visit, site: Site, server: Script) -> Page:
    """A page of a game."""
    site.page = game(server.url)
    visit.page.goto(site.url)
    return visit.page


def leave(page: Page, site: Site) -> None:
    """Follow a link to a page without the client."""
    shown, site.page = site.page, ""
    page.goto(f"{site.url}/elsewhere")
    site.page = shown


def events(asked: Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(asked.body)["events"]
    return found


def test_a_page_that_is_left_sends_what_it_has(page: Page, site: Site, server: Script) -> None:
    design(page, "CTA:Clicked")
    leave(page, site)
    [left] = server.wait(1)
    assert [event["name"] for event in events(left)] == ["Session:Start", "CTA:Clicked", "Session:End"]
    assert len({event["session_id"] for event in events(left)}) == 1
    page.goto(site.url)  # no answer could be read: sent again under the same key, the server stores it once
    [_, again] = server.wait(2)
    assert (again.key, again.body) == (left.key, left.body)
    emptied(page)
    design(page, "Next")
    leave(page, site)
    third = server.wait(3)[2]
    assert events(third)[1]["session_id"] != events(left)[0]["session_id"]
    assert events(third)[1]["player_hash"] == events(left)[0]["player_hash"]


def test_what_the_page_itself_tracks_when_it_is_left_is_sent(page: Page, site: Site, server: Script) -> None:
    page.evaluate("addEventListener('pagehide', () => OwlsignalClient.TrackDesign('Bye'))")
    design(page, "Hello")
    leave(page, site)
    found = [event for asked in server.wait(2) for event in events(asked)]
    assert {event["name"] for event in found} == {"Session:Start", "Hello", "Session:End", "Bye"}
    assert len({event["session_id"] for event in found}) == 1


def test_a_page_that_is_hidden_sends_and_stays_in_its_session(page: Page, server: Script) -> None:
    design(page, "Before")
    page.evaluate(HIDE)
    [asked] = server.wait(1)
    assert [event["name"] for event in events(asked)] == ["Session:Start", "Before"]
    emptied(page)


def test_what_waits_is_sent_by_the_next_page(page: Page, site: Site, server: Script) -> None:
    server.then(Turn(503))
    design(page, "Waits")
    page.evaluate(HIDE)
    server.wait(1)
    page.wait_for_function("Object.values(localStorage).some((text) => text.startsWith('0|'))")
    page.reload()
    asked = server.wait(2)
    assert len({each.key for each in asked if "Waits" in names(each)}) == 1
    emptied(page)


def test_tabs_send_each_batch_once(page: Page, site: Site, server: Script) -> None:
    server.then(*[Turn(delay=0.05)] * 12)
    other = page.context.new_page()
    other.goto(site.url)
    script = "(tab) => { for (let n = 0; n < 150; n++) OwlsignalClient.TrackDesign(`${tab} ${n}`) }"
    page.evaluate(script, "one")
    other.evaluate(script, "two")
    for tab in (page, other):
        tab.evaluate(HIDE)
    emptied(page)
    sent = [name for asked in server.asked for name in names(asked)]
    assert sorted(sent) == sorted(f"{tab} {number}" for tab in ("one", "two") for number in range(150))


def test_what_a_killed_tab_left_is_sent_by_another(visit: Visit, site: Site, server: Script) -> None:
    visit.page.clock.install()
    visit.page.add_init_script(KILLED)
    site.page = game(server.url)
    visit.page.goto(site.url)
    design(visit.page, "Last words")
    leave(visit.page, site)
    assert visit.page.evaluate(WAITING) == 1
    other = visit.page.context.new_page()
    other.goto(site.url)
    later(other, 31)
    assert server.asked == []
    later(other, 31)
    assert names(server.wait(1)[0]) == ["Last words"]
    emptied(other)


def test_opting_out_empties_the_queue_in_every_tab_and_holds(page: Page, site: Site, server: Script) -> None:
    other = page.context.new_page()
    other.goto(site.url)
    design(page, "Waits")
    design(other, "Waits")
    call(other, "SetOptOut", True)
    design(page, "Later")
    design(other, "Later")
    for tab in (page, other):  # tabs may learn of it a moment later
        tab.wait_for_function(f"{STORED}.join() === 'saastracker:off'")
    page.reload()
    design(page, "On the next page")
    leave(page, site)
    leave(other, site)
    assert other.evaluate(STORED) == ["saastracker:off"]
    assert server.asked == []
    page.goto(site.url)
    call(page, "SetOptOut", False)
    design(page, "Welcome back")
    leave(page, site)
    assert names(server.wait(1)[0]) == ["Welcome back"]


def test_opting_out_comes_before_anything_is_kept(visit: Visit, site: Site, server: Script) -> None:
    site.page = '<script src="/owlsignal.js"></script><script>OwlsignalClient.SetOptOut(true)</script>' + game(
        server.url
    )
    visit.page.goto(site.url)
    design(visit.page, "No")
    assert visit.page.evaluate(STORED) == ["saastracker:off"]


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})",
        "Object.defineProperty(window, 'localStorage', {value: null})",
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }",
        """for (const name of ["getItem", "setItem", "removeItem"])
            Storage.prototype[name] = () => { throw new DOMException('broken', 'UnknownError') }""",
        "Object.defineProperty(window, 'crypto', {value: undefined})",
        "console.warn = () => { throw new Error('no console') }",
    ],
    ids=["nothing", "storage forbidden", "storage null", "storage full", "storage broken", "no crypto", "no console"],
)
def test_no_call_throws_and_events_still_arrive(visit: Visit, site: Site, server: Script, broken: str) -> None:
    visit.page.add_init_script(broken)
    site.page = game(server.url, captureErrors=True, capturePageViews=True)
    visit.page.goto(site.url)
    visit.page.evaluate(NONSENSE)
    design(visit.page, "Fine")
    visit.page.evaluate("queueMicrotask(() => { throw new RangeError('of the page') })")
    leave(visit.page, site)
    sent: list[str] = []
    while "Session:End" not in sent:
        sent = [event["name"] for asked in server.wait(1) for event in events(asked)]
    assert {"Page:View", "Odd", "Fine", "RangeError"} <= set(sent)
    assert [said for said in visit.complaints if "of the page" not in said and "ERR_ABORTED" not in said] == []


def test_without_fetch_the_page_lives_and_the_events_wait(visit: Visit, site: Site, server: Script) -> None:
    visit.page.add_init_script("delete window.fetch")
    site.page = game(server.url)
    visit.page.goto(site.url)
    design(visit.page, "Waits")
    leave(visit.page, site)
    assert visit.page.evaluate(WAITING) == 1
    assert visit.complaints == []


def test_errors_that_nobody_caught(visit: Visit, site: Site, server: Script) -> None:
    site.page = game(server.url, captureErrors=True)
    visit.page.goto(site.url)
    visit.page.evaluate(
        """() => {
            function explode() { null.field }
            for (let n = 0; n < 20; n++) setTimeout(explode);
            Promise.reject(new RangeError("too far"));
            Promise.reject("text");
        }"""
    )
    visit.page.wait_for_function(f"{WAITING} === 1")
    visit.page.wait_for_timeout(50)
    leave(visit.page, site)
    errors = [event for event in events(server.wait(1)[0]) if event["type"] == "error"]
    assert [event["name"] for event in errors].count("TypeError") == 5  # the same one, at most
    assert {event["name"] for event in errors} == {"TypeError", "RangeError", "Error"}
    said = {event["name"]: event["data"] for event in errors}
    assert said["RangeError"]["message"] == "too far"
    assert "explode" in said["TypeError"]["stack"]
    assert said["Error"] == {"message": "text"}


def test_views_of_a_program_with_one_page(visit: Visit, site: Site, server: Script) -> None:
    site.page = game(server.url, capturePageViews=True)
    visit.page.goto(f"{site.url}/a?token=secret")
    visit.page.evaluate(
        """() => {
            history.pushState({}, "", "/b");
            history.replaceState({}, "", "/b?filter=1");
            history.replaceState({}, "", "/c");
            history.back();
        }"""
    )
    visit.page.wait_for_url("**/a?token=secret")
    leave(visit.page, site)
    [asked] = server.wait(1)
    views = [event for event in events(asked) if event["name"] == "Page:View"]
    assert [view["dim01"] for view in views] == ["/a", "/b", "/c", "/a"]
    assert views[0]["data"] == {"path": "/a", "title": "Shop"}
    assert b"secret" not in asked.body


def test_who_plays(page: Page, site: Site, server: Script) -> None:
    """A random hash of the device, the SHA-256 of who is identified, and a hash as it is."""
    design(page, "Anonymous")
    call(page, "IdentifyUser", "user-abc")
    design(page, "Known")
    call(page, "IdentifyUser", "AB" * 32)
    design(page, "Hashed")
    call(page, "IdentifyUser", None)
    design(page, "Anonymous again")
    leave(page, site)
    device, known, hashed, again, _ = (event["player_hash"] for event in events(server.wait(1)[0])[1:])
    assert len(device) == 32
    assert known == hashlib.sha256(b"user-abc").hexdigest()
    assert hashed == "ab" * 32
    assert again == device


def test_the_queue_is_bounded(page: Page, server: Script) -> None:
    server.then(*[Turn(500)] * 99)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.evaluate("() => { for (let n = 0; n < 6000; n++) OwlsignalClient.TrackDesign(`e${n}`) }")
    size = page.evaluate("Object.values(localStorage).reduce((sum, text) => sum + text.length, 0)")
    assert 900_000 < size < 1_030_000
    assert page.evaluate("Object.values(localStorage).some((text) => text.includes('\"e5999\"'))")
    assert "saastracker: too many events wait; the oldest are dropped" in told
