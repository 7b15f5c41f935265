"""Numbers as people read them, by their unit."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from saastracker.report import Number, Unit

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
SMALL = 100  # below it, a count's change is told as a count: "12" says more than "41.4%"


def exact(value: Number, unit: Unit = "count") -> str:  # noqa: PLR0911  # one for each unit
    """A number in full: what tables show."""
    if value is None:
        return MISSING
    match unit:
        case "count":
            return _signed(_count, value)
        case "points":
            return _signed(lambda number: f"{number:.1f}", value)
        case "share":
            return _signed(lambda number: f"{number * 100:.1f}%", value)
        case "days":
            return _signed(lambda number: f"{number:.1f} d".replace(".0 ", " "), value)
        case "seconds":
            return _signed(_duration, value)
        case "milliseconds":
            return _signed(_duration, value / 1000)


def short(value: Number, unit: Unit = "count") -> str:
    """A number in three digits: counts above 10,000 as 12.4k, 384k, 1.28M, hours as 27.4 h."""
    if value is None or unit not in {"count", "seconds"}:
        return exact(value, unit)
    return _signed(_short_count if unit == "count" else _short_duration, value)


def size(value: float) -> str:
    """Bytes in three digits: 980 B, 12.4 kB, 384 MB, 1.28 GB."""
    for unit, letters in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= unit * 0.9995:
            scaled = value / unit
            return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f} {letters}"
    return f"{value:.0f} B"


def whole_share(value: Number) -> str:
    """A share without decimals: what grids show."""
    return MISSING if value is None else f"{value * 100:.0f}%"


class Change(NamedTuple):
    """How a number differs from the one before it."""

    direction: Literal["up", "down", "same"]
    text: str


def change(value: Number, previous: Number, unit: Unit = "count") -> Change | None:
    """The change from `previous`: of counts in per cent, of shares in points, else in the unit itself."""
    if value is None or previous is None:
        return None
    moved = value - previous
    if unit == "share":
        text = f"{abs(moved) * 100:.1f} pt"
    elif unit == "count" and abs(previous) >= SMALL:
        text = f"{abs(moved / previous) * 100:.1f}%"
    else:
        text = short(round(abs(moved), 2) if unit == "count" and abs(previous) >= 1 else abs(moved), unit)
    return Change(_direction(moved), text)


def difference(value: float, unit: Unit = "count") -> Change:
    """A number that is itself a change; of counts to one decimal."""
    moved = round(value, 1) if unit in {"count", "points"} else value
    return Change(_direction(moved), exact(abs(moved), unit))


def _direction(moved: float) -> Literal["up", "down", "same"]:
    return "up" if moved > 0 else "down" if moved < 0 else "same"


def _signed(text: Callable[[float], str], value: float) -> str:
    return MINUS + text(-value) if value < 0 else text(value)


def _count(value: float) -> str:
    if value >= 2**53:  # beyond what a float counts one by one
        return f"{value:.10g}"
    if value == int(value):
        return f"{int(value):,}"
    if value >= 1:
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:.3g}" if value >= 0.0001 else f"{value:.0e}"


def _short_count(value: float) -> str:
    if value >= 2**53:
        return f"{value:.3g}"
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= size and value >= 10_000:
            scaled = value / size
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{scaled:.{digits}f}{letter}"
    return _count(value)


def _short_duration(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.1f} h" if 1 <= hours < 48 else _duration(seconds)


def _duration(seconds: float) -> str:
    """48 ms · 1.9 s · 2.5 min · 11 min · 3 h 05 min · 5.2 d."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    if seconds < 59.95:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    minutes = seconds / 60
    if minutes < 9.95:
        return f"{minutes:.1f} min".replace(".0 ", " ")
    if round(minutes) < 60:
        return f"{minutes:.0f} min"
    if minutes < 48 * 60:
        hours, rest = divmod(round(minutes), 60)
        return f"{hours} h {rest:02} min"
    days = minutes / 1440
    return f"{days:.1f} d" if days < 1_000_000 else f"{days:.3g} d"
