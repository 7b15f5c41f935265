"""Everything that is kept about one person, as one JSON document, a piece at a time."""

from collections.abc import Iterator

import msgspec
import numpy as np

from saastracker.contracts import Store
from saastracker.erasable import Subject
from saastracker.erasure import find
from saastracker.exported import moment, written
from saastracker.index import numbers
from saastracker.narrowing import Whose, of_actors
from saastracker.persons import Person, joining
from saastracker.told import Memory
from saastracker.wire import Project

SOME = 500  # events in memory at once


def everything(store: Store, project: Project, person: str, now: int) -> Iterator[bytes]:
    """Who it is, what events told of them, and all their events by local day.

    An event that came in the last seconds may be missing. Raises NotFound, before the first piece.
    """
    with store.reader() as reader:
        whose = find(reader, Subject(project.id, "person", person))
        days = of_actors(reader, project.id, whose.actors)
        users = reader.texts([*whose.users])
        own = Person(not users, next(iter(users.values()), person))
        traits = Memory().told(reader, project.id).traits(joining(reader, reader.actors(project.id)))
        known = {
            "project": project.slug,
            "person": person,
            "ids": sorted(whose.ids),
            "exported_at": moment(now),
            "traits": traits(own),
        }
    return _pieces(store, project, whose, list(days), msgspec.json.encode(known))


def _pieces(store: Store, project: Project, whose: Whose, days: list[int], known: bytes) -> Iterator[bytes]:
    yield known[:-1] + b',"events":['
    first = True
    for day in days:
        # Each with a reader of its own: whoever takes the pieces may be slow.
        with store.reader() as reader:
            moments = reader.moments(project.id, day, day)
            mine = moments.only(np.isin(moments.actor, numbers(whose.actors)))
            sequences = mine.only(mine.places()).sequence.tolist()
        for start in range(0, len(sequences), SOME):
            with store.reader() as reader:
                events = reader.events(sequences[start : start + SOME])
            for event in events:
                yield (b"\n" if first else b",\n") + msgspec.json.encode(written(project.id, event))
                first = False
    yield b"\n]}\n"
