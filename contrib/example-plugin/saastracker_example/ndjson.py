"""The wire format "ndjson": one JSON object a line, as log shippers such as Vector send them."""

from typing import Annotated

import msgspec

from saastracker import (
    Decoded,
    Endpoint,
    Event,
    Invalid,
    Outcome,
    Policy,
    Project,
    Rejected,
    Reply,
    Request,
    Sender,
    TooFast,
    type_of,
)
from saastracker.decoding import ABSENT, decode, iso_time, properties
from saastracker.event import NAME_MAX

LINES_MAX = 1000

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]


class _Line(msgspec.Struct):
    event: _Text
    user: _Text | None = None
    org: _Text | None = None
    time: str | None = None  # ISO 8601
    properties: msgspec.Raw = ABSENT


_line = msgspec.json.Decoder(_Line)


class Ndjson:
    name = "ndjson"
    endpoints: tuple[Endpoint, ...] = (Endpoint("/ndjson", scheme="basic"),)
    cors = False  # servers send it, not pages in a browser
    sender: Sender = "server"
    over_budget: Policy = "drop"  # unless the workspace says otherwise
    too_fast: TooFast = 429

    def decode(self, request: Request, project: Project) -> Decoded:
        """Empty lines are skipped; a bad line is rejected alone."""
        if request.body.count(b"\n") > LINES_MAX:
            raise Invalid(f"Send at most {LINES_MAX} lines per request.")
        events: list[Event] = []
        rejected: list[Rejected] = []
        for index, line in enumerate(request.body.split(b"\n")):
            if not line.strip():
                continue
            try:
                events.append(_event(line, request.received_at))
            except Invalid as refusal:
                rejected.append(Rejected(index, refusal.detail))
        if not events:
            raise Invalid(rejected[0].detail if rejected else "Send one JSON object a line.")
        return Decoded(events, tuple(rejected))

    def reply(self, outcome: Outcome) -> Reply:
        return Reply(200, msgspec.json.encode(outcome))


def _event(line: bytes, now: int) -> Event:
    sent = decode(_line, line)
    return Event(
        name=sent.event,
        type=type_of(sent.event),
        time=None if sent.time is None else iso_time(sent.time, now, "$.time"),
        user=sent.user,
        org=sent.org,
        properties=properties(sent.properties, "$.properties"),
    )
