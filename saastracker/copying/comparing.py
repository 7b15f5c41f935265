"""The events of two stores side by side: every one is compared, and what one of them erased is found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TypeAlias

import msgspec

from saastracker.contracts import Store
from saastracker.copying import Sum
from saastracker.errors import OperatorError
from saastracker.event import Event
from saastracker.sql import readable
from saastracker.sql_events import CODED

PAGE = 1000  # events; of the largest, each takes 64 KB
COUNT_SECONDS = 6 * 3600.0  # that counting all events may take
DAY_MS = 24 * 3600 * 1000

Row: TypeAlias = tuple[str, Event]  # with its project's id
# By project and day (since 1970, UTC): events, and those with an anonymous id.
Counts: TypeAlias = Mapping[tuple[str, int], tuple[int, int]]
# Is told what the other store no longer has, of a project: events, and those that lost their anonymous id.
Erase: TypeAlias = Callable[[str, Sequence[Event], Sequence[Event]], None]


def add(total: Sum, row: Row) -> None:
    digest = blake2b(msgspec.msgpack.encode(row), digest_size=8).digest()
    total.events += 1
    total.checksum = (total.checksum + int.from_bytes(digest)) % 2**64


def compare(source: Store, target: Store, total: Sum, until: int, erase: Erase) -> Iterator[None]:
    """Compare further events, page by page: they are the same once `erase` has done its part.

    Raises OperatorError where that cannot make them the same.
    """
    for mine, theirs, reached in _pages(source, target, total.reached, until):
        if mine != theirs:
            _same(mine, theirs, erase)
        for row in mine:
            add(total, row)
        total.reached = reached
        yield


def _pages(source: Store, target: Store, after: int, until: int) -> Iterator[tuple[list[Row], list[Row], int]]:
    """What both have of the same numbers, with the last of these."""
    while after < until:
        pages = source.read_after(after, PAGE), target.read_after(after, PAGE)
        after = min([until, *(page[-1][1].sequence for page in pages if len(page) == PAGE)])
        mine, theirs = ([row for row in page if row[1].sequence <= after] for page in pages)
        yield mine, theirs, after


def _same(mine: Sequence[Row], theirs: Sequence[Row], erase: Erase) -> None:
    wanted = {event.sequence: (project, event) for project, event in mine}
    gone: dict[str, list[Event]] = {}
    nameless: dict[str, list[Event]] = {}
    for project, event in theirs:
        row = wanted.pop(event.sequence, None)
        if row is None:
            gone.setdefault(project, []).append(event)
        elif row != (project, event) and _stored(row) != (project, event):
            if _stored(row) != (project, msgspec.structs.replace(event, anonymous=None)):
                raise _different(event.sequence)
            nameless.setdefault(project, []).append(event)
    for sequence in wanted:
        raise _different(sequence)
    for project in gone | nameless:
        erase(project, gone.get(project, []), nameless.get(project, []))


def _stored(row: Row) -> Row:
    """As stores have it that take no character 0."""
    project, event = row
    texts = {name: readable(text) for name in CODED if (text := getattr(event, name)) is not None}
    return project, msgspec.structs.replace(event, **texts)


def _different(sequence: int) -> OperatorError:
    return OperatorError(
        f"Event {sequence} is not the same on both sides, so this is no copy: begin again with an empty database"
    )


def counts(store: Store, until: int) -> Counts:
    """Of all events with numbers up to one."""
    with store.reader(COUNT_SECONDS) as reader:
        rows = reader.query(
            f"""SELECT project, "time" / {DAY_MS}, COUNT(*), COUNT(anonymous) FROM events WHERE sequence <= :until
            GROUP BY project, "time" / {DAY_MS}""",
            until=until,
        )
    return {(project, day): (events, anonymous) for project, day, events, anonymous in rows}
