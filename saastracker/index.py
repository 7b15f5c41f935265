"""The index: what is kept of each day so that reports need not read its events."""

from array import array
from datetime import date
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from saastracker.packing import packed, unpacked

Integers: TypeAlias = NDArray[np.int64]
Stored: TypeAlias = bytes | list[int]  # a bitmap or packed numbers, or a list where those are few

VERSION = "9"  # of what this code makes of events; another one in the database means: rebuild
OTHER = "(other)"  # what a day's keys beyond the limit are counted under
KEYS_MAX = 10_000  # per day, environment and namespace

FEW = 8  # actors; up to here a list of their numbers takes fewer bytes than a bitmap, and half the time
DENSE = 32  # numbers up to so many times the rows are found in a table by number, in a tenth to two thirds of the time
DENSE_MAX = 2**22  # of 9 bytes each
PACKING = 64  # bytes; Zstandard makes less no shorter

_PACKED = 8
_EPOCH = date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Days since 1970, as the index has them."""
    return day.toordinal() - _EPOCH


class Cell(msgspec.Struct, gc=False):  # a report holds hundreds of thousands, none of them in a cycle
    """Events of one key on one day: how many, the sum of their values, and whose they are.

    `counts` are the events of each actor, in the order of their numbers; None where each has one, and
    as they were stored until `per_actor` is asked.
    """

    events: int
    total: float  # of values
    valued: int  # events with a value
    actors: BitMap
    counts: Integers | Stored | None = None
    values: NDArray[np.float64] | None = None  # of each event that has one, where a tagger asks for them

    def encode(self) -> bytes:
        few = len(self.actors) <= FEW
        actors = list(self.actors) if few else self.actors.serialize()
        counts = self.counts
        if isinstance(counts, np.ndarray):
            counts = counts.tolist() if few else _pack(counts)
        row: tuple[object, ...] = self.events, actors
        if self.values is not None:
            values = packed(self.values.astype("<f8").tobytes())
            row = *row, counts, self.total, self.valued, values
        elif self.valued:
            row = *row, counts, self.total, self.valued
        elif counts is not None:
            row = *row, counts
        return _encode(row)

    @classmethod
    def decode(cls, data: bytes) -> "Cell":
        row = _decode(data)
        actors = BitMap(row.actors) if isinstance(row.actors, list) else BitMap.deserialize(row.actors)
        values = np.frombuffer(unpacked(row.values), "<f8") if row.values is not None else None
        return cls(row.events, row.total, row.valued, actors, row.counts, values)

    def per_actor(self) -> tuple[Integers, Integers]:
        """Numbers of the actors, ascending, and the events of each."""
        actors, each = numbers(self.actors), self._each()
        return actors, np.ones(len(actors), np.int64) if isinstance(each, int) else each

    def _each(self) -> Integers | int:
        """The events of each actor, 1 where all have one."""
        if isinstance(self.counts, bytes):
            self.counts = _unpack(self.counts)
        elif isinstance(self.counts, list):
            self.counts = np.array(self.counts, np.int64)
        return 1 if self.counts is None else self.counts

    def plus(self, other: "Cell") -> "Cell":
        """Both together."""
        actors = self.actors | other.actors
        counts = None
        if len(actors) != self.events + other.events:
            which = _members(actors)
            counts = np.zeros(len(which), np.int64)
            for cell in (self, other):
                counts[which.searchsorted(_members(cell.actors))] += cell._each()
            if not (counts > 1).any():
                counts = None
        values = None
        if self.values is not None and other.values is not None:
            values = np.concatenate([self.values, other.values])
        total, valued = self.total + other.total, self.valued + other.valued
        return Cell(self.events + other.events, total, valued, actors, counts, values)


class _Row(msgspec.Struct, array_like=True, gc=False):
    """A cell as it is stored. Most are of few events: a row ends where the rest is nothing, few actors are a list."""

    events: int
    actors: Stored
    counts: Stored | None = None
    total: float = 0.0
    valued: int = 0
    values: bytes | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Row).decode


def _pack(counts: Integers) -> bytes:
    """Numbers of 0 and more in as few bytes as the largest needs, packed where that is shorter; first which of it."""
    most = int(counts.max(initial=0))
    width = 1 if most < 2**8 else 2 if most < 2**16 else 4
    plain = counts.astype(f"<u{width}").tobytes()
    short = packed(plain) if len(plain) > PACKING else plain
    return bytes([width | _PACKED]) + short if len(short) < len(plain) else bytes([width]) + plain


def _unpack(data: bytes) -> Integers:
    plain = unpacked(data[1:]) if data[0] & _PACKED else data[1:]
    return np.frombuffer(plain, f"<u{data[0] & ~_PACKED}").astype(np.int64)


def numbers(actors: BitMap) -> Integers:
    """The members of a bitmap, ascending."""
    return _members(actors).astype(np.int64)


def _members(actors: BitMap) -> NDArray[np.uint32]:
    return np.frombuffer(actors.to_array(), np.uint32)


def unique(column: Integers) -> Integers:
    """The distinct numbers of a column, ascending. `numpy.unique` hashes them, which takes ten times as long."""
    low, width = _range(column)
    if _dense(width, column):
        return np.flatnonzero(_present(column - low if low else column, width)) + low
    ordered = np.sort(column)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def bitmap(members: Integers) -> BitMap:
    """A bitmap of numbers. From numpy's own arrays it takes six times as long."""
    return BitMap(array("I", members.astype(np.uint32).tobytes()))


def numbered(column: Integers) -> tuple[Integers, Integers]:
    """The distinct numbers of a column, ascending, and which of them each row is."""
    low, width = _range(column)
    from_zero, bits = column - low if low else column, len(column).bit_length()
    if _dense(width, column):
        values = np.flatnonzero(_present(from_zero, width))
        number = np.empty(width, np.int64)
        number[values] = np.arange(len(values))
        return values + low, number.take(from_zero)
    if width >= 2 ** (63 - bits):
        return np.unique(column, return_inverse=True)
    # Numbers with their place behind them sort in half the time of places by numbers.
    ordered = np.sort(from_zero << bits | np.arange(len(column)))
    places, values = ordered & (1 << bits) - 1, ordered >> bits
    new = np.ones(len(ordered), bool)
    new[1:] = values[1:] != values[:-1]
    place = np.empty(len(ordered), np.int64)
    place[places] = np.cumsum(new) - 1
    return values[new] + low, place


def distinct(*columns: Integers) -> tuple[list[tuple[int, ...]], Integers, Integers]:
    """The distinct rows of some columns, where each first stands, and which of them each row is.

    Rows become single numbers first: `numpy.unique` over rows takes ten times as long.
    """
    combined, size = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        low, width = _range(column)
        from_zero = column - low
        if size * width >= 2**63:
            values, combined = numbered(combined)
            size = len(values)
        if size * width >= 2**63:
            values, from_zero = numbered(column)
            width = len(values)
        combined, size = combined * width + from_zero, size * width
    values, place = numbered(combined)
    first = np.full(len(values), len(combined))
    np.minimum.at(first, place, np.arange(len(combined)))
    return list(zip(*(column[first].tolist() for column in columns), strict=True)), first, place


def grouped(place: Integers, groups: int) -> list[Integers]:
    """The rows of each group, where `place` says of each row which of the groups it is in."""
    # Of 16 bits numpy sorts by their digits, in a tenth of the time.
    order = np.argsort(place.astype(np.uint16) if groups <= 2**16 else place, kind="stable")
    return np.split(order, np.searchsorted(place[order], np.arange(1, groups)))


def _range(column: Integers) -> tuple[int, int]:
    """The lowest number of a column, or 0 where that is not far, and how many there are up to the highest."""
    if not len(column):
        return 0, 0
    low, high = int(column.min()), int(column.max())
    # To take 0 from each number is to copy them, half of the time.
    return (0, high + 1) if low >= 0 and _dense(high + 1, column) else (low, high - low + 1)


def _dense(width: int, column: Integers) -> bool:
    return width <= min(DENSE * len(column), DENSE_MAX)


def _present(from_zero: Integers, width: int) -> NDArray[np.bool_]:
    """For each number below `width`, whether it is in a column."""
    present = np.zeros(width, bool)
    present[from_zero] = True
    return present


class Day(NamedTuple):
    """One key's cell of one local date and environment."""

    day: int  # days since 1970
    key: str
    cell: Cell


class Seen(NamedTuple):
    """When a tagger's key was seen at all, whatever the environment."""

    key: str
    first: int  # ms
    last: int
    first_sequence: int  # of the event at `first`, the one that arrived first where several are
    last_sequence: int  # of the event at `last`, the one that arrived last
