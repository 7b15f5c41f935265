"""The index of a store, brought up to its events as the server does it."""

from collections.abc import Sequence

from saastracker.contracts import Store
from saastracker.definition import Definitions
from saastracker.indexer import Indexer
from saastracker.tagger import Tagger
from saastracker.testing import PROJECT


def follow(
    store: Store,
    *,
    timezone: str = "UTC",
    taggers: Sequence[Tagger] = (),
    definitions: Definitions | None = None,
) -> Indexer:
    """Take in all events that are not in the index yet; `timezone` is that of PROJECT. The store is claimed."""
    indexer = Indexer(
        store.index, lambda: {PROJECT.id: timezone}, lambda work: work(), taggers=taggers, definitions=definitions
    )
    indexer.begin()
    while any(indexer.step()):
        pass
    return indexer
