"""The wire format "owlsignal": game telemetry in batches, of which bad events are rejected one by one."""

from contextlib import suppress
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from saastracker.decoding import (
    UUID_MAX,
    Value,
    decode,
    decode_batch,
    decode_envelope,
    encode_properties,
    iso_time,
    uuid_text,
)
from saastracker.errors import Invalid
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

_Dimension = Annotated[str, Meta(max_length=64)] | None


class _Sent(msgspec.Struct, gc=False):
    build_version: Annotated[str, Meta(min_length=1, max_length=64)]
    session_id: Annotated[str, Meta(max_length=UUID_MAX)]
    player_hash: Annotated[str, Meta(min_length=32, max_length=64)]
    ts: str
    type: Literal["progression", "design", "resource", "error", "session"]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    value: Value | None = None
    dim01: _Dimension = None
    dim02: _Dimension = None
    dim03: _Dimension = None
    data: dict[str, str | int | float | bool | None] | None = None


class _Batch(msgspec.Struct, gc=False):
    events: Annotated[list[_Sent], Meta(min_length=1, max_length=100)]


class _Envelope(msgspec.Struct, gc=False):
    events: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=100)]


class _Answer(msgspec.Struct):
    accepted: int
    rejected: int
    errors: list[dict[str, int | str]]
    reason: str | msgspec.UnsetType = msgspec.UNSET


_batch = msgspec.json.Decoder(_Batch)
_envelope = msgspec.json.Decoder(_Envelope)
_sent = msgspec.json.Decoder(_Sent)


class Owlsignal:
    name = "owlsignal"
    endpoints: tuple[Endpoint, ...] = (Endpoint("/api/v1/events", scheme="bearer"),)
    cors = True
    sender: Sender = "app"
    over_budget: Policy = "drop"
    too_fast: TooFast = 503  # its clients drop what is answered 4xx, and send again what is answered 5xx

    def decode(self, request: Request, project: Project) -> Decoded:  # noqa: ARG002
        now, user_agent = request.received_at, request.header(b"user-agent")
        batch = decode_batch(_batch, request.body)
        if batch is not None:
            with suppress(Invalid):
                return Decoded([_event(sent, now, user_agent) for sent in batch.events])
        events: list[Event] = []
        rejected: list[Rejected] = []
        for index, text in enumerate(decode_envelope(_envelope, request.body).events):
            try:
                events.append(_event(decode(_sent, bytes(text)), now, user_agent))
            except Invalid as refusal:
                rejected.append(Rejected(index, refusal.detail))
        return Decoded(events, tuple(rejected))

    def reply(self, outcome: Outcome) -> Reply:
        if outcome.over_budget:
            return _json(_Answer(0, outcome.over_budget + len(outcome.rejected), [], "tier_limit"))
        errors: list[dict[str, int | str]] = [{"index": bad.index, "detail": bad.detail} for bad in outcome.rejected]
        return _json(_Answer(outcome.accepted, len(errors), errors))


def _json(answer: _Answer) -> Reply:
    return Reply(200, msgspec.json.encode(answer))


def _event(sent: _Sent, now: int, user_agent: str | None) -> Event:
    values = sent.data or {}
    if sent.dim01:
        values["dim01"] = sent.dim01
    if sent.dim02:
        values["dim02"] = sent.dim02
    if sent.dim03:
        values["dim03"] = sent.dim03
    return Event(
        name=sent.name,
        type=sent.type,
        time=iso_time(sent.ts, now, "$.ts"),
        user=sent.player_hash,
        session=uuid_text(sent.session_id, "$.session_id"),
        release=sent.build_version,
        value=sent.value,
        properties=encode_properties(values, "$.data"),
        user_agent=user_agent,
    )


@hookimpl
def wire_formats() -> list[WireFormat]:
    return [Owlsignal()]
