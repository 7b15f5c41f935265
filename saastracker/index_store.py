"""How a store keeps the index: what it reads for the indexer, and what one step of that changes."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from saastracker.index import Cell, Integers, Seen

CHUNK_ROWS = 4096  # of moments and parts; the last chunk of a day takes more until it has as many


class CellKey(NamedTuple):
    project: str  # id
    namespace: str
    day: int  # local date, days since 1970
    environment: str
    key: str


class Group(NamedTuple):
    """What a limit of keys counts in."""

    project: str  # id
    namespace: str
    day: int
    environment: str
    unit: str  # a definition's id where each has keys of its own, which stand behind it and a slash; else ""


class ActorKey(NamedTuple):
    """A distinct pair of person and organization. Texts as the store's codes, 0 for none."""

    project: str  # id
    anonymous: bool  # whether `person` is an anonymous id
    person: int
    org: int


class Actor(NamedTuple):
    number: int  # from 1; 0 is nobody
    first: int  # ms, of its events' times
    last: int


class Arrivals(msgspec.Struct):
    """Events in order of arrival, a column each. Texts are the store's codes, 0 for none."""

    projects: Sequence[str]  # ids
    project: Integers  # place in `projects`
    sequence: Integers
    time: Integers  # ms
    value: NDArray[np.float64]  # NaN for none
    codes: Mapping[str, Integers]  # by column of Event

    def __len__(self) -> int:
        return len(self.sequence)

    def only(self, rows: Integers | slice) -> "Arrivals":
        """The rows at some places; those of a slice are not copied."""
        return Arrivals(
            self.projects,
            self.project[rows],
            self.sequence[rows],
            self.time[rows],
            self.value[rows],
            {name: column[rows] for name, column in self.codes.items()},
        )


class Sequences(NamedTuple):
    """The lowest and highest sequence number of a day's events."""

    low: int
    high: int


class ChunkKey(NamedTuple):
    """Moments and parts of a day are kept in chunks, so that new ones need not touch what a busy day has."""

    project: str  # id
    kind: str  # moments or parts
    day: int
    environment: str
    key: str  # of moments the event's name


class Chunk(NamedTuple):
    number: int  # from 0, per key
    data: bytes


class Unit(NamedTuple):
    """What of a tagger is followed by itself."""

    project: str  # id
    namespace: str
    unit: str  # a definition's id, or "" for a tagger without definitions


class Progress(NamedTuple):
    version: str
    watermark: int  # the last sequence number that is in the unit's cells


class IndexChanges(msgspec.Struct):
    """What one step of the indexer changes, in one transaction."""

    after: int  # the number of changes this step started from; another one by now means it has to start over
    watermark: int
    clear: list[tuple[str, int]] = []  # project and day, before anything is put
    cells: dict[CellKey, Cell] = {}
    days: dict[tuple[str, int], Sequences] = {}
    actors: dict[ActorKey, Actor] = {}  # new ones
    seen: dict[int, tuple[int, int]] = {}  # known actors: first and last time, widened by these
    aliases: dict[tuple[str, int], int] = {}  # project and anonymous id → user; the first stays
    chunks: dict[tuple[ChunkKey, int], bytes] = {}  # with their numbers
    sessions: dict[tuple[str, int], BitMap] = {}  # all of a project and day
    longer: dict[tuple[str, int], list[int]] = {}  # project and session of several days → all of them, in order
    forget: list[Unit] = []  # with all their cells, before anything is put
    units: dict[Unit, Progress] = {}
    seen_keys: dict[tuple[str, str], list[Seen]] = {}  # by project and namespace
    settled: list[tuple[str, int]] = []  # project and day; days with events are open again
    zones: dict[str, str] = {}  # of projects; another one than before makes all their days dirty
    # What is taken away after an erasure, before anything is put.
    gone: list[int] = []  # actors
    narrowed: dict[int, tuple[int, int]] = {}  # actors: first and last time, as they are from now on
    unjoined: list[tuple[str, int]] = []  # project and anonymous id: aliases
    shorter: list[tuple[str, int]] = []  # project and session: those of several days
    unseen: list[tuple[str, str, str]] = []  # project, namespace and key: what `seen_keys` once put
    dirty: list[tuple[str, int]] = []  # project and day

    @property
    def number(self) -> int:
        """Of this change; actors and aliases are kept with that of the last that put them."""
        return self.after + 1


class IndexState(msgspec.Struct, frozen=True):
    watermark: int  # the last sequence number that is in the index
    newest: int  # the last that is stored
    last_actor: int
    changes: int  # grows with every write, mark and reset
    version: str  # of the code and settings that made the index; empty for a new one
    dirty: Sequence[tuple[str, int]] = ()  # project and day to be recomputed from raw events
    first: Mapping[str, int] = {}  # the sequence number of each project's first event
    zones: Mapping[str, str] = {}  # the time zones by which the projects' days are made


class Index(Protocol):
    """How a store keeps the index. `write`, `mark` and `reset` are called on the writer's thread."""

    def state(self) -> IndexState: ...

    def arrivals(
        self, after: int, limit: int, until: int | None = None, near: tuple[str, int] | None = None
    ) -> Arrivals:
        """Events after a sequence number, up to `limit`, or up to the sequence number `until`.

        `near` a project and day: only the project's, and only those that may be of that day in any time zone.
        """

    def texts(self, codes: Sequence[int]) -> dict[int, str]: ...

    def actors(self, keys: Sequence[ActorKey]) -> dict[ActorKey, int]:
        """The numbers of those that are known."""

    def cells(self, keys: Sequence[CellKey]) -> dict[CellKey, Cell]: ...

    def keys(self, groups: Collection[Group]) -> dict[Group, int]:
        """How many keys each group has; those without are left out."""

    def span(self, project: str, day: int) -> Sequences | None: ...

    def sessions(self, project: str, low: int, high: int, days: Sequence[int] = ()) -> dict[int, BitMap]:
        """All sessions of each of some days, and of each that has one with a code in `low` to `high`."""

    def last_chunks(self, keys: Sequence[ChunkKey]) -> dict[ChunkKey, Chunk]:
        """The last chunk of each key that has one."""

    def quiet(self, share: float) -> tuple[str, int] | None:
        """The first project and day that is not settled, though no event of it came for some time.

        The time, in events of all projects, is at least that `share` of the time from its first event to the last.
        """

    def reader(self) -> AbstractContextManager[Any]:
        """Reads as reports make them, by a `contracts.Reader`."""

    def units(self) -> dict[Unit, Progress]:
        """What is followed of taggers."""

    def properties(self, sequences: Sequence[int], names: Sequence[str] = ()) -> dict[int, str]:
        """The properties of events, given in order of arrival, as JSON.

        Those without are left out, and may be without one of some names.
        """

    def write(self, changes: IndexChanges) -> None:
        """All of it or nothing. Raises Conflict if the index was changed after the step started."""

    def mark(self, days: Sequence[tuple[str, int]]) -> None:
        """Make days dirty."""

    def reset(self, version: str) -> None:
        """An empty index, but for when actors and keys were first seen on days whose events are gone.

        There, who was joined to whom stays, too.
        """
