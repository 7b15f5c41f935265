"""Numbers, times and JSON as people read them."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup, escape

MISSING = "\N{EN DASH}"


def number(value: float | None) -> str:
    """Exact, with commas: what tables show."""
    if value is None:
        return MISSING
    text = f"{int(value):,}" if value == int(value) and abs(value) < 2**53 else f"{value:,.10g}"
    return text.replace("-", "\N{MINUS SIGN}")


def short_number(value: int) -> str:
    """8,412 in full, above 10,000 three digits: 12.4k, 384k, 1.28M."""
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= size and value >= 10_000:
            scaled = value / size
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{scaled:.{digits}f}{unit}"
    return f"{value:,}"


def moment(ms: int, timezone: str, now: int) -> str:
    """The time of day today, with the day this year, with the year before."""
    at, today = (datetime.fromtimestamp(value / 1000, UTC).astimezone(ZoneInfo(timezone)) for value in (ms, now))
    if at.date() == today.date():
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
    return f"{at.day} {at:%b %H:%M:%S}" if at.year == today.year else f"{at.day} {at:%b %Y %H:%M}"


def days(first: Any, last: Any) -> str:
    """A span of dates: 22 Oct to 20 Nov, with an en dash."""
    if first == last:
        return f"{first.day} {first:%b}"
    year = f" {first.year}" if first.year != last.year else ""
    end = f" {last.year}" if year else ""
    return f"{first.day} {first:%b}{year} {MISSING} {last.day} {last:%b}{end}"


_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(:)?|(-?\b\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b)')


def json_markup(value: dict[str, Any]) -> Markup:
    """Indented JSON with its keys, texts and numbers marked."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    parts, end = [], 0
    for token in _TOKEN.finditer(text):
        parts.append(escape(text[end : token.start()]))
        kind = "j-n" if token[3] else "j-k" if token[2] else "j-s"
        parts.append(Markup('<span class="{}">{}</span>{}').format(kind, token[1] or token[3], token[2] or ""))
        end = token.end()
    return Markup("").join([*parts, escape(text[end:])])
