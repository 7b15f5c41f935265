"""Channel: a way to reach people or programs, and the message it carries."""

from typing import Protocol

import msgspec


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One notice within a message."""

    at: int
    project: str  # slug; "" where it is about the whole workspace
    title: str
    text: str
    link: str = ""  # an address


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to one recipient at once: one notice, or several of the same topic."""

    id: str  # the same when it is tried again
    at: int  # when it was made
    to: str  # the recipient's address: an e-mail address, or what the channel's `check` took
    secret: bytes  # of a destination, to sign with; empty for people
    workspace: str  # name
    topic: str
    subject: str
    text: str
    html: str  # a whole document without scripts and without anything to load
    items: tuple[Item, ...]
    # An address that takes the recipient off this topic, by GET for people, by POST at once; empty: they follow none.
    unsubscribe: str


class Channel(Protocol):
    """Sends messages; called on a job's thread, one after the other."""

    name: str
    title: str
    personal: bool  # whether it writes to people by their e-mail addresses; if not, to destinations that admins add

    def check(self, address: str) -> str:
        """A destination's address as it is kept. Raises Invalid, saying what it has to look like."""

    def send(self, message: Message) -> None:
        """Return once the message is handed over.

        Raises Unavailable if trying again later may help, and another Refusal if it will not. Both say why in
        words that may be shown.
        """
