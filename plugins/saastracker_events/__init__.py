"""The wire format "saastracker": one organization-scoped event a request, sent and signed by a server."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.decoding import ABSENT, UUID_MAX, check_time, decode, plain_path, properties, uuid_text
from saastracker.errors import Invalid
from saastracker.event import ENVIRONMENT_MAX, NAME_MAX, PATH_MAX, PLAN_MAX, Event, type_of
from saastracker.hookspecs import hookimpl
from saastracker.wire import Decoded, Endpoint, Outcome, Policy, Project, Reply, Request, Sender, TooFast, WireFormat

_Text = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
_Uuid = Annotated[str, Meta(max_length=UUID_MAX)]


class _Sent(msgspec.Struct, gc=False):
    event: _Text
    user_hash: Annotated[str, Meta(min_length=64, max_length=64, pattern="^[0-9a-fA-F]{64}$")]
    customer_org_id: _Text | int
    path: Annotated[str, Meta(max_length=PATH_MAX, pattern="^/")] | None = None
    session_id: _Uuid | None = None
    environment: Annotated[str, Meta(max_length=ENVIRONMENT_MAX)] | None = None
    plan: Annotated[str, Meta(max_length=PLAN_MAX)] | None = None
    ts_epoch: int | None = None  # seconds
    properties: msgspec.Raw = ABSENT


_sent = msgspec.json.Decoder(_Sent)
_ACCEPTED = Reply(202, b'{"accepted":1}')
_DROPPED = Reply(202, b'{"accepted":0}')


class SaastrackerEvents:
    name = "saastracker"
    endpoints: tuple[Endpoint, ...] = (Endpoint("/v1/events", scheme="hmac"),)
    cors = False
    sender: Sender = "server"
    over_budget: Policy = "accept"
    too_fast: TooFast = 429

    def decode(self, request: Request, project: Project) -> Decoded:  # noqa: ARG002
        try:
            sent = decode(_sent, request.body)
        except Invalid:
            if request.body.lstrip().startswith(b"["):
                raise Invalid("$: send one event per request, a single object, not an array") from None
            raise
        seconds = sent.ts_epoch
        event = Event(
            name=sent.event,
            type=type_of(sent.event),
            time=None if seconds is None else check_time(seconds * 1000, request.received_at, "$.ts_epoch"),
            user=sent.user_hash.lower(),
            org=str(sent.customer_org_id),
            session=None if sent.session_id is None else uuid_text(sent.session_id, "$.session_id"),
            path=plain_path(sent.path),
            environment=sent.environment or "production",
            plan=sent.plan or None,
            properties=properties(sent.properties, "$.properties"),
        )
        return Decoded([event])

    def reply(self, outcome: Outcome) -> Reply:
        return _ACCEPTED if outcome.accepted else _DROPPED


@hookimpl
def wire_formats() -> list[WireFormat]:
    return [SaastrackerEvents()]
