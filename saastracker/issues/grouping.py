"""The issue an error event belongs to: a key that is the same for all events with the same cause."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from saastracker.event import Event
from saastracker.issues.stacks import Frame, frames

NAMES = frozenset({"error", "exception"})  # what makes an event an error whatever its type
TYPE = "error"
VERSION = "1"  # of the rules below; keys of another version are other issues
FRAMES = 3  # own calls that tell causes apart; further down callers differ
MESSAGE_MAX = 1000  # characters that are looked at
TITLE_MAX = 200
KEY = re.compile(r"[0-9a-z]{1,8}-[0-9a-f]{20}")

# What clients call it.
_TYPES = ("type", "error_type", "exception_type")
_MESSAGES = ("message", "error_message")
_STACKS = ("stack", "stacktrace", "stack_trace", "backtrace", "traceback")

# All become the same sign: a number of eight digits is a hexadecimal one too.
_VARYING = re.compile(
    r"""
    [a-z][a-z0-9+.-]{1,20}://[^\s"'<>)\]]+                                # URL
    | [\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}                     # e-mail
    | \b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b                     # UUID
    | "[^"]*" | `[^`]*` | “[^”]*” | «[^»]*» | (?<!\w)['\u2018][^'\u2019]*['\u2019](?!\w) # quoted text
    | (?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})(?![\w:])  # IPv6, times of day
    | (?<!\d)\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[ ]?[+-]\d\d:?\d\d)?)?  # date
    | 0x[0-9a-f]+ | \b(?=[a-f]*\d)[0-9a-f]{8,}\b                          # hexadecimal
    | (?<![\w.])[+-]?\d+(?:[.,:/-]\d+)*(?:e[+-]?\d+)?                      # number, IPv4, other dates
    | \d+(?:[.,]\d+)*
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Failure(NamedTuple):
    """What an error event says went wrong; texts are empty where it does not."""

    name: str  # of the event
    type: str
    message: str  # the first line
    signature: str
    frames: Sequence[Frame]  # newest first
    scene: str

    @property
    def top(self) -> list[Frame]:
        """The newest calls of the product itself, each once in a row; of anyone where it has none."""
        own = [frame for frame in self.frames if frame.own] or list(self.frames)
        calls = [frame for place, frame in enumerate(own) if not place or frame[:2] != own[place - 1][:2]]
        return calls[:FRAMES]

    @property
    def title(self) -> str:
        """One line for people."""
        # An event's name says less than the message.
        kind = "" if self.message.startswith(self.type) or (self.message and self.type == self.name) else self.type
        said = ": ".join(filter(None, (kind, self.message))) or self.signature or self.name
        return " ".join(said.split())[:TITLE_MAX]


def is_error(event: Event) -> bool:
    return event.type == TYPE or event.name in NAMES


def failure(name: str, properties: str | None) -> Failure:
    """Reads an error event. Never raises: clients send anything."""
    try:
        sent = msgspec.json.decode(properties or "{}")
    except (msgspec.DecodeError, RecursionError):
        sent = {}
    if not isinstance(sent, dict):
        sent = {}
    stack = _text(sent, _STACKS)
    message = _first_line(_text(sent, _MESSAGES) or _headline(stack))
    kind = _text(sent, _TYPES) or ("" if name in NAMES else name)
    return Failure(name, kind[:TITLE_MAX], message, _text(sent, ("signature",)), frames(stack), _text(sent, ("scene",)))


def key(error: Failure) -> str:
    """The key of version 1: the client's signature, else the type, the normalised message and the top calls."""
    if error.signature:
        return hashed(VERSION, "signature", error.signature)
    calls = [f"{frame.module}:{frame.function}" for frame in error.top]
    return hashed(VERSION, "calls" if calls else "message", error.type, normalised(error.message), *calls)


def hashed(version: str, *parts: str) -> str:
    """A key from the parts that tell issues apart."""
    return f"{version}-{hashlib.blake2b(msgspec.json.encode(parts), digest_size=10).hexdigest()}"


def normalised(message: str) -> str:
    """A message without what differs from event to event."""
    return " ".join(_VARYING.sub("#", _first_line(message)).split())


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:MESSAGE_MAX]


def _headline(stack: str) -> str:
    """The message of a stack sent without one: before the first call, or after a Python traceback."""
    lines = [line for line in stack.splitlines() if line.strip()]
    if not lines:
        return ""
    told = lines[-1] if lines[0].startswith("Traceback ") else lines[0]
    if ":" not in told or told.startswith((" ", "\t", "goroutine ")) or frames(told):
        return ""
    return told


def _text(sent: dict[str, Any], names: Sequence[str]) -> str:
    """The first of some properties that holds text; a list of lines counts as one."""
    for name in names:
        value = sent.get(name)
        if isinstance(value, list):
            value = "\n".join(line for line in value if isinstance(line, str))
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and value.strip():
            return value
    return ""
