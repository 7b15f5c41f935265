"""The Python SDK's queue: batches, bounds, and how waiting and closing end."""

import threading
import time

import pytest

from saastracker_sdk import Usermaven, delivery
from tests.sdk_python.answering import Turn, answering
from tests.sdk_python.sending import KEY, Sending


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
        for _ in range(100):  # as a program does that flushes every second while the server is away
            assert not sending.client.flush(0)
        assert len(sending.client._delivery._waiting) <= 1
        assert sending.client.flush(5)
        sending.client.close()
    assert script.names == ["a", "a"]
