"""Times and JSON as people read them."""

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup, escape

from saastracker.web.numbers import MISSING


def moment(ms: int, timezone: str, now: int) -> str:
    """The time of day today, with the day this year, with the year before."""
    at, today = (datetime.fromtimestamp(value / 1000, UTC).astimezone(ZoneInfo(timezone)) for value in (ms, now))
    if at.date() == today.date():
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
    return f"{at.day} {at:%b %H:%M:%S}" if at.year == today.year else f"{at.day} {at:%b %Y %H:%M}"


def when(ms: int, timezone: str, now: int) -> str:
    """Now, minutes within the hour, 14:31 today, 18 Nov this year, 12 Mar 2024 before."""
    at, today = (datetime.fromtimestamp(value / 1000, UTC).astimezone(ZoneInfo(timezone)) for value in (ms, now))
    if 0 <= now - ms < 3_600_000:
        return f"{(now - ms) // 60_000} min" if now - ms >= 60_000 else "now"
    if at.date() == today.date():
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}" if at.year == today.year else f"{at.day} {at:%b %Y}"


def minute(ms: int, timezone: str, now: int) -> str:
    """14:31 today, 18 Nov 14:31 this year, 12 Mar 2024 14:31 in another."""
    at, today = (datetime.fromtimestamp(value / 1000, UTC).astimezone(ZoneInfo(timezone)) for value in (ms, now))
    if at.date() == today.date():
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b %H:%M}" if at.year == today.year else f"{at.day} {at:%b %Y %H:%M}"


def day(at: date, year: int) -> str:
    """18 Nov in this `year`, 12 Mar 2024 in another."""
    return f"{at.day} {at:%b}" if at.year == year else f"{at.day} {at:%b %Y}"


def days(first: date, last: date, year: int) -> str:
    """A span of dates: 22 Oct to 20 Nov, with an en dash; with years where they are not all this `year`."""
    if first == last:
        return day(first, year)
    same = first.year == last.year
    return f"{day(first, last.year)} {MISSING} {day(last, year if same else first.year)}"


def month_name(month: str) -> str:
    """2026-11 as November 2026."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def year(ms: int, timezone: str) -> int:
    """The year that a time lies in."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(timezone)).year


_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(:)?|(-?\b\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b)')


def json_markup(value: dict[str, Any]) -> Markup:
    """Indented JSON with its keys, texts and numbers marked."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    parts, end = [], 0
    for token in _TOKEN.finditer(text):
        kind = "j-n" if token[3] else "j-k" if token[2] else "j-s"
        between, told = escape(text[end : token.start()]), escape(token[1] or token[3])
        parts.append(f'{between}<span class="{kind}">{told}</span>{token[2] or ""}')
        end = token.end()
    return Markup("".join([*parts, escape(text[end:])]))  # noqa: S704  # its parts are escaped above
