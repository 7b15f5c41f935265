"""Columns as bytes: whatever was packed comes back, all of it or some rows."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from saastracker.columns import Packed, count, pack
from saastracker.segments import STORED, Moments

NUMBERS = st.one_of(
    st.integers(0, 300), st.integers(-5, 2**17), st.integers(2**40, 2**41), st.integers(-(2**62), 2**62 - 1)
)
CHUNKS = st.lists(
    st.integers(0, 9).flatmap(lambda rows: st.lists(st.tuples(*[NUMBERS] * 3), min_size=rows)), max_size=4
)


@given(CHUNKS, st.frozensets(st.integers(0, 2)), st.sampled_from([None, 0, 1, 2]), st.randoms(use_true_random=False))
def test_several_chunks_come_back(
    chunks: list[list[tuple[int, int, int]]], plain: frozenset[int], apart: int | None, random: Random
) -> None:
    tables = [np.array(chunk, np.int64).reshape(-1, 3).T for chunk in chunks]
    packed = [pack(list(table), plain, apart) for table in tables]
    assert [count(data) for data in packed] == [len(chunk) for chunk in chunks]
    whole = np.concatenate([np.zeros((3, 0), np.int64), *tables], axis=1)
    some = np.array([row for row in range(whole.shape[1]) if random.random() < 0.5], np.int64)
    columns = Packed(packed, 3, plain, apart)
    for place in range(3):
        assert columns.column(place).tolist() == whole[place].tolist()
        assert columns.column(place, some).tolist() == whole[place][some].tolist()


def test_moments_without_what_is_not_asked_for() -> None:
    moments = Moments(["view"], *(np.arange(6) + 10 * place for place in range(len(STORED) + 1)))
    moments.name[:] = 0
    pieces = [("view", moments.encode()), ("view", moments.encode())]
    found = Moments.decoded(pieces, lambda path: np.flatnonzero(path % 2), sessions=False)
    assert found.path.tolist() == [51, 53, 55, 51, 53, 55]
    assert found.actor.tolist() == [11, 13, 15, 11, 13, 15]
    assert found.sequence.tolist() == [41, 43, 45, 41, 43, 45]
    assert found.session.tolist() == [0] * 6
    assert Moments.decoded(pieces, lambda _: None).session.tolist() == [*range(20, 26)] * 2
