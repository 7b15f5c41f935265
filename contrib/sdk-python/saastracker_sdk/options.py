"""What all clients can be told about sending."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from saastracker_sdk.drops import Drop


class Options(TypedDict, total=False):
    """Keyword arguments of every client."""

    interval: float
    """Seconds that an event may wait for others to share its request; 1 by default."""
    queue_max: int
    """Events that may wait to be sent; more are dropped. 10 000 by default."""
    timeout: float
    """Seconds that the server may be silent before a request counts as failed; 10 by default."""
    exit_timeout: float
    """Seconds that closing, or the end of the program, waits for what is queued; 5 by default."""
    connections: int
    """Requests at the same time; 1 by default, with which events arrive in the order they were tracked."""
    on_drop: Callable[[Drop], None] | None
    """Told of every event that will not be stored, from any thread; the log is told in any case. It must
    not wait for the client."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`Options` with their defaults. Raises ValueError for those that make no sense."""

    interval: float = 1.0
    queue_max: int = 10_000
    timeout: float = 10.0
    exit_timeout: float = 5.0
    connections: int = 1
    on_drop: Callable[[Drop], None] | None = None

    def __post_init__(self) -> None:
        for name in ("interval", "exit_timeout"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: seconds, 0 or more")
        if self.timeout <= 0:
            raise ValueError("timeout: seconds, more than 0")
        for name in ("queue_max", "connections"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: 1 or more")
