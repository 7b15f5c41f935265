"""The numbers of texts and projects that events have in place of them."""

from hashlib import blake2b
from uuid import UUID

import psycopg

from saastracker.dictionary import Dictionary
from saastracker_postgres.rows import clean


class Numbering:
    """Knows numbers until `erased` says that they may be others' by now."""

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection
        self.erased()

    def erased(self) -> None:
        """Know nothing: numbers of texts or projects are no longer valid."""
        row = self._connection.execute("SELECT value FROM counters WHERE name = 'texts'").fetchone()
        self.known = row[0] if row else 0  # what `begin_append` compares
        self.texts = Dictionary(self.find)
        self._projects: dict[str, int] = {}

    def look(self) -> None:
        """Know nothing if texts were erased since; nobody may do that from now on."""
        known = "SELECT 1 FROM counters WHERE name = 'texts' AND value = %s"
        if self._connection.execute(known, (self.known,)).fetchone() is None:
            self.erased()

    def projects(self, projects: set[str]) -> dict[str, int]:
        """The numbers of these projects, and of others; new ones get one."""
        unknown = sorted(projects - self._projects.keys())
        if unknown:
            self._connection.execute(
                "INSERT INTO projects (project) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", (unknown,)
            )
            rows = self._connection.execute(
                "SELECT project, id FROM projects WHERE project = ANY (%s::text[])", (unknown,)
            )
            self._projects.update(rows.fetchall())  # type: ignore[arg-type]
        return self._projects

    def find(self, texts: list[str]) -> dict[str, int]:
        """The numbers of texts, new ones for those without; committed before any event has them."""
        if not texts:
            return {}
        hashes = {_hash(text): text for text in texts}
        rows = self._connection.execute(
            "SELECT hash, id FROM numbered(%s::uuid[], %s::text[])",
            (list(hashes), [clean(text) for text in hashes.values()]),
        )
        return {hashes[hashed]: number for hashed, number in rows.fetchall()}  # type: ignore[index,misc]


def _hash(text: str) -> UUID:
    return UUID(bytes=blake2b(text.encode(), digest_size=16).digest())
