"""Columns of whole numbers as bytes: how the index keeps rows that are read all at once."""

import struct
from collections.abc import Container, Iterator, Sequence
from itertools import accumulate
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.index import Integers
from saastracker.packing import packed, unpacked

_LENGTH = struct.Struct("<I")


def pack(columns: Sequence[Integers], plain: Container[int] = ()) -> bytes:
    """Columns of equal length, those at the places `plain` as they are: what does not ascend takes less so.

    The others as differences from row to row. Each in as many bytes as its largest needs: first the lowest
    of every row, then the next ones, much of which is zeros.
    """
    # All columns at once: a busy step packs hundreds of chunks of a few rows each.
    table = np.stack(columns)
    steps = np.diff(table, axis=1, prepend=0)
    zigzag = (steps << 1) ^ (steps >> 63)
    kept = [place for place in range(len(columns)) if place in plain]
    zigzag[kept] = table[kept]
    numbers = zigzag.view(np.uint64)
    widths = bytes(max(1, (most.bit_length() + 7) // 8) for most in numbers.max(axis=1, initial=0).tolist())
    rows = numbers.shape[1]
    octets = numbers.view(np.uint8).reshape(len(widths), rows, 8).transpose(0, 2, 1)
    planes = b"".join(octets[column, :width].tobytes() for column, width in enumerate(widths))
    return _LENGTH.pack(rows) + widths + packed(planes)


class Packed:
    """Some chunks that were packed alike, one after the other; their columns are made when they are asked for.

    A month has a thousand chunks of a few rows each, so that numpy is called for all of them together.
    """

    def __init__(self, several: Sequence[bytes], count: int, plain: Container[int] = ()) -> None:
        """`count` and `plain` are what they were packed with."""
        self._plain = plain
        self._chunks: list[tuple[int, bytes, list[int], bytes]] = []  # rows, widths and what is before each, planes
        for data in several:
            (rows,) = _LENGTH.unpack_from(data)
            if rows:
                widths = data[_LENGTH.size : _LENGTH.size + count]
                before = list(accumulate(widths, initial=0))
                self._chunks.append((rows, widths, before, unpacked(data[_LENGTH.size + count :])))
        rows_of_each = np.array([chunk[0] for chunk in self._chunks], np.int64)
        self._starts = np.cumsum(rows_of_each) - rows_of_each

    def column(self, place: int, rows: Integers | None = None) -> Integers:
        """The one at `place`: all rows, or some in the order in which they are named."""
        if not self._chunks:
            return np.zeros(0, np.int64)
        octets = [np.frombuffer(self._plane(place, nth), np.uint8) for nth in range(self._width(place))]
        if place in self._plain:
            return _numbers(octets if rows is None else [each.take(rows) for each in octets]).astype(np.int64)
        summed = _summed(octets, self._starts)
        return summed if rows is None else summed.take(rows)

    def _width(self, place: int) -> int:
        return max(widths[place] for _, widths, _, _ in self._chunks)

    def _plane(self, place: int, nth: int) -> bytes:
        """Of a column the lowest bytes of all rows, or the next ones."""
        return b"".join(
            planes[(before[place] + nth) * rows : (before[place] + nth + 1) * rows]
            if nth < widths[place]
            else bytes(rows)
            for rows, widths, before, planes in self._chunks
        )


def _summed(octets: list[NDArray[np.uint8]], starts: Integers) -> Integers:
    """A column that was packed as differences, from its bytes."""
    firsts = _signed(_combined([each[starts] for each in octets], np.uint64))
    # Each chunk begins with the number itself, mostly a large one: all that its high bytes are for.
    while len(octets) > 1 and np.count_nonzero(octets[-1]) == np.count_nonzero(octets[-1][starts]):
        octets.pop()
    steps = _signed(_numbers(octets)).astype(np.int64)
    steps[starts] = firsts
    steps[starts[1:]] -= np.add.reduceat(steps, starts)[:-1]
    return np.cumsum(steps, out=steps)


def _numbers(octets: list[NDArray[np.uint8]]) -> NDArray[np.unsignedinteger[Any]]:
    """In the narrowest numbers that hold them: half the time of 64 bits for all."""
    return _combined(octets, np.uint16 if len(octets) <= 2 else np.uint32 if len(octets) <= 4 else np.uint64)


def _combined(octets: list[NDArray[np.uint8]], kind: type[np.unsignedinteger[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """Numbers of some kind from their bytes, the lowest first."""
    numbers = octets[0].astype(kind)
    for place, each in enumerate(octets[1:], 1):
        numbers |= each.astype(kind) << kind(8 * place)
    return numbers


def _signed(zigzag: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.signedinteger[Any]]:
    return ((zigzag >> 1) ^ -(zigzag & 1)).view(f"i{zigzag.itemsize}")


def chosen(rows: NDArray[np.bool_] | Integers, *columns: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Of each column the rows where a mask is true, or those at some places in that order."""
    if rows.dtype == bool:
        if rows.all():
            return iter(columns)
        rows = np.flatnonzero(rows)  # a mask is counted and gone through for each column
    return (column.take(rows) for column in columns)  # which takes two thirds of the time of column[rows]


def joined(several: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Columns one after the other; one alone is not copied."""
    return several[0] if len(several) == 1 else np.concatenate([np.zeros(0, np.int64), *several])


class Columns(msgspec.Struct):
    """Columns of equal length."""

    def __len__(self) -> int:
        return len(getattr(self, self.__struct_fields__[0]))

    def encode(self) -> bytes:
        return pack([getattr(self, name) for name in self.__struct_fields__])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        count = len(cls.__struct_fields__)
        return cls(*map(Packed([data], count).column, range(count)))

    @classmethod
    def together(cls, several: Sequence[Self]) -> Self:
        """All of them."""
        several = [each for each in several if len(each)]
        return cls(*(joined([getattr(each, name) for each in several]) for name in cls.__struct_fields__))


def count(data: bytes) -> int:
    """How many rows were packed."""
    rows: int = _LENGTH.unpack_from(data)[0]
    return rows
