"""What the decoders of all formats share: strict JSON, times, addresses, allowed origins."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import floor, isinf
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit
from uuid import UUID

import msgspec

from saastracker.contracts import Project, Request
from saastracker.errors import Forbidden, Invalid
from saastracker.event import NAME_MAX, PATH_MAX, PROPERTIES_MAX, PROPERTY_KEYS_MAX, YEAR_MS

NESTING_MAX = 32
UUID_MAX = 36  # characters
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1

DETAIL_MAX = 200  # characters of a client's own text that an error repeats
_TOO_DEEP = f"The body nests deeper than {NESTING_MAX} levels."

T = TypeVar("T")

# Every digit as 0, so that a search for zeros finds long numbers at the speed of memmem; a regular
# expression took longer than decoding the event.
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
_EXPONENT = re.compile(rb"0e\+?000+[\s,\]}]")  # the end tells a number from hexadecimal text

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_STRINGS = re.compile(_STRING)
_TOKENS = re.compile(_STRING + rb"|[\[\]{},:]")
_NUMBER = re.compile(rb"[\d.eE+-]+")
_HARMLESS = re.compile(  # up to a string with a NUL, or a number that may be too large
    rb'(?:[^"\d-]++|"(?:[^"\\]++|\\(?!u0000).)*+"|-?\d{1,18}+(?:\.\d++)?+(?:[eE][+-]?\d{1,2}+)?+(?![\d.eE]))*+'
)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_LOCATED = 64 * 1024  # bytes; what stands further in is not named by its path
_HALVES_MAX = 1024 * 1024  # bytes of a body in which halves of surrogate pairs are looked for
_HALF = re.compile(  # group 1; all other escapes match too, so that none is taken for part of the next
    rb"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)", re.IGNORECASE | re.DOTALL
)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """`body` as strict JSON in the decoder's type.

    Raises Invalid that names the field by its path, or the place in the text: UTF-8, nesting up to
    32, integers within 64 bits, finite numbers, no NUL. Of a batch, decode the envelope with
    `decode_envelope` and each element with this, so that one bad event harms no other.
    """
    return _decode(decoder, body, strict=True)


def decode_envelope(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """`body` as JSON whose elements, kept as `msgspec.Raw`, are still to be decoded strictly."""
    try:
        return _decode(decoder, body, strict=False)
    except Invalid:
        mended = _without_halves(body)
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
    return None if _suspect_text(body) or _unbalanced(body) else value


def _decode(decoder: "msgspec.json.Decoder[T]", body: bytes, *, strict: bool) -> T:
    try:
        body.decode()  # msgspec looks only at the texts it decodes, not at those it skips
        value = decoder.decode(body)
        if strict and _suspect(body):
            _check(body)
    except msgspec.ValidationError as error:
        raise Invalid(_sentence(str(error))) from None
    except UnicodeDecodeError as error:
        raise Invalid(f"The body is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise Invalid(_TOO_DEEP) from None
    except msgspec.DecodeError as error:
        raise Invalid(_place(str(error), body)) from None
    return value


def _without_halves(body: bytes) -> bytes:
    """`body` with each half of a surrogate pair as a NUL, by which `decode` then refuses its element alone.

    A script that cuts a text in the middle of an emoji sends such a half, and msgspec refuses all of the body for it.
    """
    if len(body) > _HALVES_MAX:
        return body
    return _HALF.sub(lambda escape: rb"\u0000" if escape[1] else escape[0], body)


def _suspect(body: bytes) -> bool:
    """Whether valid JSON may hold what a store may not; finds too much, never too little."""
    return body.count(b"{") + body.count(b"[") > NESTING_MAX or _suspect_text(body)


def _suspect_text(body: bytes) -> bool:
    if b"\\" in body and b"\\u0000" in body:
        return True
    digits = body.translate(_DIGITS)
    return b"0000000000000000000" in digits or _EXPONENT.search(digits) is not None


def _unbalanced(body: bytes) -> bool:
    """Whether brackets, those in texts too, nest deeper than allowed or do not match."""
    brackets = body.translate(_BRACKETS, _OTHERS)
    for _ in range(NESTING_MAX):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _check(body: bytes) -> None:
    """Raises Invalid if valid JSON nests too deep or holds a NUL, an integer beyond 64 bits or an infinite number.

    It reads the text: values built from a hostile body of 16 MiB would take hundreds of megabytes.
    """
    place = 0
    while (place := _HARMLESS.match(body, place).end()) < len(body):  # type: ignore[union-attr]  # it matches nothing too
        if body[place] == ord('"'):
            raise Invalid(f"{_path(body, place)}: no text may hold a NUL character or half a surrogate pair")
        number = _NUMBER.match(body, place)[0]  # type: ignore[index]  # what is harmful and no string is a number
        if not number.removeprefix(b"-").isdigit():
            if isinf(float(number)):
                raise Invalid(f"{_path(body, place)}: numbers must be finite")
        elif len(number) > 20 or not INTEGER_MIN <= int(number) <= INTEGER_MAX:
            raise Invalid(f"{_path(body, place)}: integers must fit in 64 bits")
        place += len(number)
    if _unbalanced(_STRINGS.sub(b"", body)):
        raise Invalid(_TOO_DEEP)


def _path(body: bytes, place: int) -> str:
    """The path of the value or key at an offset of a JSON text; `$` when that is far in."""
    steps: list[int | bytes] = []
    text = b""
    for token in _TOKENS.findall(body, 0, place if place <= _LOCATED else 0):
        match token:
            case b"[":
                steps.append(0)
            case b"{":
                steps.append(b"")
            case b"]" | b"}":
                steps.pop()
            case b",":
                steps[-1] = steps[-1] + 1 if isinstance(steps[-1], int) else b""
            case b":":
                steps[-1] = text
            case _:
                text = token[1:-1]
    names = (f"[{step}]" if isinstance(step, int) else f".{step.decode()}" for step in steps if step != b"")
    return f"${''.join(names)}"[:DETAIL_MAX]


def _sentence(message: str) -> str:
    """msgspec's message in this project's order: the path first, then what is wrong."""
    text, _, path = message.rpartition(" - at `")
    return f"{path.removesuffix('`')}: {text[:DETAIL_MAX]}" if text else f"$: {message[:DETAIL_MAX]}"


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
    """A JSON object as it was sent, within its limits; None if absent, null or empty."""
    sent = bytes(raw)
    if sent in {b"", b"{}", b"null"}:
        return None
    if sent[0] != _OPEN:
        raise Invalid(f"{path}: Expected `object`")
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
