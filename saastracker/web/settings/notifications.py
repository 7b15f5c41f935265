"""Notifications of a workspace: where they go beside its people, and what could not be sent."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from saastracker.accounts.subscriptions import destinations
from saastracker.deliveries import Delivery, State
from saastracker.errors import Conflict, Invalid, NotFound, Refusal
from saastracker.web import notifying
from saastracker.web.login import FIELDS_MAX, read_form
from saastracker.web.notifying import Wanted, recipient
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.site import WebRequest, get

SECTION = "notifications"
UNSENT_MAX, SENT_MAX = 100, 20  # rows
UNSENT: tuple[State, ...] = ("failed", "uncertain", "waiting", "sending")
SENT: tuple[State, ...] = ("sent",)
TOPIC = "topic-"  # what the fields of topics begin with


class Line(msgspec.Struct, frozen=True):
    """A delivery as people see it."""

    delivery: Delivery
    to: str
    channel: str  # title
    topic: str  # title


@get("/settings/notifications")
async def list_notifications(request: WebRequest) -> Response[bytes]:
    return await _list(_opened(request))


@post("/settings/notifications/destinations", status_code=200)
async def add_destination(request: WebRequest) -> Response[bytes]:
    """The page with the new one's secret, shown this once; or with what is wrong."""
    frame = _opened(request)
    form = await read_form(request, frame.site, most=FIELDS_MAX + len(frame.site.outbox.topics))
    wanted = Wanted(
        channel=form.get("channel", ""),
        name=form.get("name", ""),
        address=form.get("address", ""),
        topics=tuple(name.removeprefix(TOPIC) for name in form if name.startswith(TOPIC)),
        project=form.get("project") or None,
    )
    try:
        made, secret = await asyncio.to_thread(
            notifying.add_destination, frame.site, frame.place, wanted, frame.by, frame.now
        )
    except (Invalid, Conflict) as refusal:
        return await _list(frame, refusal.status, wrong={refusal.reason: refusal.detail}, typed=form)
    return await _list(frame, made=made, secret=secret)


@post("/settings/notifications/destinations/{destination:str}/remove")
async def remove_destination(request: WebRequest, destination: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another workspace's."""
    frame = _opened(request)
    await read_form(request, frame.site)
    subscriptions = frame.site.accounts.subscriptions
    await asyncio.to_thread(subscriptions.remove, frame.place.id, destination, by=frame.by, now=frame.now)
    return frame.done("destination-removed")


@post("/settings/notifications/destinations/{destination:str}/test")
async def test_destination(request: WebRequest, destination: FromPath[str]) -> Response[bytes]:
    """303, or the page saying why the message was not sent. Raises NotFound for another workspace's."""
    frame = _opened(request)
    await read_form(request, frame.site)
    return await _tried(frame, destination, notifying.test_destination, destination)


@post("/settings/notifications/channels/{channel:str}/test")
async def test_channel(request: WebRequest, channel: FromPath[str]) -> Response[bytes]:
    """The same by a channel to people, to the one who asks."""
    frame = _opened(request)
    await read_form(request, frame.site)
    return await _tried(frame, channel, notifying.test_channel, channel, frame.signed)


@post("/settings/notifications/messages/{delivery:str}/again")
async def send_again(request: WebRequest, delivery: FromPath[str]) -> Response[bytes]:
    """303, or the page saying that it is on its way. Raises NotFound for another workspace's."""
    frame = _opened(request)
    await read_form(request, frame.site)
    try:
        again = frame.site.outbox.deliveries.send_again
        await asyncio.to_thread(again, frame.place.id, delivery, who=frame.by.who, now=frame.now)
    except Conflict as refusal:
        return await _list(frame, refusal.status, wrong={delivery: refusal.detail})
    return frame.done("sent-again")


def _opened(request: WebRequest) -> Frame:
    return opened(request, SECTION, "admin")


async def _tried(frame: Frame, place: str, send: Callable[..., None], *given: Any) -> Response[bytes]:
    """`place` is where on the page it says what is wrong."""
    try:
        await asyncio.to_thread(send, frame.site, frame.place, *given, frame.by, frame.now)
    except NotFound:
        raise
    except Refusal as refusal:
        return await _list(frame, refusal.status, wrong={place: refusal.detail})
    return frame.done("tested")


async def _list(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    site = frame.site
    unsent, sent = await asyncio.to_thread(_deliveries, frame)
    values = {"made": None, "secret": "", **values}
    return frame.show(
        "settings_notifications.html",
        status,
        channels=[each for each in site.outbox.channels.values() if each.personal],
        others=[(each.name, each.title) for each in site.outbox.channels.values() if not each.personal],
        titles={name: channel.title for name, channel in site.outbox.channels.items()},
        topics=site.outbox.topics,
        offered=notifying.topics_for(site, frame.role),
        silence=notifying.silence(site),
        destinations=destinations(site.accounts.snapshot, frame.place.id),
        names={each.id: each.name for each in frame.own_projects},
        own=frame.own_projects,
        unsent=unsent,
        sent=sent,
        **values,
    )


def _deliveries(frame: Frame) -> tuple[list[Line], list[Line]]:
    kept, place = frame.site.outbox.deliveries, frame.place.id
    unsent = kept.of_workspace(place, UNSENT, UNSENT_MAX)
    sent = kept.of_workspace(place, SENT, SENT_MAX)
    return [_line(frame, each) for each in unsent], [_line(frame, each) for each in sent]


def _line(frame: Frame, delivery: Delivery) -> Line:
    outbox = frame.site.outbox
    channel, topic = outbox.channels.get(delivery.channel), outbox.topics.get(delivery.topic)
    return Line(
        delivery,
        recipient(frame.site, delivery),
        channel.title if channel else delivery.channel,
        topic.title if topic else delivery.topic,
    )
