"""Failed tries make wait: twice as long after each one, and of too many keys the longest silent is forgotten."""

import pytest

from saastracker.accounts import backoff
from saastracker.accounts.backoff import Backoff, network
from saastracker.errors import TooMany

NOW = 1_795_230_000_000


def waits(tries: Backoff, key: str, now: int) -> int:
    """Seconds one has to wait; 0 if the try began."""
    try:
        tries.begin(key, now)
    except TooMany as refused:
        return refused.retry_after
    return 0


def test_waiting_doubles_up_to_a_quarter_of_an_hour() -> None:
    tries, now, waited = Backoff(free=3), NOW, []
    assert [tries.begin("a", now) for _ in range(3)] == [False, False, True]
    for _ in range(12):
        seconds = waits(tries, "a", now)
        waited.append(seconds)
        assert waits(tries, "a", now + seconds * 1000 - 1) == 1  # asking again prolongs nothing
        now += seconds * 1000
        assert waits(tries, "a", now) == 0
    assert waited == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert waits(tries, "b", now) == 0
    assert waits(tries, "a", now + backoff.FORGOTTEN_MS) == 0
    assert waits(tries, "a", now + backoff.FORGOTTEN_MS) == 0


def test_a_try_that_did_not_fail_is_given_back() -> None:
    tries = Backoff(free=2)
    for _ in range(10):
        assert waits(tries, "a", NOW) == 0
        tries.give_back("a", NOW)
    assert [waits(tries, "a", NOW) for _ in range(3)] == [0, 0, 2]
    tries.forget("a")
    assert waits(tries, "a", NOW) == 0
    tries.give_back("never tried", NOW)
    tries.forget("never tried")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "KEYS_MAX", 3)
    tries = Backoff(free=1)
    for key in ("a", "b", "c", "a" * 1000):
        assert waits(tries, key, NOW) == 0
    assert waits(tries, "a", NOW) == 0  # forgotten
    assert waits(tries, "c", NOW) == 2
    assert waits(tries, "a" * 1001, NOW) == 2  # cut off alike


def test_networks() -> None:
    assert network("203.0.113.9") == "203.0.113.9"
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network("") == ""
    assert network("testclient") == "testclient"
