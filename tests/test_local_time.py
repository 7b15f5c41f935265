"""Local dates in SQL are those of the time zone database."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.conditions import DAY_MS, HOUR_MS, Stretch, local_time, stretches
from saastracker.scope import Span

ZONES = ["UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]


@given(
    st.sampled_from(ZONES),
    st.dates(date(1971, 1, 1), date(2037, 1, 1)),
    st.integers(0, 500),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20),
)
def test_the_clock_of_any_moment(zone: str, first: date, days: int, places: list[float]) -> None:
    span = Span(first, first + timedelta(days=days), zone)
    clock, parameters = local_time(span)
    with closing(sqlite3.connect(":memory:")) as connection:
        for place in places:
            time = span.start + int(place * (span.end - span.start))
            [(local,)] = connection.execute(
                f'SELECT {clock} FROM (SELECT :time AS "time")', {**parameters, "time": time}
            )
            shown = datetime.fromtimestamp(time / 1000, UTC).astimezone(ZoneInfo(zone))
            assert local // DAY_MS == shown.toordinal() - date(1970, 1, 1).toordinal()
            assert local % DAY_MS // HOUR_MS == shown.hour


@pytest.mark.parametrize(
    ("last", "offsets"),
    [
        (date(2026, 3, 28), [1]),  # the change is just behind the span
        (date(2026, 3, 29), [1, 2]),
        (date(2026, 11, 1), [1, 2, 1]),
    ],
)
def test_a_span_is_cut_where_its_clocks_change(last: date, offsets: list[int]) -> None:
    span = Span(date(2026, 3, 1), last, "Europe/Amsterdam")
    found = stretches(span)
    assert [part.offset for part in found] == [hours * HOUR_MS for hours in offsets]
    assert (found[0].start, found[-1].end) == (span.start, span.end)
    assert [part.end for part in found[:-1]] == [part.start for part in found[1:]]


def test_clocks_that_change_within_the_first_day() -> None:
    span = Span(date(2026, 10, 25), date(2026, 10, 25), "Europe/Amsterdam")
    change = int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp() * 1000)
    assert stretches(span) == [Stretch(span.start, change, 2 * HOUR_MS), Stretch(change, span.end, HOUR_MS)]


def test_clocks_that_change_a_whole_day_after_the_span_began() -> None:
    span = Span(date(1985, 12, 31), date(1986, 1, 2), "Asia/Kathmandu")  # from UTC+5:30 to UTC+5:45 at midnight
    change = int(datetime(1985, 12, 31, 18, 30, tzinfo=UTC).timestamp() * 1000)
    assert [part.end for part in stretches(span)] == [change, span.end]
