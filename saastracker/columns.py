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
_FIRST = np.dtype("<i8")


def pack(columns: Sequence[Integers], plain: Container[int] = (), apart: int | None = None) -> bytes:
    """Columns of equal length, those at the places `plain` as they are: what does not ascend takes less so.

    The others as their first numbers and the differences from row to row. Each in as many bytes as its largest
    needs: first the lowest of every row, then the next ones, much of which is zeros. The column `apart`, which
    many readers do without, is packed by itself.
    """
    # All columns at once: a busy step packs hundreds of chunks of a few rows each.
    table = np.stack(columns)
    steps = np.diff(table, axis=1, prepend=table[:, :1])
    zigzag = (steps << 1) ^ (steps >> 63)
    kept = [place for place in range(len(columns)) if place in plain]
    zigzag[kept] = table[kept]
    numbers = zigzag.view(np.uint64)
    widths = bytes(max(1, (most.bit_length() + 7) // 8) for most in numbers.max(axis=1, initial=0).tolist())
    rows = numbers.shape[1]
    octets = numbers.view(np.uint8).reshape(len(widths), rows, 8).transpose(0, 2, 1)
    planes = [octets[column, :width].tobytes() for column, width in enumerate(widths)]
    firsts = np.delete(table[:, :1], kept, axis=0).astype(_FIRST).tobytes()
    alone = b"" if apart is None else packed(planes.pop(apart))
    return _LENGTH.pack(rows) + widths + _LENGTH.pack(len(alone)) + alone + packed(firsts + b"".join(planes))


class Packed:
    """Some chunks that were packed alike, one after the other; their columns are made when they are asked for.

    A month has a thousand chunks of a few rows each, so that numpy is called for all of them together.
    """

    def __init__(
        self, several: Sequence[bytes], columns: int, plain: Container[int] = (), apart: int | None = None
    ) -> None:
        """`columns`, `plain` and `apart` are what they were packed with."""
        self._apart = apart
        self._stepping = [place for place in range(columns) if place not in plain]
        head = len(self._stepping) * _FIRST.itemsize
        self._chunks: list[tuple[int, bytes, list[int]]] = []  # rows, widths, and the bytes before each column
        self._alone: list[bytes] = []
        self._together: list[bytes] = []  # first numbers and planes
        for data in several:
            if rows := count(data):
                widths = data[_LENGTH.size : _LENGTH.size + columns]
                begin = 2 * _LENGTH.size + columns
                (alone,) = _LENGTH.unpack_from(data, begin - _LENGTH.size)
                before = list(accumulate((rows * width for width in _but(widths, apart)), initial=head))
                if apart is not None:
                    before[apart] = 0
                self._chunks.append((rows, widths, before))
                self._alone.append(data[begin : begin + alone])
                self._together.append(unpacked(data[begin + alone :]))
        rows_of_each = np.array([chunk[0] for chunk in self._chunks], np.int64)
        self._starts = np.cumsum(rows_of_each) - rows_of_each

    def column(self, place: int, rows: Integers | None = None) -> Integers:
        """The one at `place`: all rows, or some in the order in which they are named."""
        if not self._chunks:
            return np.zeros(0, np.int64)
        planes = self._together if place != self._apart else list(map(unpacked, self._alone))
        width = max(widths[place] for _, widths, _ in self._chunks)
        octets = [np.frombuffer(self._plane(planes, place, nth), np.uint8) for nth in range(width)]
        if place not in self._stepping:
            return _numbers(octets if rows is None else [each.take(rows) for each in octets]).astype(np.int64)
        summed = _summed(octets, self._starts, self._firsts(self._stepping.index(place)))
        return summed if rows is None else summed.take(rows)

    def _plane(self, planes: Sequence[bytes], place: int, nth: int) -> bytes:
        """Of a column the lowest bytes of all rows, or the next ones."""
        return b"".join(
            own[before[place] + nth * rows : before[place] + (nth + 1) * rows] if nth < widths[place] else bytes(rows)
            for own, (rows, widths, before) in zip(planes, self._chunks, strict=True)
        )

    def _firsts(self, nth: int) -> NDArray[np.int64]:
        """Of the nth column that is kept as differences, the first number of each chunk."""
        own = slice(nth * _FIRST.itemsize, (nth + 1) * _FIRST.itemsize)
        return np.frombuffer(b"".join(planes[own] for planes in self._together), _FIRST).astype(np.int64)


def _but(widths: bytes, apart: int | None) -> Iterator[int]:
    return (0 if place == apart else width for place, width in enumerate(widths))


def _summed(octets: list[NDArray[np.uint8]], starts: Integers, firsts: Integers) -> Integers:
    """A column that was packed as differences, from its bytes and the first number of each chunk."""
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
