"""What waits in the Unity SDK's queue outlives the game; sessions, pauses and the end of a game."""

import json
import re
import socket
from pathlib import Path

from tests.sdk_python.answering import Turn, answering
from tests.sdk_unity.batches import ALL_TAKEN, many, names
from tests.sdk_unity.conftest import Play
from tests.sdk_unity.relay import relaying


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
        game = play(script.url, speed=1, patience=30)  # what is sent is sent for the pause, not for its age
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


def test_the_end_waits_no_longer_than_it_may(play: Play) -> None:
    with answering(Turn(delay=2.5), *ALL_TAKEN) as script:
        game = play(script.url, speed=1, patience=0.1)
        game.track("Event")
        game.tell("pause")
        script.wait(1)
        assert game.quit() < 2000
        game = play(script.url)
        game.sent()
        assert [names(each) for each in script.asked] == [["Session:Start", "Event", "Session:End"]] * 2
        assert len({each.key for each in script.asked}) == 1


def test_the_end_waits_for_no_server_that_is_gone(play: Play, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    game = play(f"http://127.0.0.1:{port}", speed=1, patience=60)
    game.track("Event")
    assert game.quit() < 10_000
    [kept] = (tmp_path / "device").glob("*.batch")
    assert [json.loads(line)["name"] for line in kept.read_text().splitlines()] == [
        "Session:Start",
        "Event",
        "Session:End",
    ]
