"""Erases a person or an organization: events, index and texts, so that all is as if they had never been there."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from saastracker.contracts import Reader, Store
from saastracker.erasable import PIECE, Progress, Subject, Write
from saastracker.errors import Conflict, NotFound, Unavailable
from saastracker.index import Integers, numbers
from saastracker.narrowing import FIRST_DAY, Walk, Whose, narrow, of_actors

ROUNDS = 20  # in each of which what came during the one before is erased
TRIES = 50  # to write what no step of the index came before


class Work(NamedTuple):
    """With what it is done."""

    store: Store  # its readers know merged organizations
    write: Write
    advance: Callable[[], None]  # lets the index come closer to the events; raises what ends it all
    progress: Progress  # in events


class Amount(NamedTuple):
    """What there is of somebody."""

    ids: tuple[str, ...]  # all that name them
    events: int
    days: int


def amount(reader: Reader, subject: Subject) -> Amount:
    """Raises NotFound where nothing in the index names them."""
    whose = find(reader, subject)
    days = of_actors(reader, subject.project, whose.actors)
    return Amount(tuple(sorted(whose.ids)), sum(days.values()), len(days))


def find(reader: Reader, subject: Subject) -> Whose:
    """Raises NotFound where nothing in the index names them."""
    found = _organizations(reader, subject) if subject.of == "org" else _person(reader, subject)
    if not found.actors:
        kind = "organization" if subject.of == "org" else "person"
        raise NotFound(f"No event named the {kind} {subject.id[:64]}.", reason=f"unknown_{kind}")
    return found


def erase(work: Work, subject: Subject, kept_from: int = FIRST_DAY) -> tuple[int, frozenset[str]]:
    """How many events that were, and all ids that named them. Another call goes on where one was ended.

    It takes until no event of theirs comes any more. Texts stay until the store is swept. `kept_from` is the
    first local day that the project keeps.
    """
    store, project = work.store, subject.project
    walk, known = Walk(store.index, project), frozenset[int]()
    done, ids, whose = 0, frozenset({subject.id}), None
    for _ in range(ROUNDS):
        catch_up(work, project)
        try:
            with store.reader() as reader:
                whose = find(reader, subject)
                days = of_actors(reader, project, whose.actors)
        except NotFound:
            break
        ids |= whose.ids
        if not whose.anonymous <= known:
            walk, known = Walk(store.index, project), whose.anonymous
        nameless = list(_carrying(walk, store.index.state().watermark, whose)) if known else []
        if not days and not nameless:
            break
        for piece in _pieces(np.array(nameless, np.int64)):
            work.write(partial(store.erase_events, project, (), (), piece))
        total = done + sum(days.values())
        for day in days:
            for piece in _pieces(_sequences(store, project, day, whose.actors)):
                work.write(partial(store.erase_events, project, piece, [day]))
                done += len(piece)
                work.progress(done, max(done, total))
    if whose is not None:
        _narrow(work, subject, whose, kept_from)
    return done, ids


def catch_up(work: Work, project: str) -> None:
    """Wait until the index has all events of now, and no day of the project has to be made again."""
    newest = work.store.index.state().newest
    while True:
        state = work.store.index.state()
        if state.watermark >= min(newest, state.newest) and all(of != project for of, _ in state.dirty):
            return
        work.advance()


def _narrow(work: Work, subject: Subject, whose: Whose, kept_from: int) -> None:
    # Only events of an organization may have been the first that named both a person and an anonymous id of theirs.
    # Where earlier events are erased after some days, that cannot be told any more: who was joined stays so.
    again = subject.of == "org" and kept_from == FIRST_DAY
    walk = Walk(work.store.index, subject.project) if again else None
    for _ in range(TRIES):
        changes = narrow(work.store, subject.project, whose, walk, kept_from)
        try:
            work.write(partial(work.store.index.write, changes))
        except Conflict:
            work.advance()
            continue
        catch_up(work, subject.project)
        return
    raise Unavailable("The index keeps changing; the next run goes on.")


def _pieces(sequences: Integers) -> Iterator[list[int]]:
    for start in range(0, len(sequences), PIECE):
        yield sequences[start : start + PIECE].tolist()


def _sequences(store: Store, project: str, day: int, actors: BitMap) -> Integers:
    with store.reader() as reader:
        moments = reader.moments(project, day, day)
    return np.sort(moments.sequence[np.isin(moments.actor, numbers(actors))])


def _carrying(walk: Walk, until: int, whose: Whose) -> Iterator[int]:
    """Events of others that carry an anonymous id of theirs, as those of a device that several persons use."""
    for events in walk.on(until):
        user, anonymous = events.codes["user"], events.codes["anonymous"]
        others = (user > 0) & ~np.isin(user, list(whose.users)) & np.isin(anonymous, list(whose.anonymous))
        yield from events.sequence[others].tolist()


def _organizations(reader: Reader, subject: Subject) -> Whose:
    """With those that were merged into it."""
    written = reader.organizations(subject.project)
    org = written.merged.get(subject.id, subject.id)
    named = {org, *written.into(org)}
    rows = reader.actors(subject.project).rows
    codes = {code for code, text in reader.texts([*{row[3] for row in rows}]).items() if text in named}
    return Whose(frozenset(named), BitMap(row[0] for row in rows if row[3] in codes))


def _person(reader: Reader, subject: Subject) -> Whose:
    """By a user id or an anonymous id, with all anonymous ids that were joined to it."""
    actors = reader.actors(subject.project)
    rows, aliases = actors.rows, actors.aliases
    texts = reader.texts([*{row[2] for row in rows}, *aliases, *aliases.values()])
    codes = {code for code, text in texts.items() if text == subject.id}
    users = {row[2] for row in rows if not row[1] and row[2] in codes}
    users |= {user for user in aliases.values() if user in codes}
    if not users:
        users = {aliases[code] for code in codes if code in aliases}
    anonymous = {code for code, user in aliases.items() if user in users} | (codes - aliases.keys())
    chosen = _rows(rows, users, anonymous)
    ids = frozenset(texts[code] for code in users | anonymous) | {subject.id}
    return Whose(ids, BitMap(chosen), frozenset(users), frozenset(anonymous))


def _rows(rows: Iterable[tuple[int, ...]], users: set[int], anonymous: set[int]) -> Iterator[int]:
    for number, nameless, person, *_ in rows:
        if person in (anonymous if nameless else users):
            yield number
