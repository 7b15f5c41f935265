"""One event as every stage knows it, and the limits it keeps."""

import hashlib

import msgspec

NAME_MAX = 255  # characters; names and ids
PATH_MAX = 2048  # characters; paths and URLs are cut here
VALUE_MAX = 1e300  # either way: sums of a hundred million values are finite, which stores and charts cannot do without
PROPERTIES_MAX = 32 * 1024  # bytes of encoded JSON
PROPERTY_KEYS_MAX = 255  # top-level keys
ENVIRONMENT_MAX = 32  # characters
PLAN_MAX = 64  # characters
YEAR_MS = 366 * 24 * 3600 * 1000  # how far ahead of the server a client's clock may be

TYPES = (
    "pageview",
    "identify",
    "vital",
    "error",
    "custom",
    "progression",
    "design",
    "resource",
    "session",
)

_TYPE_BY_NAME = {
    "page_view": "pageview",
    "pageview": "pageview",
    "$pageview": "pageview",
    "user_identify": "identify",
    "group": "identify",
    "error": "error",
    "exception": "error",
}


def type_of(name: str) -> str:
    """The type of an event whose format does not send one."""
    return _TYPE_BY_NAME.get(name, "custom")


class Event(msgspec.Struct, kw_only=True, gc=False):
    """What happened, once; all that later stages know about it.

    Formats fill it from the request, enrichers add what they look up, the writer settles
    `received_at` and `session`, the store hands out `sequence`. Times are integer milliseconds
    since 1970 UTC. Text is non-empty or None.
    """

    name: str
    type: str = "custom"
    time: int | None = None  # the client's; None means: when received
    user: str | None = None
    anonymous: str | None = None
    org: str | None = None
    session: str | None = None
    path: str | None = None
    environment: str = "production"
    release: str | None = None
    plan: str | None = None
    value: float | None = None
    referrer: str | None = None  # host only
    source: str | None = None  # utm_source
    medium: str | None = None  # utm_medium
    campaign: str | None = None  # utm_campaign
    country: str | None = None  # ISO 3166-1 alpha-2
    browser: str | None = None
    os: str | None = None
    device: str | None = None
    properties: str | None = None  # JSON object as text
    traits: str | None = None  # JSON object {"user": {...}, "company": {...}}, what identify events teach
    id: bytes | None = None  # 16 bytes, see `identity`; None when the client sent no id
    received_at: int = 0
    sequence: int = 0  # in order of arrival; 0 until stored

    # Only on the way in, for enrichers; never stored.
    user_agent: str | None = None
    address: str | None = None  # the client's IP address
    host: str | None = None  # of the page's address
    drop: str | None = None  # set by an enricher: acknowledged, not stored, counted under this reason


def identity(event_id: str, person: str | None, time: int | None) -> bytes:
    """The 16 bytes by which an event with a client's own id is stored once per project.

    The id alone is not enough: one real SDK's ids hold 40 random bits.
    """
    text = f"{event_id}\x00{person or ''}\x00{'' if time is None else time}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
