"""What messages say: notices as subject, text and HTML, with links to their pages and one to unsubscribe."""

import uuid
from collections.abc import Sequence
from urllib.parse import quote

import msgspec
from markupsafe import Markup

from saastracker.channel import Item, Message
from saastracker.errors import NotFound, OperatorError
from saastracker.facts import Facts
from saastracker.job import Topic
from saastracker.notify import Queued
from saastracker.outbox import TEST, Recipient
from saastracker.records import Workspace, now_ms
from saastracker.secrets import Secrets
from saastracker.web.answers import UNSUBSCRIBE_PATH
from saastracker.web.items import stepless
from saastracker.web.rendering import render

SEALED_MAX = 1000  # characters
SHOWN_MAX = 50  # notices that are told in full to people; mail programs cut off what is much longer
GONE = "This address is not complete, or whom it was sent to has left. Copy it from the message once more."
TRIED = "You get this because somebody tried on the page Settings, Notifications whether messages arrive."
_SAFE = "/?=&%:#"  # what links are made of; all else is written as %XX


class Leaving(msgspec.Struct, frozen=True, array_like=True):
    """What the address to unsubscribe holds, sealed: whose it is, and of what."""

    user: str  # id
    workspace: str  # id
    topic: str


class Messages:
    """Composes messages, and reads the addresses to unsubscribe that stand in them."""

    def __init__(self, facts: Facts, sealing: Secrets, public_url: str) -> None:
        self._facts = facts
        self._sealing = sealing
        self._url = public_url.rstrip("/")

    def compose(
        self,
        workspace: Workspace,
        name: str,
        topic: Topic,
        notices: Sequence[Queued],
        recipient: Recipient,
    ) -> Message:
        """A message with these notices of the topic `name`."""
        items = tuple(self._item(queued) for queued in notices)
        leave = (
            f"{self._url}{UNSUBSCRIBE_PATH}{self._seal(Leaving(recipient.id, workspace.id, name))}"
            if name != TEST
            else ""
        )
        subject = _subject(items, workspace, topic)
        sections = [
            (item, Markup(queued.notice.html) if queued.notice.html else None)  # noqa: S704  # made by our own jobs
            for item, queued in zip(items[:SHOWN_MAX], notices, strict=False)
        ]
        others = f"And {len(items) - SHOWN_MAX:,} more." if len(items) > SHOWN_MAX else ""
        return Message(
            id=uuid.uuid4().hex,
            at=now_ms(),
            to=recipient.address,
            secret=b"",
            workspace=workspace.name,
            topic=name,
            subject=subject,
            text=_text(items[:SHOWN_MAX], others, topic, leave),
            html=render(
                "mail.html",
                subject=subject,
                sections=sections,
                others=others,
                topic=topic,
                leave=leave,
                tried=TRIED,
                url=self._url,
            ),
            items=items,
            unsubscribe=leave,
        )

    def leaving(self, text: str) -> Leaving:
        """What an address to unsubscribe is about. Raises NotFound."""
        try:
            return msgspec.json.decode(self._sealing.decrypt(text[:SEALED_MAX]), type=Leaving)
        except (OperatorError, ValueError, msgspec.DecodeError):
            raise NotFound(GONE) from None

    def _seal(self, leaving: Leaving) -> str:
        return self._sealing.encrypt(msgspec.json.encode(leaving))

    def _item(self, queued: Queued) -> Item:
        notice = queued.notice
        project = self._facts.snapshot.projects.get(notice.project)
        base = f"{self._url}/p/{project.slug}" if project else self._url
        return Item(
            at=queued.at,
            project=project.name if project else "",
            title=" ".join(notice.title.splitlines()),  # of what events say, which may break lines
            text=notice.text,
            link=f"{base}/{stepless(quote(notice.link.lstrip('/'), safe=_SAFE))}" if notice.link else "",
        )


def _subject(items: Sequence[Item], workspace: Workspace, topic: Topic) -> str:
    about = items[0].title if len(items) == 1 else f"{topic.title} ({len(items)})"
    places = {item.project for item in items}
    place = places.pop() if len(places) == 1 else ""
    return f"{place or workspace.name}: {about}"


def _text(items: Sequence[Item], others: str, topic: Topic, leave: str) -> str:
    parts = []
    several = len({item.project for item in items}) > 1
    for item in items:
        lines = [f"{item.project}: {item.title}" if several and item.project else item.title, item.text, item.link]
        parts.append("\n".join(line for line in lines if line))
    parts += [others] if others else []
    foot = f'You get this because you follow "{topic.title}". To stop: {leave}' if leave else TRIED
    return "\n\n".join(parts) + f"\n\n-- \n{foot}\n"
