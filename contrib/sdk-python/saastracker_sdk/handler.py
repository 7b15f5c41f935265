"""The handler by which what a program logs as an error becomes an error event."""

import logging
import threading
import time
from collections.abc import Callable

from saastracker_sdk.drops import log, telling
from saastracker_sdk.failure import Failure

MINUTE = 60.0  # seconds


class ErrorHandler(logging.Handler):
    """Reports records of `level` and above, at most `per_minute`; how many more there were, it logs.

    `report` is a client's `track_error`, or a function that adds who it happened to:

        ErrorHandler(lambda failure: client.track_error(failure, user=current_user(), org=current_org()))
    """

    def __init__(
        self, report: Callable[[Failure], None], level: int | str = logging.ERROR, *, per_minute: int = 60
    ) -> None:
        super().__init__(level)
        self._report = report
        self._per_minute = per_minute
        self._here = threading.local()
        self._minute = time.monotonic()
        self._count = 0  # of this minute

    def emit(self, record: logging.LogRecord) -> None:
        # What this package logs, or a program while it is told of a drop, would come back as the next error for ever.
        if record.name.partition(".")[0] == log.name or telling() or getattr(self._here, "busy", False):
            return
        self._here.busy = True
        try:
            if self._may():
                self._report(Failure.logged(record))
        except Exception:
            self.handleError(record)
        finally:
            self._here.busy = False

    def _may(self) -> bool:
        """Counts an error. The handler's lock is held: logging does so."""
        now = time.monotonic()
        if now - self._minute >= MINUTE:
            self._tell_left_out()
            self._minute, self._count = now, 0
        self._count += 1
        if self._count == self._per_minute + 1:
            log.warning("More than %d errors within a minute: the rest of it is not sent", self._per_minute)
        return self._count <= self._per_minute

    def _tell_left_out(self) -> None:
        if self._count > self._per_minute:
            log.warning("Errors that were not sent: %d", self._count - self._per_minute)
            self._count = 0

    def close(self) -> None:
        self._tell_left_out()
        super().close()
