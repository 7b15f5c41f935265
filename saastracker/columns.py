"""Columns of whole numbers as bytes: how the index keeps rows that are read all at once."""

import struct
from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np
from isal import isal_zlib

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
    return _LENGTH.pack(rows) + widths + isal_zlib.compress(planes, 1)


def unpack(data: bytes, count: int) -> list[Integers]:
    """The `count` columns that were packed."""
    (rows,) = _LENGTH.unpack_from(data)
    widths = data[_LENGTH.size : _LENGTH.size + count]
    plain = isal_zlib.decompress(data[_LENGTH.size + count :])
    planes = np.frombuffer(plain, np.uint8).reshape(sum(widths), rows)
    columns = []
    for width in widths:
        # In the narrowest numbers that hold a column: half the time of 64 bits for all.
        kind = np.dtype(np.uint16 if width <= 2 else np.uint32 if width <= 4 else np.uint64).type
        zigzag = planes[0].astype(kind)
        for place in range(1, width):
            zigzag |= planes[place].astype(kind) << kind(8 * place)
        planes = planes[width:]
        steps = (zigzag >> kind(1)).astype(np.int64)
        steps ^= -(zigzag & kind(1)).astype(np.int64)
        columns.append(np.cumsum(steps, out=steps))
    return columns


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
