"""Work for a client that may go away before it is done."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from saastracker.web.site import WebRequest

T = TypeVar("T")


async def while_connected(request: WebRequest, work: Callable[[Callable[[], bool]], T]) -> T:
    """Do `work` on a thread; what it is given says whether the client has gone, so that nobody waits for the answer.

    Who stops a page from loading, or leaves it, ends its report this way.
    """
    gone = threading.Event()
    watching = asyncio.create_task(_watch(request, gone))
    try:
        return await asyncio.to_thread(work, gone.is_set)
    finally:
        watching.cancel()


async def _watch(request: WebRequest, gone: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass  # the request's body, of which a report takes none
    gone.set()
