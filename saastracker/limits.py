"""How fast keys may send: requests a second, kept in memory, with room for a burst."""

BURST_SECONDS = 10.0  # what a key that was silent so long may send at once


class Limits:
    """Of one process and thread; nothing is read to ask it.

    One number a key: the time until which what it sent is paid for, when each request costs 1 / rate seconds.
    """

    def __init__(self) -> None:
        self._paid: dict[str, float] = {}

    def take(self, key: str, rate: int, now: float) -> float:
        """Count a request of a key that may send `rate` a second: 0.0, or after how many seconds it may come.

        `now` is monotonic, in seconds. A request that has to wait costs nothing.
        """
        paid = max(self._paid.get(key, 0.0), now) + 1 / rate
        wait = paid - now - BURST_SECONDS
        if wait > 1e-6:  # sums of fractions
            return wait
        self._paid[key] = paid
        return 0.0
