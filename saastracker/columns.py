"""Columns of whole numbers as bytes: how the index keeps rows that are read all at once."""

import struct
from collections.abc import Sequence
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.index import Integers
from saastracker.packing import packed, unpacked

_LENGTH = struct.Struct("<I")


def pack(columns: Sequence[Integers]) -> bytes:
    """Columns of equal length.

    As differences from row to row, each column in as many bytes as its largest needs: first the lowest
    of every row, then the next ones, much of which is zeros.
    """
    # All columns at once: a busy step packs hundreds of chunks of a few rows each.
    table = np.stack(columns)
    steps = np.diff(table, axis=1, prepend=0)
    zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    widths = bytes(max(1, (most.bit_length() + 7) // 8) for most in zigzag.max(axis=1, initial=0).tolist())
    rows = zigzag.shape[1]
    octets = zigzag.view(np.uint8).reshape(len(widths), rows, 8).transpose(0, 2, 1)
    planes = b"".join(octets[column, :width].tobytes() for column, width in enumerate(widths))
    return _LENGTH.pack(rows) + widths + packed(planes)


def unpack(several: Sequence[bytes], count: int) -> list[Integers]:
    """The `count` columns that were packed, of several chunks one after the other.

    A month has a thousand chunks of a few rows each, so that numpy is called for all of them together.
    """
    several = [data for data in several if _LENGTH.unpack_from(data)[0]]
    rows = [_LENGTH.unpack_from(data)[0] for data in several]
    widths = [data[_LENGTH.size : _LENGTH.size + count] for data in several]
    planes: list[list[list[bytes]]] = [[[] for _ in range(max(each, default=1))] for each in zip(*widths, strict=True)]
    for data, length, own in zip(several, rows, widths, strict=True):
        plain, at = unpacked(data[_LENGTH.size + count :]), 0
        for column, width in zip(planes, own, strict=True):
            for place, plane in enumerate(column):
                plane.append(plain[at : at + length] if place < width else bytes(length))
                at += length * (place < width)
    starts = np.cumsum(rows) - rows
    return [_column(column, starts) for column in planes] or [np.zeros(0, np.int64) for _ in range(count)]


def _column(planes: list[list[bytes]], starts: Integers) -> Integers:
    """A column of several chunks, from the bytes of each: all lowest ones, then all next ones."""
    octets = [np.frombuffer(b"".join(each), np.uint8) for each in planes]
    firsts = _signed(_joined([each[starts] for each in octets], np.uint64))
    # Each chunk begins with the number itself, mostly a large one: all that its high bytes are for.
    while len(octets) > 1 and np.count_nonzero(octets[-1]) == np.count_nonzero(octets[-1][starts]):
        octets.pop()
    # In the narrowest numbers that hold it: half the time of 64 bits for all.
    kind = np.uint16 if len(octets) <= 2 else np.uint32 if len(octets) <= 4 else np.uint64
    steps = _signed(_joined(octets, kind)).astype(np.int64)
    steps[starts] = firsts
    steps[starts[1:]] -= np.add.reduceat(steps, starts)[:-1]
    return np.cumsum(steps, out=steps)


def _joined(octets: list[NDArray[np.uint8]], kind: type[np.unsignedinteger[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """Numbers of some kind from their bytes, the lowest first."""
    numbers = octets[0].astype(kind)
    for place, each in enumerate(octets[1:], 1):
        numbers |= each.astype(kind) << kind(8 * place)
    return numbers


def _signed(zigzag: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.signedinteger[Any]]:
    return ((zigzag >> 1) ^ -(zigzag & 1)).view(f"i{zigzag.itemsize}")


class Columns(msgspec.Struct):
    """Columns of equal length."""

    def __len__(self) -> int:
        return len(getattr(self, self.__struct_fields__[0]))

    def encode(self) -> bytes:
        return pack([getattr(self, name) for name in self.__struct_fields__])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(*unpack([data], len(cls.__struct_fields__)))

    @classmethod
    def together(cls, several: Sequence[Self]) -> Self:
        """All of them."""
        none = np.zeros(0, np.int64)
        return cls(
            *(np.concatenate([none, *(getattr(each, name) for each in several)]) for name in cls.__struct_fields__)
        )


def count(data: bytes) -> int:
    """How many rows were packed."""
    rows: int = _LENGTH.unpack_from(data)[0]
    return rows
