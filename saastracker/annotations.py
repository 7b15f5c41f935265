"""Annotations: what happened on a day, such as a deploy, marked on every chart over time."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from saastracker.definition import Defined, Definition
from saastracker.errors import Invalid
from saastracker.scope import FIRST_DATE, LAST_DATE

MOST = 2000  # of a project: two deploys a day for three years


class Annotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An annotation as the API takes it."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200, description="Such as Deployed 1.4.2.")]
    at: Annotated[
        str,
        msgspec.Meta(
            max_length=40,
            title="When",
            description="A date such as 2026-11-21, or a time such as 2026-11-21T14:30, on the project's clock unless "
            "it names a zone. Nothing means the moment you save.",
        ),
    ] = ""
    link: Annotated[str, msgspec.Meta(max_length=2048, description="An address such as https://….")] = ""


class Noted(NamedTuple):
    """An annotation at its place on a project's clock."""

    day: date
    hour: int
    text: str
    link: str


def check(annotation: Annotation) -> None:
    """Raises Invalid for what is no time, or no address to link to."""
    if not annotation.text.strip():
        raise Invalid("$.text: Expected `str` of length >= 1")
    if annotation.at:
        at = _read(annotation.at)
        if at is None or not FIRST_DATE < date(at.year, at.month, at.day) < LAST_DATE:
            raise Invalid("$.at: Expected a date such as 2026-11-21 or a time such as 2026-11-21T14:30Z")
    try:
        parts = urlsplit(annotation.link)
    except ValueError:
        parts = urlsplit("")
    if annotation.link and not (parts.scheme in {"http", "https"} and parts.netloc):
        raise Invalid("$.link: Expected an address that begins with https:// or http://")


def noted(defined: Sequence[Defined], timezone: str) -> list[Noted]:
    """The annotations of a project by time."""
    zone = ZoneInfo(timezone)
    found = []
    for each in defined:
        at = _read(each.value.at) if each.value.at else datetime.fromtimestamp(each.created_at / 1000, UTC)
        if isinstance(at, datetime):
            local = at.astimezone(zone) if at.tzinfo else at
            found.append(Noted(local.date(), local.hour, each.value.text, each.value.link))
        elif at is not None:
            found.append(Noted(at, 0, each.value.text, each.value.link))
    return sorted(found, key=lambda each: each[:2])


def _read(text: str) -> date | None:
    """A date, or a datetime, which is one, too."""
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None


ANNOTATION = Definition(
    kind="annotation",
    title="Annotations",
    about="What happened on a day, such as a deploy, marked on every chart over time.",
    struct=Annotation,
    check=check,
    most=MOST,
)
