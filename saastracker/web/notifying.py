"""What the pages and the API do alike about notifications: destinations, tests, and the topics of an account."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from saastracker import audit
from saastracker.accounts.model import By, Destination, Signed
from saastracker.accounts.subscriptions import hears
from saastracker.deliveries import Delivery
from saastracker.errors import Invalid, NotFound
from saastracker.job import Topic
from saastracker.records import Workspace
from saastracker.roles import Role, may
from saastracker.web.site import Site

ID_MAX = 64  # characters of what is told back
MAIL = "email"  # the plugin that reaches people
GONE = "a former one"


class Wanted(NamedTuple):
    """A destination to add."""

    channel: str
    name: str
    address: str
    topics: tuple[str, ...]
    project: str | None  # slug; None: all


class Recipient(NamedTuple):
    """Who gets a test message."""

    id: str  # of a user or a destination
    name: str


class Followed(NamedTuple):
    """A topic as somebody follows it, or not."""

    name: str
    topic: Topic
    hears: bool
    default: bool  # whether they would without having chosen


def silence(site: Site) -> str:
    """Why no message reaches people; empty if there is a way."""
    if any(channel.personal for channel in site.outbox.channels.values()):
        return ""
    on = any(plugin.name == MAIL and plugin.enabled for plugin in site.registry.plugins)
    return "[plugin.email] host is not set" if on else 'the plugin "email" is not turned on'


def topics_for(site: Site, role: Role | None) -> dict[str, Topic]:
    """The topics that somebody of a role may hear of, and have destinations hear of."""
    return {name: topic for name, topic in site.outbox.topics.items() if may(role, topic.needed)}


# --- Destinations ---


def add_destination(site: Site, workspace: Workspace, wanted: Wanted, by: By, now: int) -> tuple[Destination, str]:
    """A new one and its secret. Raises Forbidden, Conflict, and Invalid whose reason names the field."""
    channel = site.outbox.channels.get(wanted.channel)
    if channel is None:
        raise Invalid(f"There is no channel {wanted.channel[:ID_MAX]!r}.", reason="channel")
    offered = topics_for(site, by.role)
    if unknown := [name for name in wanted.topics if name not in offered]:
        raise Invalid(f"There is no topic {unknown[0][:ID_MAX]!r} that you may hear of.", reason="topics")
    project = site.facts.snapshot.projects_by_slug.get(wanted.project or "")
    if wanted.project and (project is None or project.workspace != workspace.id or not project.active):
        raise Invalid(f"This workspace has no project {wanted.project[:ID_MAX]!r}.", reason="project")
    return site.accounts.subscriptions.add(
        workspace.id,
        channel,
        name=wanted.name,
        address=wanted.address.strip(),
        topics=frozenset(wanted.topics),
        project=project.id if project else None,
        by=by,
        now=now,
    )


def test_destination(site: Site, workspace: Workspace, destination: str, by: By, now: int) -> None:
    """Send it a message at once. Raises NotFound, and why it was not sent as Unavailable or another Refusal."""
    found = site.accounts.snapshot.destinations.get(destination)
    if found is None or found.workspace != workspace.id:
        raise NotFound("This workspace has no such destination.")
    _test(site, workspace, found.channel, Recipient(found.id, found.name), by, now)


def test_channel(  # noqa: PLR0917
    site: Site, workspace: Workspace, channel: str, signed: Signed, by: By, now: int
) -> None:
    """Send the one who asks a message at once. Raises NotFound, and why it was not sent."""
    found = site.outbox.channels.get(channel)
    if found is None or not found.personal:
        raise NotFound(f"There is no channel {channel[:ID_MAX]!r} to people.")
    _test(site, workspace, channel, Recipient(signed.user.id, signed.user.email), by, now)


def _test(site: Site, workspace: Workspace, channel: str, to: Recipient, by: By, now: int) -> None:  # noqa: PLR0917
    """The audit trail tells that somebody tried, also where it fails: something was sent out of the house."""
    told = msgspec.Raw(msgspec.json.encode({"name": to.name, "channel": channel}))
    entry = audit.Entry(
        at=now,
        who=by.who,
        project="",
        workspace=workspace.id,
        action="run",
        kind="test-message",
        record=to.id,
        version=1,
        value=told,
    )
    site.records.write([audit.record(entry)])
    site.outbox.send_test(workspace, channel, to.id, now)


def recipient(site: Site, delivery: Delivery) -> str:
    """Who is told: an e-mail address, or the name of a destination."""
    people = site.accounts.snapshot
    user, destination = people.users.get(delivery.recipient), people.destinations.get(delivery.recipient)
    return user.email if user else destination.name if destination else GONE


# --- The topics of an account ---


def followed(site: Site, user: str, workspace: str) -> list[Followed]:
    """The topics that a member may hear of."""
    people = site.accounts.snapshot
    role = people.of_workspace(workspace).get(user)
    return [
        Followed(
            name,
            topic,
            hears(people, user, workspace, name, topic),
            topic.default is not None and may(role, topic.default),
        )
        for name, topic in topics_for(site, role).items()
    ]


def follow(site: Site, signed: Signed, workspace: str, wanted: Mapping[str, bool], now: int) -> None:
    """Keep what differs from how it is: what nobody touched goes on with its default. Raises NotFound, Invalid."""
    known = {each.name: each.hears for each in followed(site, signed.user.id, workspace)}
    if unknown := [name for name in wanted if name not in known]:
        raise Invalid(f"There is no topic {unknown[0][:ID_MAX]!r} that you may hear of.", reason="topics")
    changed = {name: chosen for name, chosen in wanted.items() if chosen != known[name]}
    if changed:
        site.accounts.subscriptions.choose(signed, workspace, changed, now)
