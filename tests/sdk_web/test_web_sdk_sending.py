"""When the web SDK sends, when again, and when not: to a server that answers as told."""

import json
from collections.abc import Iterator

import pytest

from tests.clients.browsing import Site, Visit
from tests.sdk_python.answering import Asked, Script, Turn, answering
from tests.sdk_unity.relay import Relay, address
from tests.sdk_web.pages import WAITING, call, design, emptied, failed, game, later, names, until

REJECTED = '{"accepted":0,"rejected":1,"errors":[{"index":0,"detail":"$.ts"}]}'


@pytest.fixture
def server() -> Iterator[Script]:
    with answering() as script:
        yield script


def open_game(visit: Visit, site: Site, url: str) -> None:
    """A game whose clock moves only with `later`; its back-off has no jitter."""
    visit.page.clock.install()
    visit.page.add_init_script("Math.random = () => 1")
    site.page = game(url)
    visit.page.goto(site.url)
    visit.page.clock.pause_at(visit.page.evaluate("Date.now() / 1000 + 1"))


def test_thirty_events_are_a_batch_and_the_rest_waits_for_thirty_seconds(
    visit: Visit, site: Site, server: Script
) -> None:
    open_game(visit, site, server.url)
    design(visit.page, *(f"e{number}" for number in range(31)))  # and Session:Start
    [first] = server.wait(1)
    assert names(first) == [f"e{number}" for number in range(29)]
    assert json.loads(first.body)["events"][0]["name"] == "Session:Start"
    assert first.headers["authorization"] == "Bearer pk_test"
    visit.page.wait_for_function(f"{WAITING} === 1")
    later(visit.page, 29)
    assert len(server.asked) == 1
    later(visit.page, 2)
    _, second = server.wait(2)
    assert names(second) == ["e29", "e30"]
    assert second.key != first.key
    emptied(visit.page)
    assert visit.complaints == []


def test_batches_stay_small_enough_for_a_page_that_is_left(visit: Visit, site: Site, server: Script) -> None:
    open_game(visit, site, server.url)
    call(visit.page, "TrackError", "Big", {"data": {"stack": "é" * 100_000}})
    call(visit.page, "TrackError", "Big", {"data": {"stack": "x" * 100_000}})
    until(visit.page, f"{WAITING} === 0")
    assert [names(asked) for asked in server.wait(2)] == [["Big"], ["Big"]]
    assert all(len(asked.body) < 32 * 1024 for asked in server.asked)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_what_may_be_stored_later_is_sent_again_as_it_was(
    visit: Visit, site: Site, server: Script, status: int
) -> None:
    server.then(*[Turn(status)] * 3)
    open_game(visit, site, server.url)
    design(visit.page, "once")
    later(visit.page)
    server.wait(1)
    for sent, back_off in enumerate((1, 2, 4), start=1):
        failed(visit.page)
        later(visit.page, back_off - 0.1)
        assert len(server.asked) == sent
        later(visit.page, 0.2)
        server.wait(sent + 1)
    assert len({(asked.key, asked.body) for asked in server.asked}) == 1
    emptied(visit.page)


def test_the_server_says_when(visit: Visit, site: Site, server: Script) -> None:
    server.then(Turn(503, {"Retry-After": "20"}))
    open_game(visit, site, server.url)
    design(visit.page, "once")
    later(visit.page)
    server.wait(1)
    failed(visit.page)
    later(visit.page, 19)
    assert len(server.asked) == 1
    later(visit.page, 2)
    server.wait(2)
    emptied(visit.page)


@pytest.mark.parametrize("status", [400, 401, 413])
def test_what_will_never_be_stored_is_dropped_and_told(visit: Visit, site: Site, server: Script, status: int) -> None:
    told: list[str] = []
    visit.page.on("console", lambda message: told.append(message.text) if message.type == "warning" else None)
    server.then(Turn(status, body='{"detail":"Unknown or revoked key"}'))
    open_game(visit, site, server.url)
    design(visit.page, "dropped")
    later(visit.page)
    emptied(visit.page)
    design(visit.page, "next")
    later(visit.page)
    assert [names(asked) for asked in server.wait(2)] == [["dropped"], ["next"]]
    assert told == [f'saastracker: {status} {{"detail":"Unknown or revoked key"}}']


def test_events_that_were_rejected_are_told(visit: Visit, site: Site, server: Script) -> None:
    told: list[str] = []
    visit.page.on("console", lambda message: told.append(message.text))
    server.then(Turn(body=REJECTED))
    open_game(visit, site, server.url)
    design(visit.page, "bad")
    later(visit.page)
    emptied(visit.page)
    assert told == [f"saastracker: 200 {REJECTED}"]


def test_no_answer_is_waited_for_no_longer_than_thirty_seconds(visit: Visit, site: Site, server: Script) -> None:
    server.then(Turn(delay=1.5))
    open_game(visit, site, server.url)
    design(visit.page, "slow")
    later(visit.page)
    server.wait(1)
    later(visit.page, 28.9)
    assert len(server.asked) == 1
    later(visit.page, 0.2)
    failed(visit.page)
    later(visit.page, 1.1)
    first, second = server.wait(2)
    assert (first.key, first.body) == (second.key, second.body)
    emptied(visit.page)


def test_a_connection_that_breaks_loses_nothing(visit: Visit, site: Site, server: Script) -> None:
    server.then(*[Turn(reset=True)] * 4)  # some of which the browser makes up for by itself
    open_game(visit, site, server.url)
    design(visit.page, "once")
    later(visit.page)
    until(visit.page, f"{WAITING} === 0")
    assert len({asked.key for asked in server.wait(5)}) == 1


def test_a_batch_that_fails_holds_up_no_other(
    visit: Visit, site: Site, server: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = server.turn

    def turn(asked: Asked) -> Turn:
        answer = usual(asked)
        return Turn(500) if "poison" in names(asked) else answer

    monkeypatch.setattr(server, "turn", turn)
    open_game(visit, site, server.url)
    design(visit.page, "poison")
    later(visit.page)
    server.wait(1)
    failed(visit.page)
    design(visit.page, "good")
    until(visit.page, f"{WAITING} === 1")
    assert ["good"] in [names(asked) for asked in server.asked]


def test_offline_and_back(visit: Visit, site: Site, server: Script) -> None:
    network = Relay(None)
    try:
        open_game(visit, site, network.url)
        visit.page.context.set_offline(True)
        design(visit.page, "under ground")
        later(visit.page)
        failed(visit.page)
        network.to = address(server.url)
        visit.page.context.set_offline(False)  # the browser says so, and nobody waits for the back-off
        later(visit.page, 0.01)
        assert [names(asked) for asked in server.wait(1)] == [["under ground"]]
        emptied(visit.page)
    finally:
        network.close()


@pytest.mark.parametrize("days", [2, -2, 400])
def test_a_clock_that_is_put_right_strands_nothing(visit: Visit, site: Site, server: Script, days: int) -> None:
    """Events were made, failed and were left by a page whose clock was wrong."""
    server.then(Turn(503))
    open_game(visit, site, server.url)
    now = visit.page.evaluate("Date.now() / 1000")
    visit.page.clock.set_system_time(now + days * 86_400)
    design(visit.page, "before")
    later(visit.page)
    server.wait(1)
    failed(visit.page)
    visit.page.clock.set_system_time(now + 60)
    design(visit.page, "after")
    until(visit.page, f"{WAITING} === 0")
    assert sorted({asked.key: names(asked) for asked in server.asked}.values()) == [["after"], ["before"]]
