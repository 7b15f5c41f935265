"""Events as JSON, as tolerant as can be: what a program calls a value is its own business."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

SHOWN_MAX = 1000  # characters of what is told as Python prints it
# What programs put into events by names of their own, in any of the formats.
_OWN = frozenset(("properties", "event_attributes", "event_data", "data", "custom"))
_HASH = re.compile(r"[0-9a-fA-F]{64}")


def encode(fields: Mapping[str, Any]) -> bytes:
    """The fields that are not None as JSON.

    Dates become ISO 8601, sets become arrays, and what JSON does not know its text. Half a surrogate pair, as in
    names of files that are no UTF-8, becomes `?`: a server could not read it. A property that is no JSON, such as NaN
    or what holds itself, is told as Python prints it. Raises what values of other fields raise.
    """
    fields = {name: value for name, value in fields.items() if value is not None}
    try:
        return _json(fields)
    except Exception:  # values may raise anything
        return _json(_readable(fields))


def _json(value: object) -> bytes:
    text = json.dumps(
        value,
        default=_plain,
        allow_nan=False,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return text.encode("utf-8", "replace")


def _readable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with properties that are no JSON as text."""
    return {
        name: (_texts if name in _OWN else _readable)(value) if isinstance(value, Mapping) else value
        for name, value in fields.items()
    }


def _texts(properties: Mapping[Any, Any]) -> dict[Any, Any]:
    return {
        key if _is_json({key: 0}) else shown(key): value if _is_json(value) else shown(value)
        for key, value in properties.items()
    }


def _is_json(value: object) -> bool:
    try:
        _json(value)
    except Exception:
        return False
    return True


def _plain(value: object) -> object:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return list(value) if isinstance(value, set | frozenset) else str(value)


def iso(moment: datetime | None) -> str:
    """A moment, or now, in UTC to the millisecond. One without a zone is local time, as everywhere in Python."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def epoch(moment: datetime | None) -> float:
    """Seconds since 1970 of a moment, or of now."""
    return (moment or datetime.now(UTC)).timestamp()


def hashed(person: str) -> str:
    """The SHA-256 of an id in hex; 64 hexadecimal digits are taken for such a hash already."""
    return person.lower() if _HASH.fullmatch(person) else hashlib.sha256(person.encode()).hexdigest()


def shown(value: object) -> str:
    """As Python prints it, whatever it is, cut to what a page can show."""
    try:
        return repr(value)[:SHOWN_MAX]
    except Exception:  # its own __repr__, or it is too deep
        return f"<{type(value).__name__}>"
