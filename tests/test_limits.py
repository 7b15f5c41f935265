"""A key may send its rate for ever, ten seconds' worth at once, and no more."""

from hypothesis import given
from hypothesis import strategies as st

from saastracker.limits import Limits


def test_a_burst_then_the_rate() -> None:
    limits = Limits()
    assert [limits.take("k", 2, 100.0) for _ in range(20)] == [0.0] * 20
    assert limits.take("k", 2, 100.0) == 0.5
    assert limits.take("k", 2, 100.0) == 0.5, "one that has to wait costs nothing"
    assert limits.take("k", 2, 100.5) == 0.0
    assert limits.take("k", 2, 100.5) == 0.5
    assert limits.take("other", 2, 100.5) == 0.0
    assert [limits.take("k", 2, 1000.0) for _ in range(20)] == [0.0] * 20, "silence earns no more than one burst"
    assert limits.take("k", 2, 1000.0) > 0


def test_another_rate_counts_at_once() -> None:
    limits = Limits()
    for _ in range(10):
        limits.take("k", 1, 0.0)
    assert limits.take("k", 1, 0.0) == 1.0
    assert limits.take("k", 100, 0.0) < 0.011


@given(st.integers(1, 50), st.lists(st.floats(0, 3), max_size=300))
def test_no_stretch_of_time_sees_more_than_its_share(rate: int, pauses: list[float]) -> None:
    limits, now, taken = Limits(), 0.0, []
    for pause in pauses:
        now += pause
        if not limits.take("k", rate, now):
            taken.append(now)
    for first, since in enumerate(taken):
        for number, until in enumerate(taken[first:], 1):
            assert number <= rate * (until - since + 10) + 1e-3


@given(st.integers(1, 1000), st.floats(0, 1e6))
def test_who_waits_as_told_may_send(rate: int, now: float) -> None:
    limits = Limits()
    while not (wait := limits.take("k", rate, now)):
        pass
    assert limits.take("k", rate, now + wait) == 0.0
