"""What the Python SDK does with answers that are not what they should be."""

import logging
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from saastracker_sdk import Drop, Nanosights, Owlsignal, Saastracker, Usermaven, patience
from saastracker_sdk.patience import pause
from saastracker_sdk.transport import Answer
from tests.sdk_python.answering import Script, Turn, answering
from tests.sdk_python.sending import KEY, Sending


@pytest.fixture
def sent_twice(request: pytest.FixtureRequest, quick: None) -> Iterator[tuple[Sending, Script]]:
    """One event, for which the server needs a second try, with the same request."""
    with answering(request.param) as script:
        sending = Sending(script, timeout=0.3)
        sending.track("a")
        assert sending.client.flush(5)
        sending.client.close()
        assert len(script.asked) > 1  # and more where a busy machine makes another answer late
        assert len({(each.key, each.body) for each in script.asked}) == 1
        yield sending, script


AGAIN = {
    "500": Turn(500),
    "502 of a proxy": Turn(502, body="<html>Bad Gateway</html>"),
    "503": Turn(503, body='{"detail":"The queue is full."}'),
    "429": Turn(429),
    "408": Turn(408),
    "a connection that is reset": Turn(reset=True),
    "an answer too late": Turn(delay=0.5),
    "the page of a guest network": Turn(200, body="<html>Sign in to use this network</html>"),
    "JSON of someone else": Turn(200, body="[]"),
}


@pytest.mark.parametrize("sent_twice", AGAIN.values(), ids=AGAIN, indirect=True)
def test_sent_again(sent_twice: tuple[Sending, Script]) -> None:
    sending, script = sent_twice
    assert sending.drops == []
    first, second, *_ = script.asked
    assert second.at - first.at > 0.05  # half to all of 0.1 s, behind what the try itself took


@pytest.mark.parametrize("sent_twice", [Turn(429, {"Retry-After": "1"})], indirect=True)
def test_the_server_says_when(sent_twice: tuple[Sending, Script]) -> None:
    first, second, *_ = sent_twice[1].asked
    assert second.at - first.at >= 1.0


def test_waits_grow_to_a_minute_and_are_spread() -> None:
    def between(low: float, high: float, waits: list[float]) -> bool:
        return low <= min(waits) < max(waits) <= high

    for attempt, most in enumerate((0.5, 1, 2, 4, 8, 16, 32, 60, 60)):
        assert between(most / 2, most, [pause(attempt) for _ in range(50)])
    assert between(30, 60, [pause(10_000) for _ in range(50)])


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7), ("0", 0), ("999999999999", 3600), ("soon", 0.5), ("-5", 0.5), ("", 0.5)]
)
def test_retry_after(said: str, seconds: float) -> None:
    wait = pause(0, Answer(429, b"", said))
    assert seconds / 2 <= wait <= seconds * 1.2


def test_retry_after_by_a_date_counts_from_the_servers_clock() -> None:
    now = 2_000_000_000  # far from this machine's
    wait = pause(0, Answer(429, b"", formatdate(now + 30, usegmt=True), formatdate(now, usegmt=True)))
    assert 30 <= wait <= 36
    assert 25 <= pause(0, Answer(429, b"", formatdate(time.time() + 30, usegmt=True))) <= 36
    assert pause(0, Answer(429, b"", formatdate(now - 30, usegmt=True), formatdate(now, usegmt=True))) == 0


REFUSED = {
    "400": (Turn(400, body='{"detail":"$[0].user: Send at least one"}'), "400: $[0].user: Send at least one"),
    "401": (Turn(401, body='{"detail":"Unknown or revoked token"}'), "401: Unknown or revoked token"),
    "404": (Turn(404, body="<html>Not here</html>"), "404: not the answer of a saastracker server"),
    "413": (Turn(413, body='{"detail":"Too large"}'), "413: Too large"),
    "301": (Turn(301, {"Location": "https://stats.example.com/"}, ""), "301: https://stats.example.com/"),
}


@pytest.mark.parametrize(("turn", "detail"), REFUSED.values(), ids=REFUSED)
def test_refused_for_good(turn: Turn, detail: str) -> None:
    with answering(turn) as script:
        sending = Sending(script)
        sending.track("a", "b")
        assert sending.client.flush(5)
        sending.track("c")
        sending.client.close()
    assert [asked.names for asked in script.asked] == [["a", "b"], ["c"]]
    assert sending.reasons == [("refused", detail)]
    assert [event["event_type"] for event in sending.drops[0].events] == ["a", "b"]


def test_order_holds_behind_a_batch_that_fails(quick: None) -> None:
    with answering(Turn(500)) as script:
        sending = Sending(script, interval=0)
        sending.track("a")
        script.wait(1)
        sending.track("b", "c")
        assert sending.client.flush(5)
        sending.client.close()
    assert script.names == ["a", "a", "b", "c"]


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_costs_no_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "FIRST_SECONDS", 30.0)
    with answering(Turn(), Turn(), Turn(hang_up=True)) as script:
        sending = Sending(script)
        for name in ("a", "b", "c"):
            sending.track(name)
            assert sending.client.flush(5)
        time.sleep(0.05)  # until the server has closed
        sending.track("d")
        assert sending.client.flush(5)
        sending.client.close()
    assert script.names == ["a", "b", "c", "d"]
    first, second, third, fourth = (asked.connection for asked in script.asked)
    assert first == second == third != fourth


def test_over_budget() -> None:
    dropped = '{"accepted":0,"rejected":3,"errors":[],"reason":"tier_limit"}'
    drops: list[Drop] = []
    with (
        answering(Turn(body=dropped)) as script,
        Owlsignal(script.url, key="pk", build_version="1", player="p", on_drop=drops.append) as game,
    ):
        game.track_design("a")
    assert [(drop.reason, [event["name"] for event in drop.events]) for drop in drops] == [
        ("over_budget", ["Session:Start", "a", "Session:End"])
    ]
    drops.clear()
    with (
        answering(Turn(202, body='{"accepted":0}')) as script,
        Nanosights(script.url, project_key="k", on_drop=drops.append) as client,
    ):
        client.track("a")
    assert [(drop.reason, drop.events[0]["event_name"]) for drop in drops] == [("over_budget", "a")]


def test_an_on_drop_that_fails_or_tracks_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Drop] = []

    def on_drop(drop: Drop) -> None:
        told.append(drop)
        client.track("again", user="ada")  # which is dropped, too
        raise RuntimeError("on_drop is broken")

    with answering(Turn(400), Turn(400)) as script:
        client = Usermaven(script.url, **KEY, interval=0, queue_max=1, on_drop=on_drop)
        client.track("a", user="ada")
        script.wait(2)
        client.close()
    assert script.names[:2] == ["a", "again"]
    assert {drop.reason for drop in told} <= {"refused", "closed"}
    assert "on_drop failed" in caplog.messages


def test_an_outage_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture, quick: None) -> None:
    caplog.set_level(logging.INFO, "saastracker_sdk")
    with answering(Turn(500, body='{"detail":"broken"}'), Turn(reset=True)) as script:
        sending = Sending(script)
        sending.track("a")
        assert sending.client.flush(5)
        sending.client.close()
    assert caplog.messages == [
        f"Events cannot be sent to {script.url}, and are kept and tried again: 500: broken",
        f"Events are sent again to {script.url}",
    ]


@pytest.mark.parametrize(
    "url", ["stats.example.com", "ftp://stats.example.com", "https://", "http://a:b", "http://u:p@a", "http://a?b=1"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"url|[Pp]ort"):
        Usermaven(url, api_key="key")


def test_settings_that_make_no_sense() -> None:
    for option in ({"interval": -1}, {"timeout": 0}, {"queue_max": 0}, {"connections": 0}, {"exit_timeout": -1}):
        with pytest.raises(ValueError, match=next(iter(option))):
            Usermaven("http://stats.example.com", api_key="key", **option)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="api_key"):
        Usermaven("http://stats.example.com", api_key="a&b")
    with pytest.raises(ValueError, match="UUID"):
        Saastracker("http://stats.example.com", app_uuid="mine", api_secret="s")
