"""Watches the disk of the data folder, and warns while there is still time to make room."""

import asyncio
import logging
import shutil
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from saastracker.alarms import Alarms
from saastracker.errors import Refusal

log = logging.getLogger("saastracker.disk")

LOOK_SECONDS = 60.0
FREE_MIN = 512 * 1024 * 1024  # bytes; below this it warns
ENOUGH = 2 * FREE_MIN  # bytes; from here on it is over
REPEAT_SECONDS = 3600.0  # between two warnings in the log


class DiskWatch:
    """Warns in the log once an hour, and those who look after the server once a day, while little is free."""

    def __init__(
        self, folder: Path, alarms: Alarms, free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
    ) -> None:
        self._folder = folder
        self._alarms = alarms
        self._free = free
        self._low = False
        self._logged = 0.0  # monotonic time

    @property
    def free(self) -> int:
        """Bytes that are free."""
        return self._free(self._folder)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except OSError as error:
                log.warning("The disk of %s cannot be looked at: %s", self._folder, error.strerror)
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        free = self.free
        if free >= (ENOUGH if self._low else FREE_MIN):
            if self._low:
                log.info("The disk of %s has room again, %d MB", self._folder, free // 2**20)
            self._low = False
            return
        now = time.monotonic()
        if not self._low or now - self._logged >= REPEAT_SECONDS:
            log.warning("Only %d MB are free on the disk of %s", free // 2**20, self._folder)
            self._logged = now
        self._low = True
        self._tell(free)

    def _tell(self, free: int) -> None:
        host, moment = socket.gethostname(), datetime.now(UTC)
        try:
            self._alarms.tell(
                f"disk-{host}-{moment:%Y-%m-%d}",
                f"The disk of {host} is nearly full",
                f"Only {free // 2**20} MB are free on the disk of {self._folder}. When it is full no event is stored: "
                "senders are told to try again later. Make room, or keep events for fewer days.",
                now=int(moment.timestamp() * 1000),
                link="settings/status",
            )
        except Refusal as error:
            log.warning("Nobody could be told that the disk is nearly full: %s", error.detail)
