"""The usermaven wire format: people and companies, from servers and, with the public key alone, from browsers."""

from typing import Any

import msgspec

from saastracker.decoding import decode, decode_envelope
from saastracker.errors import Forbidden, Invalid, Refusal
from saastracker.event import Event
from saastracker.hookspecs import hookimpl
from saastracker.wire import (
    Decoded,
    Endpoint,
    Outcome,
    Policy,
    Project,
    Rejected,
    Reply,
    Request,
    Sender,
    TooFast,
    WireFormat,
)
from saastracker_usermaven.body import read

EVENTS_MAX = 10_000  # in one array; more would hold up the event loop

_object: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_array = msgspec.json.Decoder(list[msgspec.Raw])


class Usermaven:
    """One object or an array of them; `sender` "browser" adds what only browsers need."""

    cors = True
    over_budget: Policy = "accept"
    too_fast: TooFast = 429

    def __init__(self, name: str, sender: Sender, endpoints: tuple[Endpoint, ...]) -> None:
        self.name = name
        self.sender = sender
        self.endpoints = endpoints

    def decode(self, request: Request, project: Project) -> Decoded:
        if not request.body.lstrip().startswith(b"["):
            return Decoded([self._event(request.body, request, project)])
        elements = decode_envelope(_array, request.body)
        if not 0 < len(elements) <= EVENTS_MAX:
            raise Invalid(f"$: Expected 1 to {EVENTS_MAX} events, got {len(elements)}")
        events: list[Event] = []
        rejected: list[Rejected] = []
        for index, element in enumerate(elements):
            try:
                events.append(self._event(bytes(element), request, project))
            except Refusal as refusal:
                rejected.append(Rejected(index, refusal.detail, refusal.reason))
        if not events:
            raise _refusal(rejected)
        return Decoded(events, tuple(rejected))

    def _event(self, body: bytes, request: Request, project: Project) -> Event:
        return read(decode(_object, body), request, project, browser=self.sender == "browser")

    def reply(self, outcome: Outcome) -> Reply:
        if not outcome.rejected:
            return Reply(200, b'{"status":"ok"}')
        rejected = [{"index": each.index, "detail": each.detail} for each in outcome.rejected]
        return Reply(200, msgspec.json.encode({"status": "ok", "rejected": rejected}))


def _refusal(rejected: list[Rejected]) -> Refusal:
    """Why a whole array was refused: the first reason, for all if it was the origin."""
    if all(each.reason == Forbidden.reason for each in rejected):
        return Forbidden(rejected[0].detail)
    return Invalid(rejected[0].detail.replace("$", "$[0]", 1))


@hookimpl
def wire_formats() -> list[WireFormat]:
    return [
        Usermaven(
            "usermaven",
            "server",
            (Endpoint("/api/v1/s2s/event", "query-token"), Endpoint("/api/v1/s2s/events", "query-token")),
        ),
        Usermaven(
            "usermaven-browser",
            "browser",
            (Endpoint("/api/v1/event", "query-key"), Endpoint("/api.*", "query-key")),
        ),
    ]
