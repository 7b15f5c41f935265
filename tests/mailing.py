"""A mail server for tests, which keeps what it receives."""

import email
import email.message
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Keeps what it receives, or answers as told."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        self.recipient_answer = "250 OK"
        self.data_answer = "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_answer.startswith("250"):
            self.received.append(envelope)
        return self.data_answer

    def mail(self) -> email.message.EmailMessage:
        """The only one there is."""
        [mail] = self.mails()
        return mail

    def mails(self) -> list[email.message.EmailMessage]:
        """All that came, in order."""
        contents = [envelope.content for envelope in self.received]
        return [
            email.message_from_bytes(each, policy=email.policy.default) for each in contents if isinstance(each, bytes)
        ]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@contextmanager
def serving(mailbox: Mailbox, port: int | None = None, **options: Any) -> Iterator[int]:
    """A server's port, a free one if none is given."""
    port = port or free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
