"""One of the two databases of a copy."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, TypeAlias

from saastracker.contracts import RecordStore, Store
from saastracker.errors import OperatorError
from saastracker.indexer import Indexer

# A progress bar of that name; `show(done, total)`, where a total of None only says that work goes on.
Bar: TypeAlias = Callable[[str], AbstractContextManager[Callable[[int, int | None], None]]]

FOLLOWED_SECONDS = 120.0  # that a server may take to index its last events


class Side(NamedTuple):
    """A database that is open."""

    records: RecordStore
    store: Store
    indexer: Callable[[], Indexer]  # of the store, once it is claimed, by the newest records
    namespaces: Sequence[str]  # of taggers

    @property
    def sealed(self) -> bool:
        return self.records.sealed and self.store.sealed

    def seal(self, sealed: bool) -> None:
        self.records.seal(sealed)
        self.store.seal(sealed)

    def follow(self, bar: Bar) -> None:
        """Until the index has all events, by a server or here: it remembers events that are gone."""
        store, end = self.store, time.monotonic() + FOLLOWED_SECONDS
        with bar("Indexing what is copied") as show:
            while (state := store.index.state()).watermark < state.newest or state.dirty:
                show(state.watermark, state.newest)
                try:
                    store.claim()
                except OperatorError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.2)
                    continue
                self.indexer().step()
