"""Who the actors of an index are, with anonymous ids joined to their users."""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from saastracker.index import Integers, bitmap, numbered, numbers

Rows: TypeAlias = Sequence[tuple[int, int, int, int, int, int]] | NDArray[np.int64]


class Actors:
    """Who the actors of a project are: arrays by actor number, with anonymous ids joined to their users.

    Persons and organizations are numbered from 0 here; -1 is nobody. Number 0 of the arrays is no actor.
    """

    def __init__(self, rows: Rows, aliases: Mapping[int, int]) -> None:
        """Rows of actor number, anonymous, person, org, first and last time; aliases are anonymous id → user."""
        self.table = _table(rows)  # as they were before joining, by number
        self.aliases = aliases
        numbers, anonymous, person, org, first, last = self.table.T.copy()
        anonymous, person = _joined(anonymous, person, aliases)
        size = int(numbers.max(initial=0)) + 1
        known = person > 0
        width = int(person.max(initial=0)) + 1
        keys, place = numbered(anonymous[known] * width + person[known])
        self.person_codes: list[int] = (keys % width).tolist()
        self.anonymous = keys >= width
        self.person = np.full(size, -1, np.int64)
        self.person[numbers[known]] = place
        inside = org > 0
        codes, place = numbered(org[inside])
        self.org_codes: list[int] = codes.tolist()
        self.org = np.full(size, -1, np.int64)
        self.org[numbers[inside]] = place
        self.first = np.full(size, np.iinfo(np.int64).max)
        self.first[numbers] = first
        self.last = np.zeros(size, np.int64)
        self.last[numbers] = last

    def plus(self, rows: Rows, aliases: Mapping[int, int]) -> "Actors":
        """With some rows and aliases more, or in place of those of the same actors and anonymous ids."""
        both = np.concatenate([self.table, _table(rows)])
        ordered = both[np.argsort(both[:, 0], kind="stable")]
        last = np.ones(len(ordered), bool)
        last[:-1] = ordered[1:, 0] != ordered[:-1, 0]
        return Actors(ordered[last], {**self.aliases, **aliases} if aliases else self.aliases)

    @property
    def rows(self) -> list[tuple[int, ...]]:
        """Actor number, anonymous, person, org, first and last time, as they were before joining."""
        return list(map(tuple, self.table.tolist()))

    def merging(self, orgs: Mapping[int, int]) -> "Actors":
        """The same with some organizations counted as others, by their codes; `rows` stay as they are."""
        merged = copy(self)
        merged.__dict__.pop("_organizations", None)
        codes = np.array([orgs.get(code, code) for code in self.org_codes], np.int64)
        kept, place = numbered(codes)
        merged.org_codes = kept.tolist()
        merged.org = np.append(place, -1)[self.org]  # the last for nobody, numbered -1
        return merged

    def persons(self, actors: BitMap) -> Integers:
        """The distinct persons behind some actors, ascending."""
        return np.flatnonzero(_marked(self.person, len(self.person_codes), actors))

    def person_sets(self, actors: BitMap) -> "Persons":
        """The same as bitmaps, for which most actors need not be looked at."""
        sharing = actors & self._persons.sharing
        shared = bitmap(self.persons(sharing)) if sharing else sharing
        return Persons(actors & self._persons.alone, shared)

    def organizations(self, actors: BitMap) -> Integers:
        """The distinct organizations behind some actors, ascending."""
        return np.flatnonzero(_marked(self.org, len(self.org_codes), actors))

    def count_persons(self, actors: BitMap) -> int:
        """How many distinct persons are behind some actors."""
        return _count(self.person, len(self.person_codes), self._persons, actors)

    def count_organizations(self, actors: BitMap) -> int:
        """How many distinct organizations are behind some actors."""
        return _count(self.org, len(self.org_codes), self._organizations, actors)

    @cached_property
    def _persons(self) -> "_Split":
        return _split(self.person, len(self.person_codes))

    @cached_property
    def _organizations(self) -> "_Split":
        return _split(self.org, len(self.org_codes))

    def person_first(self) -> Integers:
        """Each person's first event ever, in ms."""
        return _earliest(self.person, self.first, len(self.person_codes))

    def person_last(self) -> Integers:
        """Each person's last event, in ms."""
        return _latest(self.person, self.last, len(self.person_codes))

    def org_first(self) -> Integers:
        """Each organization's first event ever, in ms."""
        return _earliest(self.org, self.first, len(self.org_codes))

    def org_last(self) -> Integers:
        """Each organization's last event, in ms."""
        return _latest(self.org, self.last, len(self.org_codes))


def _table(rows: Rows) -> NDArray[np.int64]:
    if isinstance(rows, np.ndarray):
        return rows
    return np.fromiter(chain.from_iterable(rows), np.int64, 6 * len(rows)).reshape(-1, 6)


def _joined(anonymous: Integers, person: Integers, aliases: Mapping[int, int]) -> tuple[Integers, Integers]:
    """Whether each is anonymous, and who it is, once those with a user are that one."""
    if not aliases:
        return anonymous, person
    codes = np.fromiter(aliases, np.int64, len(aliases))
    order = np.argsort(codes)
    codes, users = codes[order], np.fromiter(aliases.values(), np.int64, len(aliases))[order]
    place = np.minimum(np.searchsorted(codes, person), len(codes) - 1)
    joined = (anonymous > 0) & (codes[place] == person)
    return np.where(joined, 0, anonymous), np.where(joined, users[place], person)


class Persons(NamedTuple):
    """Distinct persons, in bitmaps that can be united each with its like: most are one actor, which needs no look."""

    alone: BitMap  # actors, each the only one of a person
    shared: BitMap  # numbers of the persons that are several actors


class _Split(NamedTuple):
    """The actors that are alone for their person or organization, and those that share it."""

    alone: BitMap
    sharing: BitMap


def _split(numbering: Integers, size: int) -> _Split:
    known = np.flatnonzero(numbering >= 0)
    alone = np.bincount(numbering[known], minlength=size)[numbering[known]] == 1
    return _Split(bitmap(known[alone]), bitmap(known[~alone]))


def _count(numbering: Integers, size: int, split: _Split, actors: BitMap) -> int:
    # Most persons are one actor, which a cardinality counts without looking at any of them.
    sharing = actors & split.sharing
    shared = int(np.count_nonzero(_marked(numbering, size, sharing))) if sharing else 0
    return split.alone.intersection_cardinality(actors) + shared


def _marked(numbering: Integers, size: int, actors: BitMap) -> NDArray[np.bool_]:
    """For each person or organization, whether one of the actors is theirs."""
    marked = np.zeros(size + 1, bool)  # the last for nobody, numbered -1
    marked[numbering.take(numbers(actors))] = True  # two thirds of the time of numbering[...]
    return marked[:-1]


def _earliest(numbering: Integers, first: Integers, size: int) -> Integers:
    earliest = np.full(size, np.iinfo(np.int64).max)
    known = numbering >= 0
    np.minimum.at(earliest, numbering[known], first[known])
    return earliest


def _latest(numbering: Integers, last: Integers, size: int) -> Integers:
    latest = np.zeros(size, np.int64)
    known = numbering >= 0
    np.maximum.at(latest, numbering[known], last[known])
    return latest
