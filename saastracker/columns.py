"""Columns of whole numbers as bytes: how the index keeps rows that are read all at once."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np

from saastracker.index import Integers

_LENGTH = struct.Struct("<I")


def pack(columns: Sequence[Integers]) -> bytes:
    """Columns of equal length.

    As differences from row to row, each column in as many bytes as its largest needs: first the lowest
    of every row, then the next ones, much of which is zeros.
    """
    rows = len(columns[0])
    widths, planes = bytearray(), []
    for column in columns:
        steps = np.diff(column, prepend=0)
        zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
        width = max(1, (int(zigzag.max(initial=0)).bit_length() + 7) // 8)
        widths.append(width)
        planes.append(np.ascontiguousarray(zigzag.view(np.uint8).reshape(rows, 8)[:, :width].T).tobytes())
    return _LENGTH.pack(rows) + bytes(widths) + zlib.compress(b"".join(planes), 1)


def unpack(data: bytes, count: int) -> list[Integers]:
    """The `count` columns that were packed."""
    (rows,) = _LENGTH.unpack_from(data)
    widths = data[_LENGTH.size : _LENGTH.size + count]
    planes = np.frombuffer(zlib.decompress(data[_LENGTH.size + count :]), np.uint8)
    columns, start = [], 0
    for width in widths:
        zigzag = np.zeros((rows, 8), np.uint8)
        zigzag[:, :width] = planes[start : start + width * rows].reshape(width, rows).T
        start += width * rows
        steps = zigzag.view(np.uint64).reshape(rows)
        columns.append(np.cumsum((steps >> np.uint64(1)).view(np.int64) ^ -(steps & np.uint64(1)).view(np.int64)))
    return columns


def count(data: bytes) -> int:
    """How many rows were packed."""
    rows: int = _LENGTH.unpack_from(data)[0]
    return rows
