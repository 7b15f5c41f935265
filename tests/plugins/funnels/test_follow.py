"""Following everybody through steps at once gives what going through each one's events in turn gives."""

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saastracker_funnels.definition import Order
from saastracker_funnels.follow import NEVER, Attempts, Events, Rules, follow
from tests.plugins.funnels.walking import Event, slow

SIZE = 3  # entities


def fast(sent: list[Event], rules: Rules) -> Attempts:
    """Places stand for the order of arrival."""

    def places(chosen: list[bool]) -> "np.typing.NDArray[np.int64]":
        return np.flatnonzero(np.array(chosen, bool))

    events = Events(
        np.array([event.entity for event in sent], np.int64),
        np.array([event.time for event in sent], np.int64),
        np.arange(len(sent)) + 7,
    )
    steps = [places([number in event.fits for event in sent]) for number in range(len(rules.optional))]
    return follow(events, SIZE, steps, places([event.excluded for event in sent]), rules)


def made(seed: int) -> tuple[list[Event], Rules]:
    """Of the last entity there is no event; most go far, since steps mostly come in turn."""
    pick = random.Random(seed)
    order: Order = pick.choice(["sequential", "strict", "any"])
    count = pick.randrange(2, 6 if order != "any" else 5)
    optional = (False, *(order != "any" and pick.random() < 0.5 for _ in range(count - 2)), False)
    sent = []
    for number in range(pick.randrange(9 if order == "any" else 40)):
        fits = {number // 3 % count} if pick.random() < 0.6 else {pick.randrange(count)}
        fits |= {pick.randrange(count)} if pick.random() < 0.3 else set()
        time = 100 + number // 2 + pick.choice([0, 0, 0, 5])
        fitting = frozenset(fits if pick.random() < 0.9 else ())
        sent.append(Event(pick.randrange(-1, SIZE - 1), time, fitting, pick.random() < 0.03))
    start = pick.randrange(99, 105)
    window = pick.choice([0, 3, 10, 30])
    return sent, Rules(order, optional, window, start, pick.randrange(start, 125))


@settings(max_examples=1500, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_equals_going_through_each_ones_events(seed: int) -> None:
    sent, rules = made(seed)
    found = fast(sent, rules)
    expected = slow(sent, rules, range(SIZE))
    assert set(found.entity.tolist()) == set(expected)
    for entity, entry, reached in zip(
        found.entity.tolist(), found.entry.tolist(), found.reached.T.tolist(), strict=True
    ):
        times = [None if time == NEVER else time for time in reached]
        assert (entry, times) == expected[entity]


# --- Worked out by hand ---

A, B, C, D, AB, NONE = (frozenset(steps) for steps in ([0], [1], [2], [3], [0, 1], []))
DAY = 1000


def times(order: Order, *sent: tuple[int, frozenset[int]], optional: str = "no no no", window: int = 0) -> list[int]:
    """When one entity reached each step; -1 for never."""
    may_miss = tuple(word == "yes" for word in optional.split())
    rules = Rules(order, may_miss, window, 0, DAY)
    found = fast([Event(0, time, fits) for time, fits in sent], rules)
    return np.where(found.reached == NEVER, -1, found.reached)[:, 0].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("sequential", [1, 4, 5]), ("strict", [1, -1, -1]), ("any", [1, 2, 4])],
)
def test_the_orders(order: Order, expected: list[int]) -> None:
    assert times(order, (1, A), (2, C), (3, NONE), (4, B), (5, C)) == expected


def test_a_tie_goes_by_arrival() -> None:
    assert times("sequential", (1, A), (1, B), (1, C)) == [1, 1, 1]
    assert times("sequential", (1, A), (1, C), (1, B)) == [1, 1, -1]
    assert times("strict", (1, C), (1, A), (1, B), (1, C)) == [1, 1, 1]


@pytest.mark.parametrize("order", ["sequential", "strict", "any"])
def test_the_end_of_the_window_is_part_of_it(order: Order) -> None:
    assert times(order, (1, A), (8, B), (11, C), window=10) == [1, 8, 11]
    assert times(order, (1, A), (8, B), (12, C), window=10) == [1, 8, -1]
    assert times(order, (1, A), (8, B), (10**12, C)) == [1, 8, 10**12]


def test_one_event_serves_one_step() -> None:
    assert times("sequential", (1, AB), (2, C)) == [1, -1, -1]
    assert times("any", (1, AB), (2, C)) == [1, 2, -1]
    assert times("any", (1, AB), (2, A), (3, C)) == [1, 2, 3]
    assert times("any", (1, AB), (2, AB), (3, AB)) == [1, 2, -1]


def test_an_optional_step_may_be_missing() -> None:
    assert times("sequential", (1, A), (2, C), (3, B), optional="no yes no") == [1, -1, 2]
    assert times("sequential", (1, A), (2, B), (3, C), optional="no yes no") == [1, 2, 3]
    assert times("sequential", (1, A), (2, B), optional="no yes no") == [1, 2, -1]
    assert times("strict", (1, A), (2, C), (3, B), optional="no yes no") == [1, -1, 2]
    assert times("strict", (1, A), (2, B), (3, C), optional="no yes no") == [1, 2, 3]
    assert times("strict", (1, A), (2, B), (3, A), optional="no yes no") == [1, 2, -1]


def test_optional_steps_in_a_row() -> None:
    both = "no yes yes no"
    assert times("sequential", (1, A), (2, B), (3, C), (4, D), optional=both) == [1, 2, 3, 4]
    assert times("sequential", (1, A), (2, C), (3, B), (4, D), optional=both) == [1, 3, -1, 4]
    assert times("strict", (1, A), (2, C), (3, D), optional=both) == [1, -1, 2, 3]
    assert times("strict", (1, A), (2, B | D), (3, C), optional=both) == [1, -1, -1, 2]  # leads to the end


def test_only_the_earliest_entry_counts() -> None:
    assert times("sequential", (1, A), (50, A), (51, B), (52, C), window=10) == [1, -1, -1]
    assert times("strict", (1, A), (2, A), (3, B)) == [1, -1, -1]


@pytest.mark.parametrize("order", ["sequential", "strict", "any"])
def test_an_exclusion_ends_the_attempt_and_takes_no_step(order: Order) -> None:
    sent = [Event(0, 0, NONE, True), Event(0, 1, A), Event(0, 2, B), Event(0, 3, C, True), Event(0, 4, C)]
    found = fast(sent, Rules(order, (False,) * 3, 0, 0, DAY))
    assert found.reached[:, 0].tolist() == [1, 2, NEVER]
    assert found.entry.tolist() == [1]


def test_times_too_far_apart_for_one_number() -> None:
    events = Events(np.zeros(3, np.int64), np.array([5 * 10**12, 0, 0]), np.array([1, 10**8, 5]))
    assert events.ranks().tolist() == [2, 1, 0]
    steps = [np.array([2]), np.array([1]), np.array([0])]
    assert follow(
        events, 1, steps, np.zeros(0, np.int64), Rules("strict", (False,) * 3, 0, 0, DAY)
    ).reached.tolist() == [
        [0],
        [0],
        [5 * 10**12],
    ]


def test_all_overlapping_rules_in_any_order() -> None:
    """Against every way of giving events to steps, of more steps than the made-up cases have."""
    some = [frozenset(step for step, inside in enumerate(bits) if inside) for bits in product((0, 1), repeat=3)]
    for fits in product(some[1:], repeat=3):
        sent = [Event(0, time, each) for time, each in enumerate(fits)]
        rules = Rules("any", (False,) * 3, 0, 0, DAY)
        found = [None if time == NEVER else time for time in fast(sent, rules).reached[:, 0].tolist()]
        assert found == slow(sent, rules, range(SIZE))[0][1]
