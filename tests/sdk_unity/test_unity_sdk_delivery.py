"""The Unity SDK loses nothing and repeats nothing while servers, networks and games come and go."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.sdk_python.answering import Asked, Turn, answering
from tests.sdk_unity.conftest import EVENTS, Play
from tests.sdk_unity.relay import Address, Relay, address
from tests.serving import Served, Server, columns, serve

TAKEN = Turn(body='{"accepted":30,"rejected":0,"errors":[]}')
ALL_TAKEN = [TAKEN] * 60
PORTAL = Turn(headers={"Content-Type": "text/html"}, body="<html>Sign in to the airport's network</html>")


@contextmanager
def relaying(to: Address | None) -> Iterator[Relay]:
    relay = Relay(to)
    try:
        yield relay
    finally:
        relay.close()


def names(asked: Asked) -> list[str]:
    return [event["name"] for event in json.loads(asked.body)["events"]]


def many(count: int, name: str = "Event:") -> list[str]:
    return ["Session:Start", *(f"{name}{at}" for at in range(count))]


def test_a_server_that_is_killed_and_started_again(play: Play, tmp_path: Path) -> None:
    served = serve(tmp_path)
    with relaying(address(served.url)) as relay:
        game = play(relay.url, key=served.keys["bearer"]["key"])
        game.track("Before")
        game.sent()
        served.server.kill()
        game.tell("many", 100, "During:")
        game.until(lambda: bool(game.warnings))
        again = Server(tmp_path)
        relay.to = address(again.url)
        game.sent()
        stored = again.events(served.slug, served.token)
    assert columns(stored, "name") == [(name,) for name in ("Session:Start", "Before", *many(100, "During:")[1:])]
    assert again.stop() == 0


def test_answers_that_get_lost_store_nothing_twice(live: Served, play: Play, tmp_path: Path) -> None:
    """The game ends before it hears that its events were stored; the next run sends them by the same key."""
    arrivals = live.arrivals()
    key = live.keys["bearer"]["key"]
    with relaying(address(live.url)) as relay:
        relay.loses_answers = True
        game = play(relay.url, key=key)
        game.track("Stored")
        assert relay.lost.wait(10)
        game.track("Not yet sent")
        game.kill()
        relay.loses_answers = False
        game = play(relay.url, key=key)
        game.track("Next run")
        game.sent()
    events = arrivals(5)
    assert columns(events, "name") == [
        (name,) for name in ("Session:Start", "Stored", "Not yet sent", *many(0), "Next run")
    ]
    assert len({event["session"] for event in events}) == 2
    assert len({event["user"] for event in events}) == 1


def test_batches_of_thirty_and_of_thirty_seconds(play: Play) -> None:
    with answering(*ALL_TAKEN) as script:
        game = play(script.url, speed=1)
        game.tell("many", 65, "Event:")
        asked = script.wait(2)
        game.until(lambda: game.waiting() == 6)  # these wait for more
        game.kill()
        game = play(script.url)
        asked = script.wait(3)
        assert [names(each) for each in asked] == [many(65)[:30], many(65)[30:60], many(65)[60:]]
        assert [each.path for each in asked] == [EVENTS] * 3
        assert {each.headers["authorization"] for each in asked} == {"Bearer pk"}
        assert len({each.key for each in asked}) == 3
        game.track("Later")
        game.sent()
        assert names(script.asked[3]) == [*many(0), "Later"]


def test_a_batch_is_repeated_later_and_later_by_the_same_key(play: Play) -> None:
    failures = [
        Turn(500),
        Turn(503),
        Turn(502, body="<html>"),
        Turn(429),
        PORTAL,
        Turn(302),
        Turn(reset=True),
        Turn(500),
    ]
    with answering(*failures, *ALL_TAKEN) as script:
        game = play(script.url, speed=200)
        game.track("Event")
        asked = script.wait(len(failures) + 1)
        game.sent()
        assert len({(each.key, each.body) for each in asked}) == 1
        waits = [later.at - sooner.at for sooner, later in pairwise(asked)]
        # 1, 2, 4 … s, half of it by chance, 200 times as fast; the machine may be late, not early
        assert all(wait >= 0.5 * 2**at / 200 for at, wait in enumerate(waits))
        assert len(asked) == len(script.asked)
        assert len(game.warnings) == 1


@pytest.mark.parametrize("status", [503, 429])
def test_the_time_that_the_server_asks_for(play: Play, status: int) -> None:
    """503 is how the server answers keys over their limit in this format; proxies in front of it say 429."""
    with answering(Turn(status, {"Retry-After": "40"}), *ALL_TAKEN) as script:
        game = play(script.url)
        game.track("Event")
        first, second = script.wait(2)
        assert second.at - first.at >= 40 / 100
        assert second.key == first.key


@pytest.mark.parametrize("status", [400, 401, 404, 413])
def test_what_is_refused_is_dropped_and_told(play: Play, tmp_path: Path, status: int) -> None:
    with answering(Turn(status, body='{"detail":"Unknown or revoked key"}'), *ALL_TAKEN) as script:
        game = play(script.url)
        game.track("Refused")
        game.sent()
        game.track("Next")
        asked = script.wait(2)
        game.sent()
        assert [names(each) for each in asked] == [["Session:Start", "Refused"], ["Next"]]
        assert game.warnings == [f"The server refused 2 events with {status}, they are lost: Unknown or revoked key"]
        assert list((tmp_path / "device").glob("*.batch")) == []


def test_events_over_the_budget_are_told(play: Play) -> None:
    with answering(Turn(body='{"accepted":0,"rejected":2,"errors":[],"reason":"tier_limit"}')) as script:
        game = play(script.url)
        game.track("Over")
        game.sent()
        assert game.warnings == ["The server did not take 2 of 2 events: tier_limit"]


def test_a_slow_server(play: Play) -> None:
    """The game goes on, the request is given up and repeated by its key."""
    with answering(Turn(delay=1), *ALL_TAKEN) as script:
        game = play(script.url, timeout=0.3)
        game.track("Event")
        script.wait(1)
        game.track("Meanwhile")
        assert game.waiting() == 3
        first, second = script.wait(2)[:2]
        game.sent()
        assert first.key == second.key
        assert second.at - first.at < 1
        assert [name for each in script.asked[1:] for name in names(each)] == [*many(0), "Event", "Meanwhile"]


def test_a_full_queue_drops_the_oldest(play: Play, tmp_path: Path) -> None:
    with relaying(None) as relay:
        game = play(relay.url)
        game.tell("many", 1199, "Event:")
        waiting, dropped = map(int, game.tell("state").split())
        assert (waiting + dropped, waiting > 960, waiting <= 1000) == (1200, True, True)
        told = [int(each[1]) for each in (re.search(r"(\d+) so far", warning) for warning in game.warnings) if each]
        assert told[-1] == dropped
        assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "device").glob("*.batch")) == waiting
        game.kill()
    with answering(*ALL_TAKEN) as script:
        game = play(script.url)
        game.sent()
        sent = [name for each in script.asked for name in names(each)]
        assert len(sent) == waiting
        assert sent[-1] == "Event:1198"
        assert set(sent) <= set(many(1199))


def test_a_queue_that_a_crash_cut_short(play: Play, tmp_path: Path) -> None:
    with relaying(None) as relay:
        game = play(relay.url)
        game.tell("many", 3, "Event:")
        game.kill()
    [kept] = (tmp_path / "device").glob("*.batch")
    kept.write_bytes(kept.read_bytes()[:-5])
    (tmp_path / "device" / "notes.batch").write_text("of somebody else")
    with answering(*ALL_TAKEN) as script:
        game = play(script.url)
        game.sent()
        assert [names(each) for each in script.asked] == [many(2)]


def test_two_games_in_one_folder_send_their_own(play: Play, tmp_path: Path) -> None:
    with answering(*ALL_TAKEN) as script:
        one, two = play(script.url), play(script.url)
        one.track("One")
        two.track("Two")
        one.sent()
        two.sent()
        assert sorted(names(each)[1] for each in script.asked) == ["One", "Two"]
        assert one.warnings == []
        assert [warning.split(":")[0] for warning in two.warnings] == [
            "Events are kept in memory only, and lost if the game ends offline"
        ]


def test_events_of_many_threads(play: Play) -> None:
    with answering(*ALL_TAKEN) as script:
        game = play(script.url)
        game.tell("threads", 4, 100)
        game.sent()
        sent = [name for each in script.asked for name in names(each)]
        assert sorted(sent) == sorted(["Session:Start", *(f"Thread:{t}:{at}" for t in range(4) for at in range(100))])


def test_pauses(play: Play) -> None:
    """A short one goes on with the session, a long one does not."""
    with answering(*ALL_TAKEN) as script:
        game = play(script.url, speed=1)  # what is sent is sent for the pause, not for its age
        game.track("Played")
        game.tell("pause")
        game.sent()
        game.track("After an advertisement")
        game.tell("pause")
        game.tell("clock", 301)
        game.track("After lunch")
        game.tell("clock", -86400)
        game.quit()
        sessions: dict[str, list[str]] = {}
        for event in (event for each in script.asked for event in json.loads(each.body)["events"]):
            sessions.setdefault(event["session_id"], []).append(event["name"])
        assert list(sessions.values()) == [
            ["Session:Start", "Played", "Session:End", "After an advertisement", "Session:End"],
            ["Session:Start", "After lunch", "Session:End"],
        ]


def test_a_clock_that_is_set_back_holds_nothing_up(play: Play) -> None:
    with answering(Turn(500), *ALL_TAKEN) as script:
        game = play(script.url)
        game.track("Event")
        script.wait(1)
        game.tell("clock", -10 * 365 * 86400)
        game.track("Ten years ago")
        game.sent()


def test_the_end_waits_a_second_at_most(play: Play) -> None:
    with answering(Turn(delay=2.5), *ALL_TAKEN) as script:
        game = play(script.url, speed=1)
        game.track("Event")
        assert game.quit() < 2000
        game = play(script.url)
        game.sent()
        assert [names(each) for each in script.asked] == [["Session:Start", "Event", "Session:End"]] * 2
        assert len({each.key for each in script.asked}) == 1


def test_the_end_waits_for_no_server_that_is_gone(play: Play, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    game = play(f"http://127.0.0.1:{port}", speed=1)
    game.track("Event")
    assert game.quit() < 900
    [kept] = (tmp_path / "device").glob("*.batch")
    assert [json.loads(line)["name"] for line in kept.read_text().splitlines()] == [
        "Session:Start",
        "Event",
        "Session:End",
    ]
