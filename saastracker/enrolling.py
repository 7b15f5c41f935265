"""Enrols the people and organizations of events as actors of the index."""

import numpy as np

from saastracker.index import Integers, distinct
from saastracker.index_store import Actor, ActorKey, Arrivals, Index, IndexChanges


def enrol(changes: IndexChanges, index: Index, last_actor: int, arrivals: Arrivals) -> Integers:
    """Each event's actor, 0 for nobody. New ones get numbers after `last_actor`; they and aliases go into `changes`."""
    _join(changes, arrivals)
    user, anonymous, org = (arrivals.codes[name] for name in ("user", "anonymous", "org"))
    person = np.where(user > 0, user, anonymous)
    nameless = ((user == 0) & (anonymous > 0)).astype(np.int64)
    pairs, _, place = distinct(arrivals.project, nameless, person, org)
    first = np.full(len(pairs), np.iinfo(np.int64).max)
    last = np.full(len(pairs), np.iinfo(np.int64).min)
    np.minimum.at(first, place, arrivals.time)
    np.maximum.at(last, place, arrivals.time)
    keys = [
        ActorKey(arrivals.projects[project], bool(is_anonymous), who, where)
        for project, is_anonymous, who, where in pairs
    ]
    known = index.actors([key for key in keys if key.person or key.org])
    numbers = np.zeros(len(keys), np.int64)
    number = last_actor
    for place_of_key, key in enumerate(keys):
        times = int(first[place_of_key]), int(last[place_of_key])
        if not (key.person or key.org):
            continue
        if key in known:
            numbers[place_of_key] = known[key]
            changes.seen[known[key]] = times
        else:
            number += 1
            numbers[place_of_key] = number
            changes.actors[key] = Actor(number, *times)
    return numbers[place]


def _join(changes: IndexChanges, arrivals: Arrivals) -> None:
    """The first user each anonymous id was seen with."""
    user, anonymous = arrivals.codes["user"], arrivals.codes["anonymous"]
    both = np.flatnonzero((user > 0) & (anonymous > 0))
    _, earliest, _ = distinct(arrivals.project[both], anonymous[both])
    for event in both[earliest].tolist():
        key = arrivals.projects[arrivals.project[event]], int(anonymous[event])
        changes.aliases[key] = int(user[event])
