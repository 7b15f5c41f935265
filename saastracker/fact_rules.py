"""What names, time zones and origins may be, and how a project gets its address."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from zoneinfo import available_timezones

from saastracker.errors import OperatorError
from saastracker.event import NAME_MAX
from saastracker.wire import Project

SLUG_MAX = 60  # characters
ORIGINS_MAX = 100  # of one project
HOST_MAX = 253  # characters
RATE_MAX = 100_000  # requests a second
KEEP_DAYS_MAX = 36_500
HOST = r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*"
# What no eye sees, or turns text around: controls, blanks other than the space, marks of direction.
UNSEEN = (
    "\x00-\x1f\x7f-\xa0\xad\u061c\u115f\u1160\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufeff"
    "\ufff0-\uffff"
)
NAME = f"^[^ {UNSEEN}]([^{UNSEEN}]*[^ {UNSEEN}])?$"
_HOST = re.compile(HOST)
_NAME = re.compile(NAME.replace(UNSEEN, f"{UNSEEN}\ud800-\udfff").removesuffix("$"))


class WrongField(OperatorError):
    """One field breaks its rule."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@cache
def timezones() -> frozenset[str]:
    """The names a time zone may have."""
    # Not what ZoneInfo opens: that takes files of leap seconds and of this machine's own zone too, browsers do not.
    return frozenset(available_timezones() - {"Factory", "localtime"})


def check_name(name: str) -> str:
    """The name as it is kept. Raises WrongField."""
    kept = name.strip()
    if not is_name(kept):
        raise WrongField("name", f"A name has 1 to {NAME_MAX} printable characters; found {name[:NAME_MAX]!r}")
    return kept


def is_name(text: str) -> bool:
    """Whether a text can be a name, of people too."""
    return len(text) <= NAME_MAX and _NAME.fullmatch(text) is not None


def check_timezone(zone: str) -> str:
    """Raises WrongField."""
    if zone not in timezones():
        raise WrongField("timezone", f"Unknown time zone {zone!r}; use a name such as Europe/Berlin or UTC")
    return zone


def check_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """The hosts as they are kept. Raises WrongField."""
    if len(origins) > ORIGINS_MAX:
        raise WrongField("origins", f"A project has at most {ORIGINS_MAX} origins; use one such as *.example.com")
    return tuple(map(_check_origin, origins))


def check_rate(rate: int | None) -> int | None:
    """Raises WrongField."""
    if rate is not None and not 1 <= rate <= RATE_MAX:
        raise WrongField("rate", f"A key may send 1 to {RATE_MAX} requests a second, or any number; found {rate}")
    return rate


def check_keep_days(days: int | None) -> int | None:
    """Raises WrongField."""
    if days is not None and not 1 <= days <= KEEP_DAYS_MAX:
        raise WrongField("keep_days", f"Keep events for 1 to {KEEP_DAYS_MAX} days, or all; found {days}")
    return days


def _check_origin(origin: str) -> str:
    host = origin.strip().lower()
    if len(host) > HOST_MAX or not _HOST.fullmatch(host):
        raise WrongField("origins", f"Wrong origin {origin!r}; use a host such as app.example.com or *.example.com")
    return host


def free_slug(name: str, taken: Mapping[str, Project]) -> str:
    """The name in lower-case ASCII letters, digits and hyphens, with a number where it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_MAX].strip("-") or "project"
    number, free = 1, slug
    while free in taken:
        number += 1
        free = f"{slug}-{number}"
    return free
