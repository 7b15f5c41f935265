"""Who the actors of an index are, with anonymous ids joined to their users."""

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from saastracker.index import Integers, bitmap, distinct, numbers


class Actors:
    """Who the actors of a project are: arrays by actor number, with anonymous ids joined to their users.

    Persons and organizations are numbered from 0 here; -1 is nobody. Number 0 of the arrays is no actor.
    """

    def __init__(self, rows: Sequence[tuple[int, int, int, int, int, int]], aliases: Mapping[int, int]) -> None:
        """Rows of actor number, anonymous, person, org, first and last time; aliases are anonymous id → user."""
        self.rows = rows  # as they were before joining
        values = np.fromiter(chain.from_iterable(rows), np.int64, 6 * len(rows))
        numbers, anonymous, person, org, first, last = values.reshape(-1, 6).T.copy()
        self.aliases = aliases
        joined = anonymous.astype(bool) & np.isin(person, list(aliases))
        person[joined] = [aliases[code] for code in person[joined].tolist()]
        anonymous[joined] = 0
        size = int(numbers.max(initial=0)) + 1
        known = person > 0
        keys, _, place = distinct(anonymous[known], person[known])
        self.person_codes = [code for _, code in keys]
        self.anonymous = np.array([flag for flag, _ in keys], bool)
        self.person = np.full(size, -1, np.int64)
        self.person[numbers[known]] = place
        inside = org > 0
        codes, place = np.unique(org[inside], return_inverse=True)
        self.org_codes: list[int] = codes.tolist()
        self.org = np.full(size, -1, np.int64)
        self.org[numbers[inside]] = place
        self.first = np.full(size, np.iinfo(np.int64).max)
        self.first[numbers] = first
        self.last = np.zeros(size, np.int64)
        self.last[numbers] = last

    def merging(self, orgs: Mapping[int, int]) -> "Actors":
        """The same with some organizations counted as others, by their codes; `rows` stay as they are."""
        merged = copy(self)
        merged.__dict__.pop("_organizations", None)
        codes = np.array([orgs.get(code, code) for code in self.org_codes], np.int64)
        kept, place = np.unique(codes, return_inverse=True)
        merged.org_codes = kept.tolist()
        merged.org = np.append(place, -1)[self.org]  # the last for nobody, numbered -1
        return merged

    def persons(self, actors: BitMap) -> Integers:
        """The distinct persons behind some actors, ascending."""
        return np.flatnonzero(_marked(self.person, len(self.person_codes), actors))

    def person_sets(self, actors: BitMap) -> "Persons":
        """The same as bitmaps, in a third of the time."""
        shared = _marked(self.person, len(self.person_codes), actors & self._persons.sharing)
        return Persons(actors & self._persons.alone, bitmap(np.flatnonzero(shared)))

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
    shared = _marked(numbering, size, actors & split.sharing)
    return split.alone.intersection_cardinality(actors) + int(np.count_nonzero(shared))


def _marked(numbering: Integers, size: int, actors: BitMap) -> NDArray[np.bool_]:
    """For each person or organization, whether one of the actors is theirs."""
    marked = np.zeros(size + 1, bool)  # the last for nobody, numbered -1
    marked[numbering[numbers(actors)]] = True
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
