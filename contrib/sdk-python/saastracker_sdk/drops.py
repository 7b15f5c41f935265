"""Tells of events that will not be stored: no loss is silent."""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

log = logging.getLogger("saastracker_sdk")

LOG_SECONDS = 60.0  # between lines about the same reason

Reason: TypeAlias = Literal["invalid", "queue_full", "refused", "rejected", "over_budget", "closed"]


class Drop(NamedTuple):
    """Events that will not be stored, as they would have been sent.

    `invalid`: no JSON, or too large. `queue_full`: too many wait. `refused`: the server refused their request.
    `rejected`: it refused these events alone. `over_budget`: the month's budget is used up. `closed`: the client was
    closed before they were stored; what was under way then may have been.
    """

    reason: Reason
    detail: str
    events: tuple[dict[str, Any], ...]


class _Here(threading.local):
    telling = False


_here = _Here()


def telling() -> bool:
    """Whether this thread is just being told of a drop: what it logs meanwhile must not become an event."""
    return _here.telling


class Drops:
    """Of one client."""

    def __init__(self, on_drop: Callable[[Drop], None] | None) -> None:
        self._on_drop = on_drop
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._untold: dict[str, int] = {}  # events by reason since its last line
        self._next: dict[str, float] = {}  # when its next line may be written

    def tell(self, reason: Reason, detail: str, events: Sequence[bytes | dict[str, Any]]) -> None:
        """Never raises. An `on_drop` that makes for a drop itself is not told of that one, the log is."""
        if not events:
            return
        self._write(reason, detail, len(events))
        if self._on_drop is None or _here.telling:
            return
        _here.telling = True
        try:
            read = tuple(json.loads(event) if isinstance(event, bytes) else event for event in events)
            self._on_drop(Drop(reason, detail, read))
        except Exception:
            log.exception("on_drop failed")
        finally:
            _here.telling = False

    def last_words(self) -> None:
        """What no line was written for yet."""
        with self._lock:
            untold, self._untold = self._untold, {}
        for reason, count in untold.items():
            log.warning("Events that were not stored since the last line (%s): %d", reason, count)

    def _write(self, reason: Reason, detail: str, count: int) -> None:
        now = time.monotonic()
        with self._lock:
            count += self._untold.pop(reason, 0)
            if now < self._next.get(reason, 0.0):
                self._untold[reason] = count
                return
            self._next[reason] = now + LOG_SECONDS
        log.warning("Events that will not be stored (%s): %d. %s", reason, count, detail)
