"""What the decoders of all formats share: strict JSON, times, addresses, allowed origins."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit
from uuid import UUID

import msgspec

from saastracker import strict as strict_json
from saastracker.errors import Forbidden, Invalid
from saastracker.event import NAME_MAX, PATH_MAX, PROPERTIES_MAX, PROPERTY_KEYS_MAX, VALUE_MAX, YEAR_MS
from saastracker.wire import Project, Request

UUID_MAX = 36  # characters
EVENT_MAX = 256 * 1024  # bytes of one event, of which properties may take 32 KiB; more would hold up all others

Value: TypeAlias = Annotated[float, msgspec.Meta(ge=-VALUE_MAX, le=VALUE_MAX)]  # of an event

T = TypeVar("T")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """`body` as strict JSON in the decoder's type.

    Raises Invalid that names the field by its path, or the place in the text: UTF-8, nesting up to
    32, integers within 64 bits, finite numbers, no NUL. Of a batch, decode the envelope with
    `decode_envelope` and each element with this, so that one bad event harms no other.
    """
    if len(body) > EVENT_MAX:
        raise Invalid(f"$: one event takes at most {EVENT_MAX} bytes")
    return _decode(decoder, body, strict=True)


def decode_envelope(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """`body` as JSON whose elements, kept as `msgspec.Raw`, are still to be decoded strictly."""
    try:
        return _decode(decoder, body, strict=False)
    except Invalid:
        mended = strict_json.without_halves(body)
        if mended == body:
            raise
    return _decode(decoder, mended, strict=False)


def decode_batch(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T | None:
    """A whole batch at once, in a type that keeps no part of it as sent; None if anything in it is wrong.

    Looking at a batch once costs a fifth of looking at each element. Which element is wrong is for
    `decode_envelope` and `decode` to find.
    """
    try:
        body.decode()
        value = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if strict_json.suspect_text(body) or strict_json.unbalanced(body) else value


def _decode(decoder: "msgspec.json.Decoder[T]", body: bytes, *, strict: bool) -> T:
    try:
        body.decode()  # msgspec looks only at the texts it decodes, not at those it skips
        value = decoder.decode(body)
        if strict and strict_json.suspect(body):
            strict_json.check(body)
    except msgspec.ValidationError as error:
        raise Invalid(_sentence(str(error))) from None
    except UnicodeDecodeError as error:
        raise Invalid(f"The body is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise Invalid(strict_json.TOO_DEEP) from None
    except msgspec.DecodeError as error:
        raise Invalid(_place(str(error), body)) from None
    return value


def _sentence(message: str) -> str:
    """msgspec's message in this project's order: the path first, then what is wrong."""
    text, _, path = message.rpartition(" - at `")
    return (
        f"{path.removesuffix('`')}: {text[: strict_json.DETAIL_MAX]}"
        if text
        else f"$: {message[: strict_json.DETAIL_MAX]}"
    )


def _place(message: str, body: bytes) -> str:
    match = re.search(r"\(byte (\d+)\)", message)
    offset = int(match[1]) if match else len(body)
    line = body.count(b"\n", 0, offset) + 1
    column = offset - (body.rfind(b"\n", 0, offset) + 1) + 1
    what = message.partition(" (byte")[0].removeprefix("JSON is malformed: ")
    return f"The body is not valid JSON: {what}, line {line} column {column}."


_OPEN = ord("{")
ABSENT = msgspec.Raw()  # the default of a field kept as sent: msgspec has no `Raw | None`


def properties(raw: msgspec.Raw, path: str) -> str | None:
    """A JSON object as it was sent, its keys in plain letters, within its limits; None if absent, null or empty."""
    sent = bytes(raw)
    if sent in {b"", b"{}", b"null"}:
        return None
    if sent[0] != _OPEN:
        raise Invalid(f"{path}: Expected `object`")
    if b"\\" in sent:  # JSON may write a letter of a key as \u0063, by which SQLite would not find it
        sent = msgspec.json.encode(_object.decode(sent))
    text = sent.decode()
    check_size(text, path)
    return text


def check_size(text: str, path: str) -> None:
    """Raises Invalid if an encoded object is over 32 KiB or 255 top-level keys."""
    if len(text) * 4 > PROPERTIES_MAX and len(text.encode()) > PROPERTIES_MAX:
        raise Invalid(f"{path}: at most {PROPERTIES_MAX} bytes")
    if text.count(":") > PROPERTY_KEYS_MAX and len(_object.decode(text)) > PROPERTY_KEYS_MAX:
        raise Invalid(f"{path}: at most {PROPERTY_KEYS_MAX} keys")


def encode_properties(values: Mapping[str, Any], path: str) -> str | None:
    """A dict as properties, within their limits; None if empty. Values may be `msgspec.Raw`."""
    if not values:
        return None
    text = msgspec.json.encode(values).decode()
    check_size(text, path)
    return text


def number(value: Any) -> float | None:
    """A value of JSON as that of an event; None if it is none."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and -VALUE_MAX <= value <= VALUE_MAX
    return float(value) if fits else None


def check_time(ms: int, now: int, path: str) -> int:
    """Raises Invalid unless `ms` lies between 1970-01-01 and one year after `now`."""
    if 0 <= ms <= now + YEAR_MS:
        return ms
    raise Invalid(f"{path}: must lie between 1970-01-01 and one year ahead")


def iso_time(text: str, now: int, path: str) -> int:
    """An ISO 8601 time as milliseconds; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        ms = floor(moment.timestamp() * 1000 + 0.5)
    except (ValueError, OverflowError):
        raise Invalid(f"{path}: Expected an ISO 8601 time such as `2026-05-06T12:34:56Z`") from None
    return check_time(ms, now, path)


@lru_cache(4096)
def _canonical(text: str) -> str:
    return str(UUID(text))


def uuid_text(text: str, path: str) -> str:
    """A UUID in its usual form. Raises Invalid."""
    try:
        return _canonical(text)
    except ValueError:
        raise Invalid(f"{path}: Invalid UUID") from None


def clip(text: str | None, limit: int = PATH_MAX) -> str | None:
    """The first `limit` characters; None if absent or empty."""
    return text[:limit] if text else None


def identifier(value: Any, path: str) -> str | None:
    """An id sent as text or number, as text; None if absent or empty. Raises Invalid over 255 characters."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # some clients send every number as a float
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    elif value is not None and not isinstance(value, str):
        raise Invalid(f"{path}: Expected text or a number")
    if value and len(value) > NAME_MAX:
        raise Invalid(f"{path}: at most {NAME_MAX} characters")
    return value or None


def _split(url: str | None) -> SplitResult | None:
    try:
        return urlsplit(url) if url else None
    except ValueError:  # an unclosed bracket in the host
        return None


def url_path(url: str | None) -> str | None:
    """The path of a URL without query and fragment, `/` if it names only a host."""
    parts = _split(url)
    if parts is None or not (parts.path or parts.netloc):
        return None
    return clip(parts.path or "/")


def plain_path(path: str | None) -> str | None:
    """A path without its query and fragment."""
    return clip(path.partition("?")[0].partition("#")[0]) if path else None


def url_host(url: str | None) -> str | None:
    """The host of a URL in lower case, without port and user; None if it has none."""
    parts = _split(url)
    if parts is None or "\\" in parts.netloc:  # to browsers a backslash ends the host, to urlsplit it does not
        return None
    return parts.hostname.lower() if parts.hostname else None


def url_campaign(url: str | None) -> dict[str, str]:
    """The `utm_…` parameters of a URL without that prefix."""
    parts = _split(url)
    if parts is None or "utm_" not in parts.query:
        return {}
    try:
        pairs = parse_qsl(parts.query, max_num_fields=100)
    except ValueError:
        return {}
    return {key[4:]: value[:PATH_MAX] for key, value in pairs if key.startswith("utm_") and value and "\0" not in value}


def check_origin(request: Request, project: Project, url: str | None) -> None:
    """Raises Forbidden unless the project lists no origins, or the host of `url`, else of `Origin`.

    `*.example.com` stands for every host below example.com, not for example.com itself. Only the
    parsed host counts, so no suffix, user or query can pass for it.
    """
    if not project.origins:
        return
    host = url_host(url) or url_host(request.header(b"origin"))
    if host is None:
        raise Forbidden("This project lists its origins: send `url` or an Origin header.")
    for allowed in project.origins:
        if host == allowed or (allowed.startswith("*.") and host.endswith(allowed[1:])):
            return
    raise Forbidden(f"Origin {host[:255]} is not among the project's origins.")
