"""Numbering columns gives what sorting their distinct rows does, however far apart their numbers lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.index import Integers, distinct, numbered, unique

NUMBERS = st.one_of(
    st.integers(0, 5), st.integers(-50, 50), st.integers(0, 2**41), st.integers(-(2**62), 2**62), st.just(2**63 - 1)
)


def columns(count: int) -> st.SearchStrategy[list[Integers]]:
    """That many, of equal length."""
    rows = st.lists(st.tuples(*[NUMBERS] * count), max_size=40)
    return rows.map(lambda found: [np.array(column, np.int64) for column in zip(*found, strict=True)]).filter(len)


@given(columns(1))
def test_one_column(found: list[Integers]) -> None:
    [column] = found
    expected = sorted(set(column.tolist()))
    assert unique(column).tolist() == expected
    values, place = numbered(column)
    assert values.tolist() == expected
    assert values[place].tolist() == column.tolist()


@given(columns(3))
def test_several_columns(found: list[Integers]) -> None:
    rows = list(zip(*(column.tolist() for column in found), strict=True))
    keys, first, place = distinct(*found)
    assert keys == sorted(set(rows))
    assert first.tolist() == [rows.index(key) for key in keys]
    assert [keys[each] for each in place.tolist()] == rows


@pytest.mark.parametrize("spread", [1, 31, 33, 10_000])
def test_close_and_far(spread: int) -> None:
    """Either side of where a table by number gives way to sorting."""
    column = np.random.default_rng(spread).integers(-spread * 500, spread * 500, 1000)
    values, place = numbered(column)
    assert values.tolist() == unique(column).tolist() == sorted(set(column.tolist()))
    assert (values[place] == column).all()


def test_nothing() -> None:
    none = np.zeros(0, np.int64)
    assert [each.tolist() for each in (unique(none), *numbered(none))] == [[], [], []]
    assert distinct(none, none)[0] == []
