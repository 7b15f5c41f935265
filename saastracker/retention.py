"""Retention: the days of a project that are no longer kept go every night, with their index."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from saastracker.contracts import Reader, Store
from saastracker.erasable import PIECE, Write
from saastracker.errors import Conflict
from saastracker.facts import Facts
from saastracker.job import Daily, Job, JobContext, Notice
from saastracker.wire import Project

FIRST_DAY = -2  # days since 1970; before it no event lies
LATER_DAYS = (30, 365)  # for which the size is foretold
RATE_DAYS = 30  # by whose events
_EPOCH = date(1970, 1, 1)


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a project has and what becomes of it. Bytes are its share of the database, about."""

    events: int
    bytes: int
    oldest: date | None  # the first local day that has events
    going_events: int  # that the next run erases
    going_days: int
    going_bytes: int
    daily_bytes: int  # that come, by the last 30 days
    later_bytes: tuple[int, ...]  # after LATER_DAYS


class StoppedError(Exception):
    """The server stops; the next run goes on."""


def first_kept(project: Project, now: int, later_days: int = 0) -> int:
    """The first local day, in days since 1970, whose events the project keeps, after so many days more."""
    if project.keep_days is None:
        return FIRST_DAY
    today = datetime.fromtimestamp(now / 1000, ZoneInfo(project.timezone)).date()
    return (today - _EPOCH).days + later_days - project.keep_days


def by_day(reader: Reader, project: Project, before: int = 10_000_000) -> dict[int, int]:
    """The number of events on each local day before one that has some, in order, by the index."""
    found: dict[int, int] = {}
    for day, _, cell in reader.days(project.id, "all", FIRST_DAY, before - 1):
        found[day] = found.get(day, 0) + cell.events
    return dict(sorted(found.items()))


def forecast(reader: Reader, store: Store, project: Project, projects: Sequence[Project], now: int) -> Forecast:
    """Of one of the store's `projects`."""
    days = by_day(reader, project)
    everything = sum(sum(by_day(reader, each).values()) for each in projects if each.id != project.id)
    events = sum(days.values())
    each_bytes = store.size() / max(1, everything + events)
    kept = first_kept(project, now)
    going = {day: count for day, count in days.items() if day < kept}
    rate = _daily(days, project, now)
    later = []
    for more in LATER_DAYS:
        left = sum(count for day, count in days.items() if day >= first_kept(project, now, more))
        coming = more if project.keep_days is None else min(more, project.keep_days + 1)
        later.append(round((left + rate * coming) * each_bytes))
    return Forecast(
        events=events,
        bytes=round(events * each_bytes),
        oldest=_EPOCH + timedelta(days=min(days)) if days else None,
        going_events=sum(going.values()),
        going_days=len(going),
        going_bytes=round(sum(going.values()) * each_bytes),
        daily_bytes=round(rate * each_bytes),
        later_bytes=tuple(later),
    )


def growth(reader: Reader, store: Store, projects: Iterable[Project], now: int) -> int:
    """Bytes that come each day, of all projects together; what is erased meanwhile is not taken off."""
    events, daily = 0, 0.0
    for project in projects:
        days = by_day(reader, project)
        events += sum(days.values())
        daily += _daily(days, project, now)
    return round(daily * store.size() / max(1, events))


def _daily(days: Mapping[int, int], project: Project, now: int) -> float:
    """Events that come each day, by the last 30 that are over."""
    today = (datetime.fromtimestamp(now / 1000, ZoneInfo(project.timezone)).date() - _EPOCH).days
    recent = sum(count for day, count in days.items() if today - RATE_DAYS <= day < today)
    return recent / max(1, min(RATE_DAYS, today - min(days, default=today)))


def keep_days(facts: Facts, store: Store, write: Write, pause: Callable[[], None]) -> Job:
    """The job; `write` has work done on the thread that appends, `pause` waits for the index to change."""

    def run(context: JobContext) -> Sequence[Notice]:
        facts.refresh()
        projects = [each for each in facts.snapshot.projects.values() if each.active and each.keep_days is not None]
        with store.reader() as reader:
            going = {each.id: by_day(reader, each, first_kept(each, context.now)) for each in projects}
        total, done = sum(sum(days.values()) for days in going.values()), 0

        def progress(more: int) -> None:
            nonlocal done
            done += more
            context.progress(min(done, total), total)
            if context.cancelled():
                raise StoppedError

        try:
            for project, days in going.items():
                for day in days:
                    erase_day(store, project, day, write, pause, progress)
            if total:
                store.sweep("", (), write, lambda _done, _total: progress(0))
        except StoppedError:
            pass
        return ()

    return Job(
        name="retention",
        title="Erase the days that projects no longer keep",
        trigger=Daily(hour=2, minute=40),
        run=run,
    )


def tidy(store: Store, write: Write) -> Job:
    """The job that has the store look after its files."""

    def run(context: JobContext) -> Sequence[Notice]:
        store.tidy(write, context.cancelled)
        return ()

    return Job(name="tidy", title="Tidy the database", trigger=Daily(hour=4, minute=20), run=run)


def erase_day(  # noqa: PLR0917
    store: Store,
    project: str,
    day: int,
    write: Write,
    pause: Callable[[], None],
    progress: Callable[[int], None],
) -> None:
    """A local day's events, then what the index has of it. Actors stay, so that it is known who was there before."""
    from saastracker.index_store import IndexChanges  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared
    from saastracker.narrowing import shorten  # noqa: PLC0415

    erased: set[int] = set()
    while True:
        state = store.index.state()
        with store.reader() as reader:
            sequences = [each for each in reader.moments(project, day, day).sequence.tolist() if each not in erased]
            longer = reader.longer(project, day, day)
        if sequences:
            for start in range(0, len(sequences), PIECE):
                piece = sequences[start : start + PIECE]
                write(partial(store.erase_events, project, piece))
                progress(len(piece))
            erased.update(sequences)
            continue
        changes = IndexChanges(state.changes, state.watermark, clear=[(project, day)])
        shorten(changes, store.index, project, longer)
        try:
            write(partial(store.index.write, changes))
        except Conflict:
            pause()
            progress(0)
            continue
        return
