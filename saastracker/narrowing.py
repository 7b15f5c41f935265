"""Takes out of the index what recomputing days leaves in it after an erasure: actors, aliases, sessions, keys seen."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from pyroaring import BitMap

from saastracker.contracts import Reader, Store
from saastracker.index import OTHER, Seen, distinct, numbers
from saastracker.index_store import Arrivals, Index, IndexChanges

FIRST_DAY, LAST_DAY = -2, 10_000_000  # days since 1970 between which all events lie
DAY_MS = 86_400_000
WALK_EVENTS = 50_000  # read at once
SOME = 500  # events or keys asked for at once


class Whose(NamedTuple):
    """Some actors, and what names them. Texts as the store's codes."""

    ids: frozenset[str]  # user, anonymous or organization ids
    actors: BitMap
    users: frozenset[int] = frozenset()
    anonymous: frozenset[int] = frozenset()  # of them alone, or joined to them


class Walk:
    """Goes through a project's events in order of arrival, as far as the index has them; remembers who was joined."""

    def __init__(self, index: Index, project: str) -> None:
        self._index = index
        self._project = project
        self._reached = 0
        self.users: dict[int, int] = {}  # by anonymous id, the first that it was seen with

    def on(self, until: int) -> Iterator[Arrivals]:
        """The project's events up to a sequence number that were not walked over yet."""
        while self._reached < until:
            arrivals = self._index.arrivals(self._reached, WALK_EVENTS, until)
            self._reached = int(arrivals.sequence[-1]) if len(arrivals) == WALK_EVENTS else until
            if self._project in arrivals.projects:
                place = arrivals.projects.index(self._project)
                mine = arrivals.only(np.flatnonzero(arrivals.project == place))
                self._join(mine)
                yield mine

    def _join(self, mine: Arrivals) -> None:
        both = np.flatnonzero((mine.codes["user"] > 0) & (mine.codes["anonymous"] > 0))
        pairs, earliest, _ = distinct(mine.codes["anonymous"][both])
        for (anonymous,), event in zip(pairs, both[earliest].tolist(), strict=True):
            self.users.setdefault(anonymous, int(mine.codes["user"][event]))


def narrow(store: Store, project: str, whose: Whose, walk: Walk | None, kept_from: int) -> IndexChanges:
    """What is to be changed once the events are gone and their days are made again. Of actors with new events less.

    `walk` finds anew who anonymous ids were first seen with; None where none of them can have changed. What
    was first seen before the local day `kept_from` stays so.
    """
    state = store.index.state()
    if walk is not None:
        for _ in walk.on(state.watermark):
            pass
    changes = IndexChanges(state.changes, state.watermark)
    with store.reader() as reader:
        _narrow_actors(changes, reader, project, whose.actors)
        aliases = reader.actors(project).aliases
        if not changes.narrowed:
            over = [code for code, user in aliases.items() if code in whose.anonymous or user in whose.users]
            changes.unjoined += [(project, code) for code in over]
        if walk is not None:
            for code, user in aliases.items():
                if walk.users.get(code) != user:
                    changes.unjoined.append((project, code))
                    if code in walk.users:
                        changes.aliases[project, code] = walk.users[code]
        shorten(changes, store.index, project, reader.longer(project, FIRST_DAY, LAST_DAY))
        for namespace in sorted({unit.namespace for unit in store.index.units() if unit.project == project}):
            _narrow_seen(changes, reader, project, namespace, kept_from)
    return changes


def of_actors(reader: Reader, project: str, actors: BitMap) -> dict[int, int]:
    """How many events some actors have, by day."""
    found: dict[int, int] = defaultdict(int)
    for day, _, cell in reader.days(project, "all", FIRST_DAY, LAST_DAY):
        if cell.actors.intersect(actors):
            who, events = cell.per_actor()
            found[day] += int(events[np.isin(who, numbers(actors))].sum())
    return dict(sorted(found.items()))


def _narrow_actors(changes: IndexChanges, reader: Reader, project: str, actors: BitMap) -> None:
    left = of_actors(reader, project, actors)
    for day in left:
        moments = reader.moments(project, day, day)
        mine = moments.only(np.isin(moments.actor, numbers(actors)))
        for actor, time in zip(mine.actor.tolist(), mine.time.tolist(), strict=True):
            first, last = changes.narrowed.get(actor, (time, time))
            changes.narrowed[actor] = min(first, time), max(last, time)
    changes.gone = sorted(set(actors) - changes.narrowed.keys())


def shorten(changes: IndexChanges, index: Index, project: str, longer: Sequence[tuple[int, int, int]]) -> None:
    """Sessions that once had events from a first to a last day, by what is left without the days that are cleared."""
    if not longer:
        return
    codes = [session for session, _, _ in longer]
    days = index.sessions(project, min(codes), max(codes))
    for _, day in changes.clear:
        days.pop(day, None)
    for session, first, last in longer:
        own = sorted(day for day, sessions in days.items() if session in sessions)
        if len(own) < 2 or (own[0], own[-1]) != (first, last):
            changes.shorter.append((project, session))
            if len(own) > 1:
                changes.longer[project, session] = own


def _narrow_seen(changes: IndexChanges, reader: Reader, project: str, namespace: str, kept_from: int) -> None:
    """Keys whose first or last event is gone are seen anew: on the first and the last day that they have."""
    known = reader.seen(project, namespace)
    ends = sorted({sequence for each in known for sequence in (each.first_sequence, each.last_sequence)})
    there = {event.sequence for some in _some(ends) for event in reader.events(some)}
    before = kept_from * DAY_MS  # about: what lies near is seen anew, which does no harm
    wrong: dict[str, Seen] = {}
    for each in known:
        first = each.first_sequence not in there and each.first >= before
        if first or (each.last_sequence not in there and each.last >= before):
            wrong[each.key] = each
    days: dict[str, list[int]] = defaultdict(list)
    for some in _some(sorted({*wrong, *map(_other, wrong)})):
        for day, key, _ in reader.days(project, namespace, FIRST_DAY, LAST_DAY, some):
            days[key].append(day)
    for key, each in wrong.items():
        changes.unseen.append((project, namespace, key))
        # Of a day with too many keys nobody knows which of them had no cell of their own.
        changes.dirty += [(project, day) for day in days.get(_other(key), ())]
        if each.first < before:
            kept = Seen(key, each.first, each.first, each.first_sequence, each.first_sequence)
            changes.seen_keys.setdefault((project, namespace), []).append(kept)
        if key in days:
            changes.dirty += [(project, min(days[key])), (project, max(days[key]))]


def _other(key: str) -> str:
    """Under which key it is counted where there are too many."""
    unit, slash, _ = key.partition("/")
    return f"{unit}/{OTHER}" if slash else OTHER


def _some(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), SOME):
        yield items[start : start + SOME]
