"""Waiting after failed tries: twice as long after each one, by account and by address."""

import threading
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from saastracker.errors import TooMany

WAIT_MAX_S = 15 * 60
FORGOTTEN_MS = 6 * 3600 * 1000  # after the last try
KEYS_MAX = 10_000
KEY_LENGTH_MAX = 254  # characters


class _Tries(NamedTuple):
    begun: int
    last: int  # ms


class Backoff:
    """Tries by key, in memory: each process counts its own. Of too many keys the longest silent is forgotten."""

    def __init__(self, free: int) -> None:
        """`free` is how many tries may fail before one has to wait."""
        self._free = free
        self._tries: dict[str, _Tries] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, now: int) -> bool:
        """Count a try before it is made, so that tries at once count too; whether the next one would have to wait.

        Raises TooMany while this one has to.
        """
        key = key[:KEY_LENGTH_MAX]
        with self._lock:
            tries = self._known(key, now)
            wait = _wait_ms(tries.begun - self._free)
            if wait and now < tries.last + wait:
                seconds = (tries.last + wait - now + 999) // 1000
                raise TooMany(f"Too many tries failed. Try again in {_words(seconds)}.", retry_after=seconds)
            self._tries.pop(key, None)
            self._tries[key] = _Tries(tries.begun + 1, now)
            if len(self._tries) > KEYS_MAX:
                del self._tries[next(iter(self._tries))]
        return tries.begun + 1 == self._free

    def give_back(self, key: str, now: int) -> None:
        """The try that was begun last did not fail."""
        key = key[:KEY_LENGTH_MAX]
        with self._lock:
            tries = self._known(key, now)
            if tries.begun:
                self._tries[key] = tries._replace(begun=tries.begun - 1)

    def forget(self, key: str) -> None:
        """Whoever tried is known now."""
        with self._lock:
            self._tries.pop(key[:KEY_LENGTH_MAX], None)

    def _known(self, key: str, now: int) -> _Tries:
        tries = self._tries.get(key)
        return tries if tries is not None and now < tries.last + FORGOTTEN_MS else _Tries(0, 0)


def network(address: str) -> str:
    """What one client may choose its addresses from: of IPv6 a /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ip_network((parsed, 64), strict=False))


def _wait_ms(over: int) -> int:
    """None before `over` is 0, then 2 s, 4 s, 8 s, …"""
    return 0 if over < 0 else min(WAIT_MAX_S, 2 ** min(over + 1, 20)) * 1000


def _words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{(seconds + 59) // 60} minutes"
