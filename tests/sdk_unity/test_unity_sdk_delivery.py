"""The Unity SDK loses nothing and repeats nothing while servers and networks come and go."""

import hmac
from pathlib import Path

import pytest

from tests.sdk_python.answering import Turn, answering
from tests.sdk_unity.batches import ALL_TAKEN, TAKEN, many, names
from tests.sdk_unity.conftest import EVENTS, Play
from tests.sdk_unity.games import SPEED
from tests.sdk_unity.relay import address, relaying
from tests.serving import Served, Server, columns, serve

PORTAL = Turn(headers={"Content-Type": "text/html"}, body="<html>Sign in to the airport's network</html>")


def test_a_server_that_is_killed_and_started_again(play: Play, tmp_path: Path) -> None:
    """Its endpoint takes signed requests."""
    endpoint = '[[endpoint]]\npath = "/signed"\nscheme = "hmac"\nformat = "owlsignal"\n'
    (tmp_path / "config.toml").write_text(endpoint)
    served = serve(tmp_path)
    made = served.keys["hmac"]
    with relaying(address(served.url)) as relay:
        game = play(relay.url, path="/signed", key="", uuid=made["app_uuid"], secret=made["api_secret"])
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


def test_answers_that_get_lost_store_nothing_twice(served: Served, play: Play, tmp_path: Path) -> None:
    """The game ends before it hears that its events were stored; the next run sends them by the same key."""
    arrivals = served.arrivals()
    key = served.keys["bearer"]["key"]
    with relaying(address(served.url)) as relay:
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


def test_signatures(play: Play) -> None:
    with answering(*ALL_TAKEN) as script:
        game = play(script.url, key="", uuid="0b5e", secret="größer")
        game.track("Größe")
        [asked] = script.wait(1)
        game.sent()
        assert asked.headers["x-signature"] == hmac.digest("größer".encode(), asked.body, "sha256").hex()
        assert asked.headers["x-app-uuid"] == "0b5e"
        assert "authorization" not in asked.headers


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
        # 1, 2, 4 … s, half of it by chance, 200 times as fast: 0.6 to 1.3 s, and a busy machine may see the first late
        assert asked[-1].at - asked[0].at >= 0.3
        assert len(asked) == len(script.asked)
        assert len(game.warnings) == 1


@pytest.mark.parametrize("status", [503, 429])
def test_the_time_that_the_server_asks_for(play: Play, status: int) -> None:
    """503 is how the server answers keys over their limit in this format; proxies in front of it say 429."""
    with answering(Turn(status, {"Retry-After": "600"}), *ALL_TAKEN) as script:
        game = play(script.url)
        game.track("Event")
        first, second = script.wait(2)
        assert second.at - first.at >= 600 / SPEED / 2  # a busy machine may see the first late
        assert second.key == first.key


def test_what_is_refused_is_dropped_and_told(play: Play, tmp_path: Path) -> None:
    statuses = [400, 401, 404, 413]
    refusals = [Turn(status, body='{"detail":"Unknown or revoked key"}') for status in statuses]
    with answering(*refusals, *ALL_TAKEN) as script:
        game = play(script.url)
        for status in statuses:
            game.track(f"Refused:{status}")
            game.sent()
        game.track("Next")
        game.sent()
        told = "they are lost: Unknown or revoked key"
        assert [names(each)[-1] for each in script.asked] == [*(f"Refused:{each}" for each in statuses), "Next"]
        assert game.warnings == [
            f"The server refused {2 if status == 400 else 1} events with {status}, {told}" for status in statuses
        ]
        assert list((tmp_path / "device").glob("*.batch")) == []


def test_events_over_the_budget_are_told(play: Play) -> None:
    with answering(Turn(body='{"accepted":0,"rejected":2,"errors":[],"reason":"tier_limit"}')) as script:
        game = play(script.url)
        game.track("Over")
        game.sent()
        assert game.warnings == ["The server did not take 2 of 2 events: tier_limit"]


def test_a_slow_server(play: Play) -> None:
    """The game goes on, the request is given up and repeated by its key."""
    with answering(Turn(delay=2.5, body=TAKEN.body), *ALL_TAKEN) as script:
        game = play(script.url, timeout=2)
        game.track("Event")
        script.wait(1)
        game.track("Meanwhile")
        assert game.waiting() == 3
        first, second = script.wait(2)[:2]
        game.sent()
        assert first.key == second.key
        assert [name for each in script.asked[1:] for name in names(each)] == [*many(0), "Event", "Meanwhile"]
