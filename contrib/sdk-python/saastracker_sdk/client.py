"""What the clients of all formats share: they take events at once, send them later, and can be waited for."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Any, Self, Unpack

from saastracker_sdk import lifetime
from saastracker_sdk.delivery import Delivery
from saastracker_sdk.drops import Drops
from saastracker_sdk.encoding import encode, shown
from saastracker_sdk.options import Options, Settings
from saastracker_sdk.transport import check_url
from saastracker_sdk.wire import Wire


class Client:
    """Tracking never waits and never raises; what cannot be sent is told to `on_drop` and the log.

    Use it with `with`, or `async with`, or close it: both wait up to `exit_timeout` seconds for what is queued. So does
    the end of the program.
    """

    def __init__(self, url: str, wire: Wire, **options: Unpack[Options]) -> None:
        """`url` is the server's address. Raises ValueError for one that is none, and for options without sense."""
        check_url(url)
        self._settings = Settings(**options)
        self._drops = Drops(self._settings.on_drop)
        self._delivery = Delivery(wire, url, self._settings, self._drops)
        lifetime.born(self)

    def _put(self, path: str, make: Callable[[], Mapping[str, Any]]) -> None:
        """`make` gives the event's fields; like all that is done with values of a program, it may raise anything."""
        fields: Mapping[str, Any] = {}
        try:
            fields = make()
            event = encode(fields)
        except Exception as error:
            self._drops.tell("invalid", _told(error), [{key: shown(value) for key, value in fields.items()}])
            return
        self._delivery.put(path, event)

    def flush(self, timeout: float | None = None) -> bool:
        """Sends what was tracked so far; whether all of it is settled, stored or dropped, after at most `timeout` s."""
        return _settled(self._delivery.flushed(), timeout)

    async def aflush(self) -> None:
        """Sends what was tracked so far and waits until all of it is settled."""
        await asyncio.wrap_future(self._delivery.flushed())

    def close(self) -> bool:
        """Sends what was tracked and ends; whether all of it was settled within `exit_timeout` seconds."""
        lifetime.died(self)
        self._farewell()
        future = self._delivery.ending(self._settings.exit_timeout)
        self._delivery.work_off()
        done = _settled(future, self._settings.exit_timeout)
        self._delivery.ended(1)
        return done

    async def aclose(self) -> bool:
        """`close` for asyncio."""
        lifetime.died(self)
        self._farewell()
        future = asyncio.wrap_future(self._delivery.ending(self._settings.exit_timeout))
        try:
            done, _ = await asyncio.wait([future], timeout=self._settings.exit_timeout)
        finally:
            self._delivery.ended(1)
        return bool(done)

    def _farewell(self) -> None:
        """Tracks what the end of a client makes for."""

    def after_fork(self) -> None:
        self._delivery.after_fork()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _settled(future: "Future[None]", timeout: float | None) -> bool:
    done = bool(wait([future], timeout).done)
    future.cancel()  # nobody waits for it any more
    return done


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # its own __str__
        return type(error).__name__
