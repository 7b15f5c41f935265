"""Follows everybody through the steps of a funnel, over arrays of events."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from saastracker.index import Integers
from saastracker_funnels.definition import Order

NEVER = np.iinfo(np.int64).max


class Events(NamedTuple):
    """Columns of equal length, in no order. A place is a row's number."""

    entity: Integers  # numbered from 0; -1 is nobody
    time: Integers  # ms
    sequence: Integers

    def ranks(self) -> Integers:
        """Numbers in the order of time, then of arrival."""
        if not len(self.time):
            return np.zeros(0, np.int64)
        arrival = self.sequence - self.sequence.min()
        width, since = int(arrival.max()) + 1, int(self.time.min())
        if (int(self.time.max()) - since + 1) * width < NEVER:
            return np.asarray((self.time - since) * width + arrival)
        ranks = np.empty(len(self.time), np.int64)
        ranks[np.lexsort((self.sequence, self.time))] = np.arange(len(self.time))
        return ranks


class Rules(NamedTuple):
    order: Order
    optional: tuple[bool, ...]  # of each step; the first and the last are required
    window: int  # ms from the entry, its end included; 0: none
    start: int  # when an entry may be, ms
    end: int  # the first moment after it


class Attempts(NamedTuple):
    """What became of those who entered, in the order of their numbers."""

    entity: Integers
    entry: Integers  # place of the event with which each began
    reached: Integers  # time by step (rows) and attempt (columns), NEVER where it was not reached


def follow(events: Events, size: int, steps: Sequence[Integers], excluded: Integers, rules: Rules) -> Attempts:
    """The one attempt of each of `size` entities: their earliest entry, followed to the end of the window.

    `steps` and `excluded` are the places of the events that fit each step, and of those that end an
    attempt. Time and arrival order events, and an event serves one step:

    - sequential: each required step takes the earliest event after the one before it. An optional one
      takes the earliest between what was reached before it and the next required step.
    - strict: steps take one event after the other, optional ones are left out where that leads further.
    - any: an attempt begins with any step; the k-th step is reached with the event that makes it
      possible to give k events to k steps.
    """
    attempt = _Attempt(events, size, np.concatenate(steps) if rules.order == "any" else steps[0], excluded, rules)
    if rules.order == "sequential":
        reached = _sequential(attempt, steps, rules.optional)
    elif rules.order == "strict":
        reached = _strict(attempt, steps, rules.optional)
    else:
        reached = _any(attempt, steps)
    entered = np.flatnonzero(attempt.entry[:-1] >= 0)
    return Attempts(entered, attempt.entry[entered], reached[:, entered])


class _Attempt:
    """Where each entity's attempt begins and ends.

    Arrays have one more element than there are entities: nobody's, numbered -1.
    """

    def __init__(self, events: Events, size: int, entries: Integers, excluded: Integers, rules: Rules) -> None:
        self.entity, self.time, _ = events
        self.rank = events.ranks()
        self.size = size
        self.before = np.full(size + 1, NEVER)  # rank of the event that ends the attempt
        self.until = np.full(size + 1, NEVER)  # the last time in the window
        times = self.time[entries]
        entries = entries[(times >= rules.start) & (times < rules.end)]
        self.entry = self.first(entries, np.full(size + 1, -1))
        self.entry_rank = self.ranks_of(self.entry)
        if rules.window:
            self.until = self.times_of(self.entry)
            self.until[self.entry >= 0] += rules.window
        self.before = self.ranks_of(self.first(excluded, self.entry_rank))

    def first(self, places: Integers, after: Integers, before: Integers | None = None) -> Integers:
        """The place of each entity's earliest event among some, after a rank and before another; -1 for none."""
        places = self.within(places, after, self.before if before is None else before)
        who, ranks = self.entity.take(places), self.rank.take(places)
        earliest = np.full(self.size + 1, NEVER)
        np.minimum.at(earliest, who, ranks)
        found = np.full(self.size + 1, -1)
        taken = ranks == earliest.take(who)
        found[who[taken]] = places[taken]
        return found

    def within(self, places: Integers, after: Integers, before: Integers) -> Integers:
        """Those of some places that are in the window, after a rank and before another."""
        who, ranks, time = (column.take(places) for column in (self.entity, self.rank, self.time))
        inside = (ranks > after.take(who)) & (ranks < before.take(who)) & (time <= self.until.take(who))
        return places[inside]

    def ranks_of(self, found: Integers) -> Integers:
        return self._of(self.rank, found)

    def times_of(self, found: Integers) -> Integers:
        return self._of(self.time, found)

    def _of(self, column: Integers, found: Integers) -> Integers:
        values = np.full(self.size + 1, NEVER)
        values[found >= 0] = column[found[found >= 0]]
        return values


def _sequential(attempt: _Attempt, steps: Sequence[Integers], optional: tuple[bool, ...]) -> Integers:
    reached = np.full((len(steps), attempt.size + 1), NEVER)
    reached[0] = attempt.times_of(attempt.entry)
    last, waiting = attempt.entry_rank, range(0)
    for number in range(1, len(steps)):
        if optional[number]:
            waiting = range(waiting.start or number, number + 1)
            continue
        found = attempt.first(steps[number], last)
        ranks = attempt.ranks_of(found)
        reached[number] = attempt.times_of(found)
        for between in waiting:
            found = attempt.first(steps[between], last, np.minimum(ranks, attempt.before))
            reached[between] = attempt.times_of(found)
            last = np.where(found >= 0, attempt.ranks_of(found), last)
        last, waiting = ranks, range(0)
    return reached


def _strict(attempt: _Attempt, steps: Sequence[Integers], optional: tuple[bool, ...]) -> Integers:
    # The events that directly follow the entry, as many as there are steps, and which steps each fits.
    places = [attempt.entry]
    following = attempt.within(np.arange(len(attempt.rank)), attempt.entry_rank, attempt.before)
    for _ in steps[1:]:
        places.append(attempt.first(following, attempt.ranks_of(places[-1])))
    fits = np.zeros((len(steps), len(steps), attempt.size + 1), bool)
    for number, own in enumerate(steps):
        fitting = np.zeros(len(attempt.rank) + 1, bool)  # the last for none, which has the place -1
        fitting[own] = True
        for nth in range(number + 1):
            fits[number, nth] = fitting[places[nth]]
    times = [attempt.times_of(found) for found in places]
    reached = np.full((len(steps), attempt.size + 1), NEVER)
    furthest = np.full(attempt.size + 1, -1)
    for taken in product(*((True, False) if each else (True,) for each in optional)):
        going = attempt.entry >= 0
        tried = np.full((len(steps), attempt.size + 1), NEVER)
        score = np.zeros(attempt.size + 1, np.int64)  # required steps count before all optional ones
        for nth, number in enumerate(np.flatnonzero(taken).tolist()):
            going = going & fits[number, nth]
            tried[number, going] = times[nth][going]
            score[going] += 1 if optional[number] else len(steps)
        better = score > furthest
        reached[:, better] = tried[:, better]
        furthest[better] = score[better]
    return reached


def _any(attempt: _Attempt, steps: Sequence[Integers]) -> Integers:
    fitting = np.zeros(len(attempt.rank), np.int64)  # the steps that each event fits, as bits
    for number, own in enumerate(steps):
        fitting[own] |= 1 << number
    some = np.flatnonzero(fitting)
    some = attempt.within(some, attempt.entry_rank - 1, attempt.before)
    bits = fitting[some]
    # Each event adds at most one step to those of its group, so those of all groups are in order of time.
    gains = [gain for group in _overlapping(np.unique(bits).tolist()) for gain in _gains(attempt, some, bits, group)]
    none = np.full(attempt.size + 1, NEVER)
    return np.sort(np.array(gains + [none] * (len(steps) - len(gains))), axis=0)


def _overlapping(fitting: Sequence[int]) -> list[int]:
    """The steps, as bits, in groups that no event has in common."""
    groups: list[int] = []
    for bits in fitting:
        joined = bits
        for group in [group for group in groups if group & bits]:
            groups.remove(group)
            joined |= group
        groups.append(joined)
    return groups


def _gains(attempt: _Attempt, places: Integers, bits: Integers, group: int) -> list[Integers]:
    """When 1, 2, … steps of a group are reached.

    By Hall's theorem k of n steps can each have an event of its own once every m of them have, between
    them, at least m - (n - k) events.
    """
    numbers = [number for number in range(group.bit_length()) if group >> number & 1]
    mine = bits & group != 0
    places, bits = places[mine], bits[mine]
    if len(numbers) == 1:
        return [attempt.times_of(attempt.first(places, attempt.entry_rank - 1))]
    order = np.lexsort((attempt.rank[places], attempt.entity[places]))
    places, bits = places[order], bits[order]
    gains = [np.zeros(attempt.size + 1, np.int64) for _ in numbers]
    for chosen in product((0, 1), repeat=len(numbers)):
        size = sum(chosen)
        some = places[bits & sum(take << number for take, number in zip(chosen, numbers, strict=True)) != 0]
        who = attempt.entity[some]
        starts = np.searchsorted(who, np.arange(-1, attempt.size))
        ends = np.searchsorted(who, np.arange(-1, attempt.size), "right")
        for nth in range(size):
            found = np.full(attempt.size + 1, -1)
            enough = ends - starts > nth
            found[np.arange(-1, attempt.size)[enough]] = some[starts[enough] + nth]
            gain = gains[len(numbers) - size + nth]
            np.maximum(gain, attempt.times_of(found), out=gain)
    return gains
