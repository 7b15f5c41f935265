"""What the Python SDK does when the server, the network or the clock do not do what they should."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from saastracker_sdk import Drop, Nanosights, Owlsignal, Saastracker, Usermaven, delivery, patience
from saastracker_sdk.patience import pause
from saastracker_sdk.transport import Answer
from tests.certificates import certificate_of
from tests.sdk_python.answering import Script, Turn, answering

KEY: Any = {"api_key": "key", "server_token": "token"}


class Sending:
    """A client of a scripted server, with what it dropped; events wait until a flush unless told."""

    def __init__(self, script: Script, interval: float = 60, **options: Any) -> None:
        self.drops: list[Drop] = []
        self.client = Usermaven(script.url, **KEY, interval=interval, on_drop=self.drops.append, **options)

    def track(self, *names: str) -> None:
        for name in names:
            self.client.track(name, user="ada")

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(drop.reason, drop.detail) for drop in self.drops]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sent_twice(request: pytest.FixtureRequest, quick: None) -> Iterator[tuple[Sending, Script]]:
    """One event, for which the server needs a second try; both are the same request."""
    with answering(request.param) as script:
        sending = Sending(script, timeout=0.3)
        sending.track("a")
        assert sending.client.flush(5)
        sending.client.close()
        first, second = script.asked
        assert (first.key, first.body) == (second.key, second.body)
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
    first, second = script.asked
    assert 0.05 < second.at - first.at < 5  # half to all of 0.1 s, behind what the try itself took


@pytest.mark.parametrize("sent_twice", [Turn(429, {"Retry-After": "1"})], indirect=True)
def test_the_server_says_when(sent_twice: tuple[Sending, Script]) -> None:
    first, second = sent_twice[1].asked
    assert 1.0 <= second.at - first.at < 5


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


def test_batches_end_at_their_count_and_bytes() -> None:
    gate = threading.Event()
    with answering(Turn(gate=gate)) as script:
        sending = Sending(script, interval=0)
        sending.track("alone")
        script.wait(1)
        sending.track(*(str(number) for number in range(250)))
        for number in range(3):
            sending.client.track("large", user="ada", attributes={"text": "x" * 200_000, "n": number})
        gate.set()
        assert sending.client.flush(5)
        sending.client.close()
    assert [len(asked.names) for asked in script.asked] == [1, 100, 100, 52, 1]
    assert script.names == ["alone", *(str(number) for number in range(250)), "large", "large", "large"]
    assert max(len(asked.body) for asked in script.asked) < 512 * 1024


def test_events_wait_for_others_only_so_long() -> None:
    with answering() as script, Usermaven(script.url, **KEY, interval=0.5) as client:
        client.track("a", user="ada")
        time.sleep(0.05)
        client.track("b", user="ada")
        assert script.asked == []
        assert script.wait(1)[0].names == ["a", "b"]
        client.track("c", user="ada")
        assert script.wait(2)[1].names == ["c"]


def test_a_full_batch_waits_for_nothing() -> None:
    with answering() as script, Usermaven(script.url, **KEY, interval=60) as client:
        client.track("a", user="ada")
        assert client.flush(5)
        for number in range(100):
            client.track(str(number), user="ada")
        assert len(script.wait(2)[1].names) == 100


def test_a_full_queue_takes_no_more_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    gate = threading.Event()
    with answering(Turn(gate=gate)) as script:
        sending = Sending(script, interval=0, queue_max=3)
        sending.track("a")
        script.wait(1)
        sending.track("b", "c", "d", "e", "f")
        gate.set()
        sending.client.close()
    assert script.names == ["a", "b", "c", "d"]
    assert [(drop.reason, drop.events[0]["event_type"]) for drop in sending.drops] == [
        ("queue_full", "e"),
        ("queue_full", "f"),
    ]
    assert sending.drops[0].detail == "3 events wait already."
    assert [line for line in caplog.messages if "queue_full" in line] == [
        "Events that will not be stored (queue_full): 1. 3 events wait already.",
        "Events that were not stored since the last line (queue_full): 1",
    ]


def test_the_bytes_that_wait_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "QUEUE_BYTES", 300_000)
    gate = threading.Event()
    with answering(Turn(gate=gate)) as script:
        sending = Sending(script, interval=0)
        sending.track("a")
        script.wait(1)
        for name in ("b", "c", "d"):
            sending.client.track(name, user="ada", attributes={"text": "x" * 200_000})
        gate.set()
        assert sending.client.flush(5)
        sending.track("e")
        sending.client.close()
    assert script.names == ["a", "b", "c", "e"]
    assert [drop.reason for drop in sending.drops] == ["queue_full"]


def test_an_answer_without_end_is_not_read() -> None:
    with answering(Turn(400, body="x" * 3_000_000)) as script:
        sending = Sending(script)
        sending.track("a")
        assert sending.client.flush(5)
        sending.track("b")
        sending.client.close()
    assert script.names == ["a", "b"]
    assert sending.reasons == [("refused", "400: not the answer of a saastracker server")]


def test_closing_ends_in_time_and_tells_what_was_not_stored() -> None:
    with answering(*[Turn(503)] * 50) as script:
        sending = Sending(script, interval=0, exit_timeout=0.8)
        sending.track("a")
        script.wait(1)
        sending.track("b")
        started = time.monotonic()
        assert not sending.client.close()
        assert 0.7 < time.monotonic() - started < 5
    [drop] = sending.drops
    assert (drop.reason, [event["event_type"] for event in drop.events]) == ("closed", ["a", "b"])


def test_closing_tries_at_once_what_waits_to_be_sent_again() -> None:
    with answering(Turn(429, {"Retry-After": "30"})) as script:
        sending = Sending(script, interval=0, exit_timeout=10)
        sending.track("a")
        script.wait(1)
        time.sleep(0.2)  # until the client waits
        assert sending.client.close()
    assert script.names == ["a", "a"]
    assert sending.drops == []


def test_a_closed_client_tells_what_it_is_given() -> None:
    with answering() as script:
        sending = Sending(script)
        sending.client.close()
        sending.client.close()
        sending.track("late")
    assert sending.reasons == [("closed", "The client is closed.")]


def test_flush_gives_up_after_its_time_and_the_client_goes_on() -> None:
    with answering(Turn(503, {"Retry-After": "1"})) as script:
        sending = Sending(script)
        sending.track("a")
        assert not sending.client.flush(0.2)
        assert sending.client.flush(5)
        sending.client.close()
    assert script.names == ["a", "a"]


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {(1, 2): 3}, Odd(), "x" * 300_000], ids=["nan", "inf", "key", "text", "large"]
)
def test_what_is_no_event_is_told_and_does_not_raise(value: object) -> None:
    with answering() as script:
        sending = Sending(script)
        sending.client.track("a", user="ada", attributes={"value": value})
        sending.track("b")
        sending.client.close()
    assert script.names == ["b"]
    assert [drop.reason for drop in sending.drops] == ["invalid"]
    assert "event_type" in sending.drops[0].events[0]


def test_half_a_character_arrives_as_a_question_mark() -> None:
    with answering() as script:
        sending = Sending(script)
        sending.client.track("a", user="ada", attributes={"file": "caf\udce9.txt"})
        sending.client.close()
    assert json.loads(script.asked[0].body)[0]["event_attributes"] == {"file": "caf?.txt"}


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


def test_several_connections_send_at_the_same_time() -> None:
    with answering(*[Turn(202, delay=0.5, body='{"accepted":1}')] * 4) as script:
        started = time.monotonic()
        with Nanosights(script.url, project_key="k", connections=4) as client:
            for name in "abcd":
                client.track(name)
            assert client.flush(5)
        assert time.monotonic() - started < 1.9
    assert sorted(json.loads(asked.body)["event_name"] for asked in script.asked) == list("abcd")
    assert len({asked.connection for asked in script.asked}) == 4


def test_many_threads_lose_nothing_and_threads_end(quick: None) -> None:
    with answering(Turn(500), Turn(), Turn(reset=True)) as script:
        sending = Sending(script, connections=2)
        threads = [
            threading.Thread(target=sending.track, args=[f"{thread}-{number}" for number in range(200)])
            for thread in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sending.client.close()
    stored = {asked.key: asked.names for asked in script.asked}
    names = [name for batch in stored.values() for name in batch]
    assert sorted(names) == sorted(f"{thread}-{number}" for thread in range(5) for number in range(200))
    assert "saastracker-sdk" not in [thread.name for thread in threading.enumerate()]


def test_a_proxy_is_asked_for_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("://", "://me:p%40ss@"))
        monkeypatch.setenv("no_proxy", "other.example.com")
        with Usermaven("http://stats.example.com/base/", **KEY) as client:
            client.track("a", user="ada")
    [asked] = proxy.asked
    assert asked.path == "http://stats.example.com/base/api/v1/s2s/events"
    assert asked.headers["host"] == "stats.example.com"
    assert asked.headers["proxy-authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss


def test_an_authority_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = certificate_of("127.0.0.1", tmp_path)
    with answering(certificate=certificate) as script:
        sending = Sending(script, exit_timeout=0.1)
        sending.track("a")
        assert not sending.client.flush(1)
        assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
        assert not sending.client.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        sending = Sending(script)
        sending.track("b")
        assert sending.client.close()
    assert script.names == ["b"]


def test_https_passes_through_a_proxy_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_of("127.0.0.1", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with answering(certificate=certificate) as script, answering() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("://", "://me:p%40ss@"))
        sending = Sending(script)
        sending.track("a")
        assert sending.client.close()
    assert script.names == ["a"]
    [asked] = proxy.asked
    assert asked.path == script.url.removeprefix("https://")
    assert asked.headers["proxy-authorization"] == "Basic bWU6cEBzcw=="


def test_a_path_before_the_servers_own_is_kept() -> None:
    with answering() as script, Usermaven(f"{script.url}/stats/", api_key="key") as client:
        client.track("a", user="ada")
        assert client.flush(5)
    assert script.asked[0].path == "/stats/api/v1/event?token=key"
    assert "authorization" not in script.asked[0].headers


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
