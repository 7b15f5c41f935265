"""The nanosights wire format: events and page timings from browsers, under a public project key."""

from typing import Any, TypeAlias

import msgspec

from saastracker.decoding import (
    ABSENT,
    Value,
    check_origin,
    clip,
    decode,
    decode_envelope,
    encode_properties,
    identifier,
    iso_time,
    number,
    plain_path,
    url_campaign,
    url_host,
    url_path,
)
from saastracker.errors import Invalid
from saastracker.event import NAME_MAX, Event, type_of
from saastracker.hookspecs import hookimpl
from saastracker.wire import Decoded, Endpoint, Outcome, Policy, Project, Reply, Request, Sender, TooFast, WireFormat

Fields: TypeAlias = dict[str, Any]  # values are msgspec.Raw until something looks inside

TIMINGS = (
    "dns_lookup",
    "tcp_connection",
    "server_response",
    "dom_interactive",
    "dom_complete",
    "page_load",
    "total_page_load",
)


class _Page(msgspec.Struct, kw_only=True):
    """What every request says about the page and its visitor."""

    url: str | None = None
    page_location: str | None = None
    page_path: str | None = None
    page_title: str | None = None
    referrer: str | None = None
    user: str | int | float | None = msgspec.field(name="userId", default=None)
    session: str | int | float | None = msgspec.field(name="sessionId", default=None)
    user_agent: str | None = msgspec.field(name="userAgent", default=None)
    timestamp: str | None = None


class _Custom(_Page):
    event_name: str | None = None
    event_name_camel: str | None = msgspec.field(name="eventName", default=None)
    event_type: str | None = msgspec.field(name="eventType", default=None)
    event_data: msgspec.Raw = ABSENT


class _Insights(_Page):
    metric_type: str | None = None
    metric_name: str | None = None
    metric_value: Value | None = None
    metric_unit: str | None = None
    dns_lookup: Value | None = None
    tcp_connection: Value | None = None
    server_response: Value | None = None
    dom_interactive: Value | None = None
    dom_complete: Value | None = None
    page_load: Value | None = None
    total_page_load: Value | None = None


def _known(struct: type[_Page]) -> frozenset[str]:
    return frozenset({"projectKey", *(field.encode_name for field in msgspec.structs.fields(struct))})


_fields: msgspec.json.Decoder[Fields] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_custom = msgspec.json.Decoder(_Custom)
_custom_keys = _known(_Custom)
_insights = msgspec.json.Decoder(_Insights)
_insights_keys = _known(_Insights)


class _Tag:
    """What the two formats share: a browser sends one object and is told that it was taken."""

    cors = True
    sender: Sender = "browser"
    over_budget: Policy = "accept"
    too_fast: TooFast = 429

    def reply(self, outcome: Outcome) -> Reply:
        return Reply(202, b'{"accepted":1}' if outcome.accepted else b'{"accepted":0}')


class CustomEvents(_Tag):
    """One named event per request."""

    name = "nanosights"
    endpoints: tuple[Endpoint, ...] = (
        Endpoint("/api/tags/custom", "project-key"),
        Endpoint("/api/tags/analytics", "project-key"),
    )

    def decode(self, request: Request, project: Project) -> Decoded:
        body = decode(_custom, request.body)
        name = body.event_name or body.event_name_camel or body.event_type
        if not name or len(name) > NAME_MAX:
            raise Invalid(f"$.event_name: Required, 1 to {NAME_MAX} characters")
        fields = _page_properties(body) | _others(request, _custom_keys) | _event_data(body.event_data)
        value = _number(fields.get("value"))
        if value is not None:
            del fields["value"]
        event = _event(request, body, name, type_of(name), encode_properties(fields, "$.event_data"))
        event.value = value
        check_origin(request, project, body.url or body.page_location)
        return Decoded([event])


class Insights(_Tag):
    """Web vitals and navigation timings: each metric is an event of its own."""

    name = "nanosights-insights"
    endpoints: tuple[Endpoint, ...] = (Endpoint("/api/tags/insights", "project-key"),)

    def decode(self, request: Request, project: Project) -> Decoded:
        body = decode(_insights, request.body)
        metrics = {name: value for name in TIMINGS if (value := getattr(body, name)) is not None}
        if body.metric_name:
            if len(body.metric_name) > NAME_MAX:
                raise Invalid(f"$.metric_name: at most {NAME_MAX} characters")
            if body.metric_value is None:
                raise Invalid("$.metric_value: Required, a number")
            metrics[body.metric_name] = body.metric_value
        if not metrics:
            raise Invalid(f"$.metric_name: Required, or one of {', '.join(TIMINGS)}")
        fields = _page_properties(body) | _others(request, _insights_keys)
        if body.metric_type:
            fields["metric_type"] = "web_vital" if body.metric_type == "web-vitals" else body.metric_type
        if body.metric_unit:
            fields["metric_unit"] = body.metric_unit
        properties = encode_properties(fields, "$")
        events = []
        for name, value in metrics.items():
            event = _event(request, body, name, "vital", properties)
            event.value = value
            events.append(event)
        check_origin(request, project, body.url or body.page_location)
        return Decoded(events)


def _event(request: Request, body: _Page, name: str, kind: str, properties: str | None) -> Event:
    url = body.url or body.page_location
    campaign = url_campaign(url)
    host, referrer = url_host(url), url_host(body.referrer)
    if referrer and referrer == host:
        referrer = None  # the page itself
    user = identifier(body.user, "$.userId")
    session = identifier(body.session, "$.sessionId")
    return Event(
        name=name,
        type=kind,
        time=iso_time(body.timestamp, request.received_at, "$.timestamp") if body.timestamp else None,
        user=user,
        anonymous=None if user else session,  # the tag keeps its session id for the visitor's life
        session=session,
        path=plain_path(body.page_path) or url_path(url),
        referrer=referrer,
        source=campaign.get("source"),
        medium=campaign.get("medium"),
        campaign=campaign.get("campaign"),
        properties=properties,
        user_agent=body.user_agent or request.header(b"user-agent") or None,
        host=host,
    )


def _page_properties(body: _Page) -> Fields:
    """What is said about the page and goes into no column."""
    said = {
        "url": clip(body.url or body.page_location),
        "page_title": body.page_title,
        "referrer": clip(body.referrer),
    }
    return {key: text for key, text in said.items() if text}


def _others(request: Request, known: frozenset[str]) -> Fields:
    """The keys a request carries beyond those of the format."""
    return {key: value for key, value in decode_envelope(_fields, request.body).items() if key not in known}


def _event_data(raw: msgspec.Raw) -> Fields:
    """`event_data` as properties; text, a number or an array becomes the property `event_data`."""
    text = bytes(raw).lstrip()
    if text in {b"", b"null", b'""'}:
        return {}
    return decode_envelope(_fields, text) if text.startswith(b"{") else {"event_data": raw}


def _number(raw: msgspec.Raw | None) -> float | None:
    return None if raw is None else number(msgspec.json.decode(raw))


@hookimpl
def wire_formats() -> list[WireFormat]:
    return [CustomEvents(), Insights()]
