"""The channel "webhook": messages to programs as signed JSON, by POST to addresses that admins add."""

import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from saastracker.channel import Channel, Message
from saastracker.contracts import Config
from saastracker.errors import Invalid, Refusal, Unavailable
from saastracker.hookspecs import hookimpl
from saastracker_webhook.calling import post
from saastracker_webhook.targets import Target, addresses, read

LATER = (408, 425, 429)  # statuses beside those from 500 on after which trying again may help


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`[plugin.webhook]`."""

    allow_http: Annotated[bool, msgspec.Meta(description="whether webhooks may go to `http://` addresses")] = False
    allow_private: Annotated[
        bool,
        msgspec.Meta(
            description="whether webhooks may go to private, loopback and other addresses that are not public"
        ),
    ] = False


class Webhook:
    """One request per message; what it answers is read no further than its status."""

    name = "webhook"
    title = "Webhook"
    personal = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(self, address: str) -> str:
        target = self._read(address)
        try:
            self._addresses(target)
        except Refusal as refusal:
            raise Invalid(refusal.detail, reason="address") from None
        return target.url

    def send(self, message: Message) -> None:
        target = self._read(message.to)
        found = self._addresses(target)  # it may have moved since it was added, into the own network too
        body = msgspec.json.encode(payload(message))
        at = str(int(time.time()))
        headers = {
            "content-type": "application/json",
            "user-agent": "saastracker-webhook",
            "saastracker-id": message.id,
            "saastracker-timestamp": at,
            "saastracker-signature": f"v1={sign(message.secret, at, body)}",
        }
        _judge(post(target, found, body, headers))

    def _read(self, address: str) -> Target:
        return read(address, http=self._settings.allow_http)

    def _addresses(self, target: Target) -> Sequence[str]:
        return addresses(target, private=self._settings.allow_private)


def payload(message: Message) -> dict[str, object]:
    """What is sent, as JSON has it; times are UTC in ISO 8601."""
    return {
        "id": message.id,
        "at": _iso(message.at),
        "topic": message.topic,
        "workspace": message.workspace,
        "subject": message.subject,
        "items": [
            {"at": _iso(item.at), "project": item.project, "title": item.title, "text": item.text, "link": item.link}
            for item in message.items
        ],
    }


def sign(secret: bytes, at: str, body: bytes) -> str:
    """Hex HMAC-SHA256 of `{at}.{body}`; `at` in seconds."""
    return hmac.new(secret, at.encode() + b"." + body, hashlib.sha256).hexdigest()


def _judge(status: int) -> None:
    """Raises Unavailable, Refusal."""
    if 200 <= status < 300:
        return
    if status in LATER or status >= 500:
        raise Unavailable(f"The address answered {status}.")
    if 300 <= status < 400:
        raise Refusal(f"The address answered {status}, and redirects are not followed: add where it leads to.")
    raise Refusal(f"The address answered {status}.")


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@hookimpl
def channels(config: Config) -> Sequence[Channel]:
    return [Webhook(config.plugin("webhook", Settings))]
