"""What a wire format says about requests and answers; this one sends an event a request."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from saastracker_sdk.drops import Reason


class NotStored(NamedTuple):
    """Events of a request that the server accepted without them."""

    reason: Reason
    detail: str
    indexes: Sequence[int]


class Wire:
    batch_max = 1  # events in one request; with more, all of a client go to one path

    def body(self, events: Sequence[bytes]) -> bytes:
        return events[0]

    def headers(self, body: bytes) -> Mapping[str, str]:
        """Who sends; beside those that all formats have."""
        return {}

    def not_stored(self, answer: Mapping[str, Any], count: int) -> Iterator[NotStored]:
        """What a 2xx answer to `count` events says of those that were not stored."""
        if answer.get("accepted") == 0:
            yield NotStored("over_budget", "The month's budget is used up.", range(count))


def rejections(errors: object, count: int) -> Iterator[NotStored]:
    """From `[{"index": 0, "detail": "…"}]`."""
    for error in errors if isinstance(errors, list) else ():
        index = error.get("index") if isinstance(error, dict) else None
        if isinstance(index, int) and 0 <= index < count:
            yield NotStored("rejected", str(error.get("detail", "")), [index])
