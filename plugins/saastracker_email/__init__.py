"""The channel "email": messages to people by SMTP, as text and HTML."""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, formataddr, parseaddr
from typing import Annotated, Literal

import msgspec

from saastracker.channel import Channel, Message
from saastracker.contracts import Config
from saastracker.errors import Invalid, OperatorError, Refusal, Unavailable
from saastracker.hookspecs import hookimpl

SECONDS = 30.0  # for each step of a conversation
UNSUBSCRIBE = "List-Unsubscribe"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[plugin.email]`; without a host no mail is sent."""

    host: Annotated[str, msgspec.Meta(description="mail server; empty: no mail is sent")] = ""
    port: Annotated[int, msgspec.Meta(description="its port")] = 587
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        msgspec.Meta(description="`tls` from the first byte, mostly on port 465"),
    ] = "starttls"
    username: Annotated[str, msgspec.Meta(description="the login, if it wants one")] = ""
    password: Annotated[str, msgspec.Meta(description='its password; better `{ env = "SMTP_PASSWORD" }`')] = ""
    sender: Annotated[str, msgspec.Meta(description="who mail is from: `saastracker <analytics@example.com>`")] = ""


class Email:
    """One conversation with the server per message."""

    name = "email"
    title = "E-mail"
    personal = True

    def __init__(self, settings: Settings) -> None:
        """Raises OperatorError for a sender that is no address, and for a login that would cross the net as it is."""
        _, self._address = parseaddr(settings.sender)
        if "@" not in self._address:
            raise OperatorError(
                f'plugin.email.sender: found "{settings.sender}"; give who mail is from, '
                'such as "saastracker <analytics@example.com>"'
            )
        if settings.username and settings.tls == "none":
            raise OperatorError('plugin.email.tls: a login needs "starttls" or "tls"; leave username empty without')
        self._settings = settings
        self._context = ssl.create_default_context()

    def check(self, address: str) -> str:
        raise Invalid(f"People choose for themselves what is sent to {address[:254]}.", reason="address")

    def send(self, message: Message) -> None:
        mail = compose(message, self._settings.sender, self._address)
        try:
            with self._session() as session:
                session.send_message(mail, from_addr=self._address, to_addrs=[message.to])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _refusal(code, said) from error
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refusal(f"The mail server lacks what is asked of it: {error}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"The mail server cannot be reached: {_reason(error)}") from error

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        if settings.tls == "tls":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, timeout=SECONDS, context=self._context
            )
        else:
            session = smtplib.SMTP(settings.host, settings.port, timeout=SECONDS)
        with session:
            if settings.tls == "starttls":
                session.starttls(context=self._context)
            if settings.username:
                session.login(settings.username, settings.password)
            yield session


class _Policy(EmailPolicy):
    """Addresses stay whole: Python folds long ones by encoding them, and mail programs find none in that."""

    def fold_binary(self, name: str, value: str) -> bytes:
        return f"{name}: {value}{self.linesep}".encode() if name == UNSUBSCRIBE else super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n")


def compose(message: Message, sender: str, address: str) -> EmailMessage:
    """The mail as it goes out, with one-click unsubscribing (RFC 8058)."""
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = message.subject
    mail["From"] = formataddr(parseaddr(sender))
    mail["To"] = message.to
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at / 1000, UTC))
    mail["Message-ID"] = f"<{message.id}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.unsubscribe:
        mail[UNSUBSCRIBE] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _refusal(code: int, said: bytes | str) -> Refusal:
    """Codes from 500 on stay; with those below, and a login that is refused now, it may work later."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    told = f"The mail server answered {code} {' '.join(text.split())[:300]}"
    return Unavailable(told) if code < 500 or code in {530, 534, 535} else Refusal(told)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


@hookimpl
def channels(config: Config) -> Sequence[Channel] | None:
    settings = config.plugin("email", Settings)
    return [Email(settings)] if settings.host else None
