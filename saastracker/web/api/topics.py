"""What one hears of by mail oneself, over the API."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.errors import NotFound
from saastracker.web import notifying
from saastracker.web.api.fields import WorkspaceId
from saastracker.web.api.notifications import TAG, Topic
from saastracker.web.api.operation import ID_MAX, Call, operation


class TopicShown(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as one hears of it, or not."""

    workspace: WorkspaceId
    topic: Topic
    title: str
    default: Annotated[bool, Meta(description="Whether one hears of it without having chosen.")]
    hears: Annotated[bool, Meta(description="Whether one does.")]


class TopicChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether one wants to hear of a topic."""

    hears: bool


@operation(
    TAG,
    "GET",
    "/account/topics",
    needed=None,
    answer=TopicShown,
    listed=lambda each: each.workspace + each.topic,
    refusals=(403,),
)
def list_topics(call: Call) -> list[TopicShown]:
    """What one may hear of by mail, in each workspace one belongs to."""
    places = [each for each in call.signed.roles if each in call.site.facts.snapshot.workspaces]
    return [_topic(each, place) for place in places for each in _followed(call, place)]


@operation(
    TAG,
    "PATCH",
    "/account/topics/{place}/{topic}",
    needed=None,
    body=TopicChange,
    answer=TopicShown,
    refusals=(403, 409),
)
def choose_topic(call: Call, body: TopicChange) -> TopicShown:
    """Choose whether one hears of a topic in a workspace, whose id is `place`."""
    place, name = call.path["place"], call.path["topic"]
    call.signed.by(place)
    if name not in {each.name for each in _followed(call, place)}:
        raise NotFound(f"There is no topic {name[:ID_MAX]} that you may hear of.")
    notifying.follow(call.site, call.signed, place, {name: body.hears}, call.now)
    return next(_topic(each, place) for each in _followed(call, place) if each.name == name)


def _followed(call: Call, place: str) -> list[notifying.Followed]:
    return notifying.followed(call.site, call.signed.user.id, place)


def _topic(each: notifying.Followed, place: str) -> TopicShown:
    return TopicShown(workspace=place, topic=each.name, title=each.topic.title, default=each.default, hears=each.hears)
