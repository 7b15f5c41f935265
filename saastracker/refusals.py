"""Refusals on their way to the page "Rejected events": counted all, the newest kept with details."""

import threading
from collections import Counter, deque

import msgspec

from saastracker.conditions import DAY_MS
from saastracker.contracts import Refused

DETAILS_MAX = 1000  # kept between two commits; more are only counted
COUNTS_MAX = 10_000  # of project, reason and day


class Refusals:
    """Filled by the event loop, emptied by the writer's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._details: deque[Refused] = deque(maxlen=DETAILS_MAX)
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, refused: Refused, count: int = 1) -> None:
        """Keep one refusal that stands for `count` events or requests."""
        refused = msgspec.structs.replace(refused, detail=_storable(refused.detail), path=_storable(refused.path))
        key = (refused.project, refused.reason, refused.at // DAY_MS)
        with self._lock:
            self._details.append(refused)
            if key in self._counts or len(self._counts) < COUNTS_MAX:
                self._counts[key] += count

    def take(self) -> tuple[list[Refused], dict[tuple[str, str, int], int]]:
        """All that is buffered, oldest first; it is gone from here."""
        with self._lock:
            taken = list(self._details), dict(self._counts)
            self._details.clear()
            self._counts.clear()
        return taken

    def give_back(self, details: list[Refused], counts: dict[tuple[str, str, int], int]) -> None:
        """What was taken and could not be written."""
        with self._lock:
            self._counts.update(counts)
            newer = list(self._details)
            self._details.clear()
            self._details.extend(details)
            self._details.extend(newer)


def _storable(text: str) -> str:
    """What every store can hold: a text that none could would fail the groups of everybody."""
    return text.replace("\0", "").encode(errors="replace").decode()
