"""What sessions add up to, counted plainly over the raw events, and the same as reports read it."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from saastracker.contracts import Reader
from saastracker.dwell import dwell
from saastracker.event import Event
from saastracker.scope import Scope, Span
from saastracker.sums import landings, lengths
from tests.index.slow_index import EPOCH, local
from tests.index.visiting import every

EVER = date(1969, 12, 1), date(2028, 1, 1)
NOW = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000)


class Sums(NamedTuple):
    lengths: Counter[Any]  # sessions by release, milliseconds, events, whether they bounced, and day
    landings: dict[str, tuple[int, int, int]]  # entries, exits and bounced of each path
    dwells: Counter[Any]  # page views by path and milliseconds until the next event


def counted(
    sent: Sequence[Event], zone: str, environment: str | None = None, between: tuple[date, date] = EVER
) -> Sums:
    """From the events in the order of their arrival."""

    def inside(event: Event) -> bool:
        return between[0] <= local(event, zone).date() <= between[1]

    sessions = every(sent, environment)
    begun = [session for session in sessions if inside(session.events[0])]
    viewed = [session for session in begun if session.pages]
    entries = Counter(session.pages[0].path or "" for session in viewed)
    exits = Counter(session.pages[-1].path or "" for session in viewed)
    bounced = Counter(session.pages[0].path or "" for session in viewed if session.bounced)
    return Sums(
        Counter(
            (
                session.events[0].release or "",
                round(session.seconds * 1000),
                len(session.events),
                int(session.bounced),
                local(session.events[0], zone).date().toordinal() - EPOCH,
            )
            for session in begun
        ),
        {path: (entries[path], exits[path], bounced[path]) for path in entries | exits},
        Counter(
            (event.path, min((after.time or 0) - (event.time or 0), 1_800_000))
            for session in sessions
            for event, after in zip(session.events, session.events[1:], strict=False)
            if event.type == "pageview" and event.path and inside(event)
        ),
    )


def read(
    reader: Reader, project: str, zone: str, environment: str | None = None, between: tuple[date, date] = EVER
) -> Sums:
    """The same from an index."""
    query = f"environment={environment}" if environment else ""
    scope = Scope.parse(query, project=project, timezone=zone, now=NOW)
    actors, span = reader.actors(project), Span(*between, zone)
    told, landed = lengths(reader, scope, actors, span), landings(reader, scope, actors, span).by_path()
    stays = dwell(reader, scope, actors, span)
    texts = {0: "", **reader.texts(sorted({*told.release.tolist(), *landed, *stays.path.tolist()}))}
    columns = (getattr(told, name).tolist() for name in told.__struct_fields__)
    return Sums(
        Counter((texts[release], *of_session) for release, *of_session in zip(*columns, strict=True)),
        {texts[path]: of_path for path, of_path in landed.items()},
        Counter((texts[path], time) for path, time in zip(stays.path.tolist(), stays.time.tolist(), strict=True)),
    )
