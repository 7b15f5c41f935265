"""What games send with the Unity SDK is stored by the server as they meant it."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.sdk_unity.conftest import Play
from tests.serving import Served, columns

USER_HASH = hashlib.sha256(b"user-abc").hexdigest()


@pytest.mark.parametrize("platform", ["desktop", "webgl"])
def test_every_kind_of_event(served: Served, play: Play, platform: str) -> None:
    arrivals = served.arrivals()
    game = play(served.url, platform, game="unity", key=served.keys["bearer"]["key"], build="")
    game.tell("initialize")
    game.track("Start:Run", kind="progression", dim01="forest")
    game.track("CTA:Clicked", message="Größe 😀")
    game.track("Source:Gold", kind="resource", value=12.5)
    game.tell("identify", "user-abc")
    game.track("NullRef", kind="error", message="no boss")
    game.tell("pause")
    events = arrivals(6)
    assert columns(events, "type", "name", "value") == [
        ("session", "Session:Start", None),
        ("progression", "Start:Run", None),
        ("design", "CTA:Clicked", None),
        ("resource", "Source:Gold", 12.5),
        ("error", "NullRef", None),
        ("session", "Session:End", None),
    ]
    assert [event["properties"] or {} for event in events[1:5]] == [
        {"dim01": "forest"},
        {"message": "Größe 😀"},
        {},
        {"message": "no boss"},
    ]
    assert len({event["session"] for event in events}) == 1
    device = events[0]["user"]
    assert len(device) == 32
    assert [event["user"] for event in events] == [device] * 4 + [USER_HASH] * 2
    assert {event["release"] for event in events} == {"3.2.1"}  # the game's own, as Unity knows it
    game.quit()
    assert game.warnings == []
    assert len(arrivals(6)) == 6  # the session ended with the pause, not once more with the game


def test_odd_values_are_stored_or_left_out(served: Served, play: Play) -> None:
    arrivals = served.arrivals("Session:Start")
    game = play(served.url, key=served.keys["bearer"]["key"])
    game.tell("odd")
    odd, large, keys = arrivals(3)
    assert (odd["name"], odd["value"]) == ("Odd:" + "x" * 96, None)
    assert odd["properties"] == {
        "dim01": "d" * 64,
        "text": 'a"\\\n\r\t\u0001é😀',
        "half": "\ufffd!",
        "float": 0.1,
        "double": 0.1,
        "nan": None,
        "largest": 2.0**64,
        "long": -(2**63),
        "decimal": 12.5,
        "yes": True,
        "nothing": None,
        "enum": "Friday",
        "list": "System.Collections.Generic.List`1[System.Int32]",
        "time": "00:01:30",
    }
    assert large["properties"] == {"k0": "é" * 8192}  # each has 16 KiB in UTF-8
    assert (keys["value"], len(keys["properties"])) == (1e300, 250)
    assert game.warnings == [
        "The data of Large is larger than 30 KiB or 250 keys: 9 keys are not sent.",
        "The data of Keys is larger than 30 KiB or 250 keys: 350 keys are not sent.",
        *["An event of type design has no name and is not sent."] * 2,
        "no text today",
    ]


def test_a_wrong_clock(served: Served, play: Play) -> None:
    """Events keep the time of the device; what the server cannot believe is told, and harms no neighbour."""
    arrivals = served.arrivals("Session:Start", "Session:End")
    game = play(served.url, key=served.keys["bearer"]["key"], speed=1)
    for name, off in {
        "Right": timedelta(),
        "Ahead": timedelta(days=2),
        "Behind": timedelta(days=-2),
        "Far ahead": timedelta(days=800),
        "Before 1970": timedelta(days=-365 * 60),
    }.items():
        game.tell("clock", off.total_seconds())
        game.track(name)
    game.tell("clock", 0)
    game.tell("pause")
    events = arrivals(3)
    now = datetime.now(UTC)
    days = {event["name"]: round((datetime.fromisoformat(event["time"]) - now) / timedelta(days=1)) for event in events}
    assert days == {"Right": 0, "Ahead": 2, "Behind": -2}
    game.sent()
    [warning] = game.warnings
    assert warning.startswith("The server did not take 2 of 7 events: $.ts")


def test_opting_out(served: Served, play: Play, tmp_path: Path) -> None:
    key = served.keys["bearer"]["key"]
    arrivals = served.arrivals("Session:Start", "Session:End")
    game = play(served.url, key=key, speed=1)
    game.track("Before")  # waits for 30 s
    device = (tmp_path / "device" / "player").read_text()
    game.tell("optout", "yes")
    game.track("Never")
    game.tell("pause")
    game.quit()
    kept = sorted(path.name for path in (tmp_path / "device").iterdir())
    assert kept == ["lock", "opted-out"]
    game = play(served.url, key=key)
    game.track("Never in a later run")
    game.tell("optout", "no")
    game.track("After")
    assert columns(arrivals(1), "name") == [("After",)]
    assert arrivals(1)[0]["user"] != device
    assert (tmp_path / "device" / "player").read_text() != device


def test_errors_are_captured(served: Served, play: Play) -> None:
    arrivals = served.arrivals("Session:Start", "Session:End")
    game = play(served.url, game="unity", key=served.keys["bearer"]["key"], capture="yes")
    game.tell("initialize")
    game.tell("scene", "Arena")
    game.tell("error", "The boss did not load")
    game.tell("exception", 50)  # on a thread of their own
    game.tell("pause")
    events = arrivals(10)
    assert len(events) == 10  # of one minute
    assert columns(events[:2], "type", "name") == [("error", "Error"), ("error", "InvalidOperationException")]
    assert [event["properties"] for event in events[:2]] == [
        {"message": "The boss did not load", "stack": "Boss:Load () (at Assets/Boss.cs:7)", "scene": "Arena"},
        {"message": "no boss", "stack": "Boss.Update () (at Assets/Boss.cs:12)", "scene": "Arena"},
    ]


def test_nothing_is_captured_unasked(served: Served, play: Play) -> None:
    arrivals = served.arrivals("Session:Start", "Session:End")
    game = play(served.url, game="unity", key=served.keys["bearer"]["key"])
    game.tell("initialize")
    game.tell("error", "The boss did not load")
    game.track("Only")
    game.tell("pause")
    assert columns(arrivals(1), "name") == [("Only",)]


def test_the_game_never_sees_an_exception(served: Served, play: Play, tmp_path: Path) -> None:
    """The driver ends with the first exception that comes out of the SDK."""
    game = play(served.url, game="unity", key=served.keys["bearer"]["key"])
    game.track("Early")
    game.track("Early too")
    game.tell("identify", "user-abc")
    game.tell("nothing")
    game.tell("initialize")
    game.tell("initialize")
    game.tell("odd")
    game.quit()
    early, nothing, again, *odd = game.warnings
    assert early == "saastracker: Events before Initialize are not recorded, such as Early."
    assert nothing.startswith("saastracker: ")
    assert again == "saastracker: Initialize was called again and did nothing."
    assert len(odd) == 5
    for server, key in (("stats.example.com", "pk"), (served.url, "")):
        game = play(server, game="unity", key=key)
        game.tell("initialize")
        game.track("Nowhere")
        game.quit()
        assert game.warnings[0].startswith("saastracker: Set "), game.warnings


def test_without_a_disk(served: Served, play: Play, tmp_path: Path) -> None:
    (tmp_path / "device").write_text("a file where the folder should be")
    arrivals = served.arrivals()
    game = play(served.url, key=served.keys["bearer"]["key"])
    game.track("From memory")
    assert columns(arrivals(2), "name") == [("Session:Start",), ("From memory",)]
    assert len(set(columns(arrivals(2), "user"))) == 1
    assert any(warning.startswith("Events are kept in memory only") for warning in game.warnings)
