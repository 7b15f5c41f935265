"""What a server does not store is told by the clients of the Python SDK, harms nothing else, and is not sent again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saastracker_sdk import Drop, Saastracker
from tests.sdk_python.clients import owlsignal, usermaven
from tests.serving import Served

THEN = datetime(2026, 5, 6, 12, 34, 56, tzinfo=UTC)


def test_bad_events_harm_none_of_their_batch(served: Served) -> None:
    drops: list[Drop] = []
    arrivals = served.arrivals()
    with owlsignal(served, on_drop=drops.append) as game:
        game.track_design("first", time=THEN)
        game.track_design("n" * 101)
        game.track_design("last")
    with usermaven(served, on_drop=drops.append) as people:
        people.track("first", user="ada")
        people.track("", user="ada")
        people.track("last", user="ada")
    names = ["Session:Start", "first", "last", "Session:End", "first", "last"]
    assert [event["name"] for event in arrivals(6)] == names
    [long, nameless] = drops
    assert (long.reason, len(long.events), long.events[0]["name"]) == ("rejected", 1, "n" * 101)
    assert "$.name" in long.detail
    assert (nameless.reason, nameless.events[0]["event_type"]) == ("rejected", "")
    assert "$.event_type" in nameless.detail


def test_an_event_with_an_id_is_stored_once(served: Served) -> None:
    arrivals = served.arrivals()
    for client in (usermaven(served), usermaven(served)):
        with client:
            client.track("paid", user="ada", event_id="order 5", time=THEN)
            client.track("paid", user="ada", time=THEN)
    names = [event["name"] for event in arrivals(3)]
    assert names == ["paid"] * 3


def test_a_wrong_key_is_told_and_not_sent_again(served: Served) -> None:
    drops: list[Drop] = []
    before = served.events()
    with Saastracker(
        served.url, app_uuid=served.keys["hmac"]["app_uuid"], api_secret="wrong", on_drop=drops.append
    ) as client:
        client.track("signed_up", user="ada", org="acme")
    [drop] = drops
    assert (drop.reason, drop.detail, drop.events[0]["event"]) == ("refused", "401: Invalid signature", "signed_up")
    assert served.events() == before


def test_a_clock_far_ahead_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the events made by that clock are lost, and loudly; those from the past keep their times."""

    class Wrong(datetime):
        ahead = timedelta(days=800)

        @classmethod
        def now(cls, tz: Any = None) -> "Wrong":
            return cls.fromtimestamp(datetime.now(tz).timestamp() + cls.ahead.total_seconds(), tz)

    drops: list[Drop] = []
    arrivals = served.arrivals()
    with usermaven(served, on_drop=drops.append) as client:
        client.track("before", user="ada")
        monkeypatch.setattr("saastracker_sdk.encoding.datetime", Wrong)
        client.track("ahead", user="ada")
        Wrong.ahead = timedelta(days=-20_000)
        client.track("behind", user="ada")
        monkeypatch.undo()
        client.track("after", user="ada")
    events = arrivals(3)
    assert [event["name"] for event in events] == ["before", "behind", "after"]
    assert events[1]["time"] < "1975"
    assert [(drop.reason, drop.events[0]["event_type"]) for drop in drops] == [("rejected", "ahead")]
    assert "$._timestamp" in drops[0].detail
