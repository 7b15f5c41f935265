"""The ids of texts: each text of an event is stored once, the event holds its number."""

import sqlite3
import sys
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from saastracker_sqlite import bulk

CACHE_BYTES = 24 * 1024 * 1024  # some 100 000 texts
ENTRY_BYTES = 140  # a text's place in the cache besides the text
NO_TEXT = 0  # takes no byte either, and binds ten times faster than NULL, for which sqlite3 looks for an adapter

# The join finds a text by its hash and compares it; equal hashes do no harm.
_FIND = "SELECT t.text, t.id FROM (VALUES {}) v CROSS JOIN texts t ON t.hash = v.column1 AND t.text = v.column2"


class Dictionary:
    """Gives out ids; the texts used lately are kept in memory. Lives as long as no transaction fails.

    The cache has two generations: when the younger is full it becomes the older, and that is
    dropped; what is used again moves to the younger. So a hit costs no more than a dict's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._young: dict[str | None, int] = {None: NO_TEXT}
        self._old: dict[str | None, int] = {}
        self._bytes = 0  # of the younger
        (self._last,) = connection.execute("SELECT COALESCE(MAX(id), 0) FROM texts").fetchone()

    def codes(self, texts: Iterable[str | None]) -> Mapping[str | None, int]:
        """A mapping that holds the ids of these texts, and of others. Valid until the next call."""
        if self._bytes > CACHE_BYTES // 2:
            self._young, self._old, self._bytes = {None: NO_TEXT}, self._young, 0
        missing = set(texts).difference(self._young)
        if missing:
            self._young.update((text, self._old[text]) for text in missing.intersection(self._old))
            self._find([text for text in missing.difference(self._old) if text is not None])
            self._bytes += sum(sys.getsizeof(text) + ENTRY_BYTES for text in missing)
        return self._young

    def forget(self, texts: Iterable[str]) -> None:
        """Texts that were deleted."""
        for text in texts:
            self._young.pop(text, None)
            self._old.pop(text, None)

    def _find(self, texts: list[str]) -> None:
        """Read the ids of texts that are not in memory; give ids to new ones."""
        young = self._young
        hashes = [_hash(text) for text in texts]
        pairs = [value for pair in zip(hashes, texts, strict=True) for value in pair]
        young.update(bulk.select(self._connection, _FIND, "(?, ?)", pairs))
        rows: list[Any] = []
        for text, hashed in zip(texts, hashes, strict=True):
            if text not in young:
                self._last += 1
                young[text] = self._last
                rows += (self._last, hashed, text)
        bulk.insert(self._connection, "texts (id, hash, text)", "(?, ?, ?)", rows)


def _hash(text: str) -> int:
    """48 bits, which SQLite stores in six bytes; a checksum would let a sender make texts that share one."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big", signed=True)
