"""Subscriptions: what users want to hear of by mail, and the destinations that hear of a workspace beside them."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from saastracker.accounts.model import By, Choices, Destination, Signed
from saastracker.accounts.people import Edit, People, Snapshot
from saastracker.accounts.rules import check_name
from saastracker.channel import Channel
from saastracker.errors import Conflict, Forbidden, Invalid, NotFound
from saastracker.job import Topic
from saastracker.roles import may
from saastracker.secrets import Secrets

DESTINATIONS_MAX = 20  # of a workspace
ADDRESS_MAX = 2048  # characters


def hears(snapshot: Snapshot, user: str, workspace: str, name: str, topic: Topic) -> bool:
    """Whether a user is told of a topic in a workspace: only with the role for it, then as chosen."""
    role = snapshot.of_workspace(workspace).get(user)
    if not may(role, topic.needed):
        return False
    choices = snapshot.choices.get(user)
    chosen = choices.topics.get(workspace, {}).get(name) if choices else None
    return chosen if chosen is not None else topic.default is not None and may(role, topic.default)


class Subscriptions:
    """Changes of them. Safe from several threads."""

    def __init__(self, people: People, sealing: Secrets) -> None:
        self._people = people
        self._sealing = sealing

    def choose(self, signed: Signed, workspace: str, chosen: Mapping[str, bool], now: int) -> None:
        """Set whether the user hears of topics in a workspace; those not named stay. Raises NotFound."""
        signed.by(workspace)
        self._choose(signed.user.id, workspace, chosen, signed.user.email, now)

    def choose_by_link(self, user: str, workspace: str, chosen: Mapping[str, bool], now: int) -> None:
        """The same for whoever has the link of a message to the user. Raises NotFound."""
        found = self._people.snapshot.users.get(user)
        if found is None:
            raise NotFound("There is no such account any more.")
        self._choose(user, workspace, chosen, found.email, now)

    def _choose(self, user: str, workspace: str, chosen: Mapping[str, bool], who: str, now: int) -> None:
        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            old = snapshot.choices.get(user, Choices(id=user))
            topics = {**old.topics, workspace: {**old.topics.get(workspace, {}), **chosen}}
            if topics == old.topics:
                return [], None
            told = {"topics": dict(chosen)}
            return [Edit("change", msgspec.structs.replace(old, topics=topics), told, workspace)], None

        self._people.edit(who, now, make)

    def add(
        self,
        workspace: str,
        channel: Channel,
        *,
        name: str,
        address: str,
        topics: Collection[str],
        project: str | None,
        by: By,
        now: int,
    ) -> tuple[Destination, str]:
        """A new destination and the secret its messages are signed with, which is shown once.

        Raises Forbidden, Invalid for a wrong name, address or no topic, Conflict if there are too many.
        """
        _check(by)
        if channel.personal:
            raise Invalid(f"{channel.title} writes to people, who choose for themselves.", reason="channel")
        if not topics:
            raise Invalid("Choose at least one topic.", reason="topics")
        if len(address) > ADDRESS_MAX:
            raise Invalid(f"An address has at most {ADDRESS_MAX} characters.", reason="address")
        text = f"whsec_{secrets.token_urlsafe(32)}"
        made = Destination(
            id=str(uuid4()),
            workspace=workspace,
            channel=channel.name,
            name=check_name(name),
            address=channel.check(address),
            secret=self._sealing.encrypt(text.encode()),
            topics=tuple(sorted(topics)),
            project=project,
            created_at=now,
        )

        def make(snapshot: Snapshot) -> tuple[list[Edit], tuple[Destination, str]]:
            if len(destinations(snapshot, workspace)) >= DESTINATIONS_MAX:
                raise Conflict(f"A workspace has at most {DESTINATIONS_MAX} destinations; remove one.")
            return [_edit("create", made)], (made, text)

        return self._people.edit(by.who, now, make)

    def remove(self, workspace: str, destination: str, *, by: By, now: int) -> None:
        """Raises Forbidden, NotFound if the workspace has no such destination."""
        _check(by)

        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            found = snapshot.destinations.get(destination)
            if found is None or found.workspace != workspace:
                raise NotFound("This workspace has no such destination.")
            return [_edit("delete", found)], None

        self._people.edit(by.who, now, make)

    def secret(self, destination: Destination) -> bytes:
        """What its messages are signed with."""
        return self._sealing.decrypt(destination.secret)


def destinations(snapshot: Snapshot, workspace: str) -> Sequence[Destination]:
    """Those of a workspace, oldest first."""
    return [each for each in snapshot.destinations.values() if each.workspace == workspace]


def _check(by: By) -> None:
    if not may(by.role, "admin"):
        raise Forbidden("This needs the role admin.", reason="role")


def _edit(action: Any, destination: Destination) -> Edit:
    told = {"channel": destination.channel, "name": destination.name, "topics": destination.topics}
    return Edit(action, destination, told, destination.workspace)
