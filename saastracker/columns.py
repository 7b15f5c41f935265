"""Columns of whole numbers as bytes: how the index keeps rows that are read all at once."""

import struct
import zlib
from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np

from saastracker.index import Integers

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
    return _LENGTH.pack(rows) + widths + zlib.compress(planes, 1)


def unpack(data: bytes, count: int) -> list[Integers]:
    """The `count` columns that were packed."""
    (rows,) = _LENGTH.unpack_from(data)
    widths = data[_LENGTH.size : _LENGTH.size + count]
    planes = zlib.decompress(data[_LENGTH.size + count :])
    zigzag = np.zeros((count, rows), np.uint64)
    octets = zigzag.view(np.uint8).reshape(count, rows, 8)
    places = ((column, place) for column, width in enumerate(widths) for place in range(width))
    for start, (column, place) in enumerate(places):
        octets[column, :, place] = np.frombuffer(planes, np.uint8, rows, start * rows)
    # The shift is of an unsigned number: the highest bit is no sign.
    steps = (zigzag >> np.uint64(1)).view(np.int64)
    steps ^= -(zigzag & np.uint64(1)).view(np.int64)
    return list(np.cumsum(steps, axis=1, out=steps))


class Columns(msgspec.Struct):
    """Columns of equal length."""

    def __len__(self) -> int:
        return len(getattr(self, self.__struct_fields__[0]))

    def encode(self) -> bytes:
        return pack([getattr(self, name) for name in self.__struct_fields__])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(*unpack(data, len(cls.__struct_fields__)))

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
