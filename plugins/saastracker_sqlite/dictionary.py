"""The numbers of texts in SQLite."""

import sqlite3
from hashlib import blake2b
from typing import Any

from saastracker_sqlite import bulk

# The join finds a text by its hash and compares it; equal hashes do no harm.
_FIND = "SELECT t.text, t.id FROM (VALUES {}) v CROSS JOIN texts t ON t.hash = v.column1 AND t.text = v.column2"


class Texts:
    """Lives as long as no transaction fails: it knows the last number."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (self._last,) = connection.execute("SELECT COALESCE(MAX(id), 0) FROM texts").fetchone()

    def find(self, texts: list[str]) -> dict[str, int]:
        """The numbers of texts; new ones get one."""
        hashes = [_hash(text) for text in texts]
        pairs = [value for pair in zip(hashes, texts, strict=True) for value in pair]
        found: dict[str, int] = dict(bulk.select(self._connection, _FIND, "(?, ?)", pairs))
        rows: list[Any] = []
        for text, hashed in zip(texts, hashes, strict=True):
            if text not in found:
                self._last += 1
                found[text] = self._last
                rows += (self._last, hashed, text)
        bulk.insert(self._connection, "texts (id, hash, text)", "(?, ?, ?)", rows)
        return found


def _hash(text: str) -> int:
    """48 bits, which SQLite stores in six bytes; a checksum would let a sender make texts that share one."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big", signed=True)
