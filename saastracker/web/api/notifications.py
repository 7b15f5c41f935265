"""Notifications over the API: channels, destinations, and the messages that went out or did not."""

from typing import Annotated, get_args

import msgspec
from msgspec import Meta

from saastracker.accounts.model import Destination
from saastracker.accounts.subscriptions import ADDRESS_MAX, destinations
from saastracker.deliveries import KEPT, Delivery, State
from saastracker.web import notifying
from saastracker.web.api.fields import Id, Name, Paging, Slug, Time
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso

TAG = "Notifications"
TOPICS_MAX = 100

Topic = Annotated[str, Meta(max_length=64, description="Name of a topic.", examples=["errors"])]
ChannelName = Annotated[str, Meta(max_length=64, description="Name of a channel.", examples=["webhook"])]
Address = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=ADDRESS_MAX,
        description="As the channel wants it.",
        examples=["https://example.com/hook"],
    ),
]
Topics = Annotated[list[Topic], Meta(min_length=1, max_length=TOPICS_MAX, description="What it hears of.")]
Only = Annotated[Slug, Meta(description="The only project it hears of; null: all, and the workspace.")]


class ChannelShown(msgspec.Struct, frozen=True, kw_only=True):
    """A way to send messages."""

    name: ChannelName
    title: str
    personal: Annotated[bool, Meta(description="Whether it writes to people; if not, to destinations.")]


class DestinationShown(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages go beside people, without its secret."""

    id: Id
    channel: ChannelName
    name: Name
    address: Address
    topics: Topics
    project: Only | None
    created_at: Time


class DestinationMade(DestinationShown, frozen=True, kw_only=True):
    """A new destination."""

    secret: Annotated[
        str, Meta(description="What messages are signed with, shown this once; keep it now.", examples=["whsec_…"])
    ]


class DestinationNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A destination to add."""

    channel: ChannelName
    name: Name
    address: Address
    topics: Topics
    project: Only | None = None


class MessageShown(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on its way to one recipient."""

    id: Id
    title: str
    topic: Topic
    channel: ChannelName
    to: Annotated[str, Meta(description="An e-mail address, or the name of a destination.")]
    state: Annotated[
        State,
        Meta(description="uncertain: it may have arrived; withdrawn: whom it was for wants, or may know, no more."),
    ]
    attempts: Annotated[int, Meta(ge=0)]
    changed_at: Time
    next_at: Annotated[Time, Meta(description="When it is tried; null: it does not wait.")] | None
    error: str | None


class OfState(Paging, frozen=True, forbid_unknown_fields=True):
    """What the list of messages takes."""

    state: Annotated[State, Meta(description="Only those.", examples=["failed"])] | None = None


@operation(
    TAG, "GET", "/workspaces/{workspace}/channels", needed="admin", answer=ChannelShown, listed=lambda each: each.name
)
def list_channels(call: Call) -> list[ChannelShown]:
    """Channels that messages go by."""
    channels = call.site.outbox.channels.values()
    return [ChannelShown(name=each.name, title=each.title, personal=each.personal) for each in channels]


@operation(
    TAG,
    "POST",
    "/workspaces/{workspace}/channels/{channel}/test",
    needed="admin",
    status=204,
    refusals=(400, 503),
)
def test_channel(call: Call) -> None:
    """Send oneself a test message.

    It is answered when the message is handed over; 503 says why it was not, and 403 that a token has no address.
    """
    notifying.test_channel(call.site, call.workspace, call.path["channel"], call.signed, call.by, call.now)


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/destinations",
    needed="admin",
    answer=DestinationShown,
    listed=lambda each: each.created_at + each.id,
)
def list_destinations(call: Call) -> list[DestinationShown]:
    """Destinations of a workspace, oldest first."""
    return [_shown(call, each) for each in destinations(call.site.accounts.snapshot, call.workspace.id)]


@operation(
    TAG,
    "POST",
    "/workspaces/{workspace}/destinations",
    needed="admin",
    body=DestinationNew,
    answer=DestinationMade,
    status=201,
    refusals=(409,),
)
def add_destination(call: Call, body: DestinationNew) -> DestinationMade:
    """Add a destination, whose secret is shown this once."""
    wanted = notifying.Wanted(body.channel, body.name, body.address, tuple(body.topics), body.project)
    made, secret = notifying.add_destination(call.site, call.workspace, wanted, call.by, call.now)
    return DestinationMade(**msgspec.structs.asdict(_shown(call, made)), secret=secret)


@operation(
    TAG,
    "DELETE",
    "/workspaces/{workspace}/destinations/{destination}",
    needed="admin",
    status=204,
    refusals=(409,),
)
def remove_destination(call: Call) -> None:
    """Remove a destination: nothing more is sent to it."""
    call.site.accounts.subscriptions.remove(call.workspace.id, call.path["destination"], by=call.by, now=call.now)


@operation(
    TAG,
    "POST",
    "/workspaces/{workspace}/destinations/{destination}/test",
    needed="admin",
    status=204,
    refusals=(400, 503),
)
def test_destination(call: Call) -> None:
    """Send a destination a test message.

    It is answered when the message is handed over; 400 and 503 say why it was not.
    """
    notifying.test_destination(call.site, call.workspace, call.path["destination"], call.by, call.now)


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/messages",
    needed="admin",
    answer=MessageShown,
    listed=lambda each: each.changed_at + each.id,
    newest_first=True,
    parameters=OfState,
)
def list_messages(call: Call) -> list[MessageShown]:
    """Messages of the last 30 days, and those that wait, newest first."""
    states = (call.parameters.state,) if call.parameters.state else get_args(State)
    found = call.site.outbox.deliveries.of_workspace(call.workspace.id, states, KEPT)
    return [_message(call, each) for each in found]


@operation(
    TAG,
    "POST",
    "/workspaces/{workspace}/messages/{message}/again",
    needed="admin",
    status=204,
    refusals=(409,),
)
def send_again(call: Call) -> None:
    """Send a message again that failed, or that may not have arrived; 409 for any other."""
    call.site.outbox.deliveries.send_again(call.workspace.id, call.path["message"], who=call.who, now=call.now)


def _shown(call: Call, destination: Destination) -> DestinationShown:
    project = call.site.facts.snapshot.projects.get(destination.project or "")
    return DestinationShown(
        id=destination.id,
        channel=destination.channel,
        name=destination.name,
        address=destination.address,
        topics=list(destination.topics),
        project=project.slug if project else None,
        created_at=iso(destination.created_at),
    )


def _message(call: Call, delivery: Delivery) -> MessageShown:
    return MessageShown(
        id=delivery.id,
        title=delivery.title,
        topic=delivery.topic,
        channel=delivery.channel,
        to=notifying.recipient(call.site, delivery),
        state=delivery.state,
        attempts=delivery.attempts,
        changed_at=iso(delivery.changed_at),
        next_at=iso(delivery.due_at) if delivery.state == "waiting" else None,
        error=delivery.error or None,
    )
