"""What pages send with the web SDK is stored by the real server, whatever happens to it on the way."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.clients.browsing import Site, Visit
from tests.sdk_unity.relay import Relay, address
from tests.sdk_web.pages import HIDE, WAITING, call, design, emptied, failed, game, later, until
from tests.serving import Served, Server, columns, serve, typed

START = ("session", "Session:Start")
END = ("session", "Session:End")


def open_game(visit: Visit, site: Site, url: str, key: str) -> Page:
    site.page = game(url, key)
    visit.page.goto(site.url)
    return visit.page


def leave(page: Page, site: Site) -> None:
    site.page = ""
    page.goto(f"{site.url}/elsewhere")


def test_every_kind_of_event_is_stored_as_it_was_meant(visit: Visit, site: Site, served: Served) -> None:
    arrivals = served.arrivals()
    page = open_game(visit, site, served.url, served.keys["bearer"]["key"])
    call(page, "TrackProgression", "Complete:Tutorial")
    call(page, "TrackDesign", "CTA:Clicked", {"dim01": "pricing-pro", "dim03": "x" * 99, "data": {"text": "Größe 🦉"}})
    call(page, "TrackResource", "Source:Coins", {"value": 50.5})
    call(page, "IdentifyUser", "user-abc")
    call(page, "TrackError", "NullRef", {"data": {"stack": "at foo.bar:12", "deep": {"list": [1, None]}}})
    leave(page, site)
    events = arrivals(6)
    assert columns(events, "type", "name", "value") == [
        (*START, None),
        ("progression", "Complete:Tutorial", None),
        ("design", "CTA:Clicked", None),
        ("resource", "Source:Coins", 50.5),
        ("error", "NullRef", None),
        (*END, None),
    ]
    assert [event["properties"] for event in events] == [
        None,
        None,
        {"dim01": "pricing-pro", "dim03": "x" * 64, "text": "Größe 🦉"},
        None,
        {"stack": "at foo.bar:12", "deep": '{"list":[1,null]}'},
        None,
    ]
    device = events[0]["user"]
    assert len(device) == 32
    assert [event["user"] for event in events] == [device] * 4 + [hashlib.sha256(b"user-abc").hexdigest()] * 2
    assert len({event["session"] for event in events}) == 1
    assert {event["release"] for event in events} == {"1.4.0"}
    assert visit.complaints == []
    assert set(visit.preflights) <= {204}
    open_game(visit, site, served.url, served.keys["bearer"]["key"])  # sends again what was not seen to arrive
    emptied(visit.page)
    assert len(arrivals(6)) == 6


def test_texts_that_are_odd_are_stored(visit: Visit, site: Site, served: Served) -> None:
    arrivals = served.arrivals("Session:Start", "Session:End")
    page = open_game(visit, site, served.url, served.keys["bearer"]["key"])
    page.evaluate(
        """() => {
            OwlsignalClient.TrackDesign("🦉".repeat(60), {
                value: Infinity, data: {half: "\\ud83e!", nul: "a\\0b", huge: 2 ** 64},
            });
            OwlsignalClient.TrackDesign("x".repeat(300), {value: 2 ** 64, dim01: 5, data: [1, "two"]});
            OwlsignalClient.TrackDesign("Big", {data: {stack: "é".repeat(100000)}});
        }"""
    )
    leave(page, site)
    owls, long, big = arrivals(3)
    assert (owls["name"], owls["value"]) == ("🦉" * 50, None)
    assert owls["properties"] == {"half": "!", "nul": "ab", "huge": "18446744073709552000"}
    assert (long["name"], long["value"]) == ("x" * 100, None)
    assert long["properties"] == {"dim01": "5", "0": 1, "1": "two"}
    assert big["properties"]["stack"] == "é" * 9994


def test_a_server_that_is_killed_and_started_again_has_everything_once(
    visit: Visit, site: Site, tmp_path: Path
) -> None:
    own = serve(tmp_path)
    visit.page.clock.install()
    page = open_game(visit, site, own.url, own.keys["bearer"]["key"])
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    send = "([from, to]) => { for (let n = from; n < to; n++) OwlsignalClient.TrackDesign(`e${n}`) }"
    page.evaluate(send, [0, 45])
    page.wait_for_function(f"{WAITING} === 1")  # thirty are acknowledged
    page.evaluate(send, [45, 100])  # of these some are on the way
    own.server.kill()
    page.evaluate(send, [100, 150])
    failed(page)
    page.goto(site.url)
    page.evaluate(send, [150, 160])
    again = Server(tmp_path, port=urlsplit(own.url).port)
    try:
        until(page, f"{WAITING} === 0")
        events = [event["name"] for event in again.events(own.slug, own.token) if event["type"] == "design"]
        assert sorted(events) == sorted(f"e{number}" for number in range(160))
    finally:
        again.kill()


def test_answers_that_are_lost_store_nothing_twice(visit: Visit, site: Site, served: Served) -> None:
    arrivals = served.arrivals("Session:Start", "Session:End")
    network = Relay(address(served.url))
    try:
        visit.page.clock.install()
        page = open_game(visit, site, network.url, served.keys["bearer"]["key"])
        design(page, "Preflight")
        until(page, f"{WAITING} === 0")
        network.loses_answers = True
        design(page, "Once")
        later(page)
        assert network.lost.wait(10)
        network.loses_answers = False
        until(page, f"{WAITING} === 0")
        assert [event["name"] for event in arrivals(2)] == ["Preflight", "Once"]
    finally:
        network.close()


def test_a_key_that_may_send_little_loses_nothing(visit: Visit, site: Site, served: Served) -> None:
    made = typed(served.data, "key", "add", "bearer", "--project", served.slug, "--rate", "1")
    arrivals = served.arrivals("Session:Start", "Session:End")
    page = open_game(visit, site, served.url, made["key"])
    page.wait_for_timeout(1200)  # until the server knows the key
    use_up = """async ([url, key]) => {
        let wait;
        for (let n = 0; n < 12; n++) {
            const answer = await fetch(url, {method: "POST", headers: {Authorization: `Bearer ${key}`}, body: "{}"});
            wait = answer.headers.get("Retry-After");
        }
        return wait;
    }"""
    wait = page.evaluate(use_up, [f"{served.url}/api/v1/events", made["key"]])
    assert int(wait) >= 1  # which a page of another origin may read
    design(page, "Once")
    page.evaluate(HIDE)
    failed(page)
    emptied(page)
    assert visit.statuses[-2:] == [503, 200]
    assert len(arrivals(1)) == 1


def test_a_key_that_is_unknown_drops_the_batch_and_says_so(visit: Visit, site: Site, served: Served) -> None:
    told: list[str] = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.page.clock.install()
    page = open_game(visit, site, served.url, "pk_live_wrong")
    design(page, "Lost")
    until(page, f"{WAITING} === 0")
    assert any(text.startswith("saastracker: 401") and "Unknown or revoked key" in text for text in told)


@pytest.mark.parametrize("days", [2, -2])
def test_a_wrong_clock_moves_events_and_loses_none(visit: Visit, site: Site, served: Served, days: int) -> None:
    """The server keeps the time of the client, beside its own: it cannot tell a wrong clock from a late event."""
    arrivals = served.arrivals("Session:Start", "Session:End")
    visit.page.clock.install(time=datetime.now() + timedelta(days=days))
    page = open_game(visit, site, served.url, served.keys["bearer"]["key"])
    design(page, "Elsewhen")
    until(page, f"{WAITING} === 0")
    [event] = arrivals(1)
    assert event["name"] == "Elsewhen"
    moved = _moment(event["time"]) - _moment(event["received_at"])
    assert abs(moved - timedelta(days=days)) < timedelta(minutes=2)


def test_a_clock_years_ahead_is_refused_and_told(visit: Visit, site: Site, served: Served) -> None:
    told: list[str] = []
    visit.page.on("console", lambda message: told.append(message.text))
    visit.page.clock.install(time=datetime.now() + timedelta(days=500))
    page = open_game(visit, site, served.url, served.keys["bearer"]["key"])
    design(page, "Refused")
    until(page, f"{WAITING} === 0")
    assert any("one year ahead" in text for text in told)


def test_opting_out_stores_nothing(visit: Visit, site: Site, served: Served) -> None:
    arrivals = served.arrivals()
    page = open_game(visit, site, served.url, served.keys["bearer"]["key"])
    design(page, "Taken back")
    call(page, "SetOptOut", True)
    design(page, "Not recorded")
    leave(page, site)
    assert visit.sent == []
    assert arrivals(0) == []


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000)
