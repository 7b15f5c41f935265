"""A reader's part that reads the index, in the tables that all SQL stores share."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from saastracker.errors import Unavailable
from saastracker.sql import Dialect

if TYPE_CHECKING:  # numpy takes 13 MB, which a server is spared until there are events
    from saastracker.actors import Actors
    from saastracker.index import Day, Integers, Seen
    from saastracker.parts import Parts
    from saastracker.segments import Moments

PIECES = 8  # of moments that are narrowed together: some 100 000 events of a busy project
PROJECTS_MAX = 8  # whose actors are remembered: 44 000 take 15 MB, and 50 ms to read
NEWEST = 50_000  # events that the index may lack and still be called complete: a busy server's last seconds

KnownActors: TypeAlias = "dict[str, tuple[int, Actors]]"  # by project, with the state of the index they are of


class SqlIndexReads(ABC):
    """CROSS JOIN with a condition keeps the order of the tables in SQLite; elsewhere it is to be read as JOIN."""

    dialect: Dialect
    ended = False  # set by the store when its `reader()` is over
    _readable = False  # whether the index is known to be of this release's making

    def __init__(self, known_actors: KnownActors) -> None:
        """`known_actors` is shared by all readers of a store."""
        self._known_actors = known_actors

    @abstractmethod
    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """See `Reader`."""

    def _indexed(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What releases keep in forms of their own. Raises Unavailable where it is another's."""
        if not self._readable:
            if not of_this_release(self.query("SELECT version FROM index_state")[0][0]):
                raise Unavailable("The index is made again after an upgrade; ask again in a moment.", reason="index")
            self._readable = True
        return self.query(sql, **parameters)

    def counted(self) -> float:
        [(watermark, version)] = self.query("SELECT watermark, version FROM index_state")
        newest = self._newest()
        done = watermark if of_this_release(version) else 0
        return 1.0 if newest - done < NEWEST else done / newest

    def _newest(self) -> int:
        """The number of the last event."""
        newest: int = self.query("SELECT COALESCE(MAX(sequence), 0) FROM event_rows")[0][0]
        return newest

    def days(  # noqa: PLR0917
        self,
        project: str,
        namespace: str,
        first: int,
        last: int,
        keys: Sequence[str] | None = None,
        environment: str | None = None,
    ) -> "list[Day]":
        from saastracker.index import Cell, Day  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

        # CROSS JOIN keeps the order: SQLite would go through all cells of the project.
        sql = """SELECT c.day, c.key, c.data FROM projects p CROSS JOIN index_series s ON s.project = p.id
            CROSS JOIN index_cells c ON c.project = p.id AND c.series = s.id
            WHERE p.project = :project AND s.namespace = :namespace AND c.day BETWEEN :first AND :last"""
        if keys is not None:
            sql += f" AND c.key IN {self.dialect.texts.format(':keys')}"
        if environment is not None:
            sql += " AND s.environment = :environment"
        rows = self._indexed(
            sql,
            project=project,
            namespace=namespace,
            first=first,
            last=last,
            keys=None if keys is None else msgspec.json.encode(keys).decode(),
            environment=environment,
        )
        return [Day(day, key, Cell.decode(data)) for day, key, data in rows]

    def actors(self, project: str) -> "Actors":
        from saastracker.actors import Actors  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

        [(changes,)] = self.query("SELECT changes FROM index_state")
        known = self._known_actors.get(project)
        if known is not None and known[0] == changes:
            return known[1]
        # What is known may be newer than this snapshot, where another reader began after it.
        actors = self._actors_after(project, known) if known is not None and known[0] < changes else None
        if actors is None:
            actors = Actors(self._actor_rows(project, -1), self._aliases(project, -1))
        self._known_actors[project] = changes, actors
        for oldest in list(self._known_actors)[:-PROJECTS_MAX]:
            self._known_actors.pop(oldest, None)  # another thread may have dropped it just now
        return actors

    def _actors_after(self, project: str, known: "tuple[int, Actors]") -> "Actors | None":
        """With what has changed since they were read; None where some are gone."""
        changes, actors = known
        actors = actors.plus(self._actor_rows(project, changes), self._aliases(project, changes))
        counts = self.query(
            """SELECT (SELECT COUNT(*) FROM index_actors WHERE project = p.id),
                (SELECT COUNT(*) FROM index_aliases WHERE project = p.id) FROM projects p WHERE p.project = :project""",
            project=project,
        )
        return actors if counts == [(len(actors.table), len(actors.aliases))] else None

    def _actor_rows(self, project: str, since: int) -> list[tuple[Any, ...]]:
        return self.query(
            """SELECT a.id, a.anonymous, a.person, a.org, a.first, a.last FROM index_actors a
            WHERE a.project = (SELECT id FROM projects WHERE project = :project) AND a.changed > :since""",
            project=project,
            since=since,
        )

    def _aliases(self, project: str, since: int) -> dict[int, int]:
        found = self.query(
            """SELECT a.anonymous, a."user" FROM projects p JOIN index_aliases a ON a.project = p.id
            WHERE p.project = :project AND a.changed > :since""",
            project=project,
            since=since,
        )
        return dict(found)

    def moments(
        self,
        project: str,
        first: int,
        last: int,
        names: Sequence[str] | None = None,
        environment: str | None = None,
        *,
        apart: bool = False,
        narrow: "Callable[[str, Integers], Integers | None] | None" = None,
        sessions: bool = True,
    ) -> "Moments":
        from saastracker.segments import Moments  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

        days = range(first, last + 1)
        read = self._apart if apart else self._chunks
        pieces = read("moments", project, days, names, environment)
        if narrow is None:
            return Moments.decoded(pieces, sessions=sessions)
        named: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for piece in pieces:
            named[piece[0]].append(piece)
        # All at once would take too much memory, and each by itself too many calls of numpy.
        return Moments.together(
            [
                Moments.decoded(own[at : at + PIECES], partial(narrow, name), sessions=sessions)
                for name, own in named.items()
                for at in range(0, len(own), PIECES)
            ]
        )

    def parts(
        self, project: str, first: int, last: int, environment: str | None = None, *, apart: bool = False
    ) -> "Parts":
        from saastracker.parts import Parts  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

        read = self._apart if apart else self._chunks
        own = read("parts", project, range(first, last + 1), None, environment)
        found = Parts.decode(*(data for _, data in own))
        longer = self.longer(project, first, last)
        other_days = {day for _, since, until in longer for day in range(since, until + 1) if not first <= day <= last}
        others = read("parts", project, sorted(other_days), None, environment)
        sessions = [session for session, _, _ in longer]
        return Parts.together([found, Parts.decode(*(data for _, data in others)).of_sessions(sessions)])

    def settled(self, project: str, table: str, first: int, last: int, environment: str | None = None) -> list[bytes]:
        found = self._chunks("settled", project, range(first, last + 1), [table], environment)
        return [data for _, data in found]

    def longer(self, project: str, first: int, last: int) -> list[tuple[int, int, int]]:
        return self.query(
            """SELECT s.session, s.first, s.last FROM projects p JOIN index_sessions s ON s.project = p.id
            WHERE p.project = :project AND s.first <= :last AND s.last >= :first""",
            project=project,
            first=first,
            last=last,
        )

    def _apart(
        self, kind: str, project: str, days: Sequence[int], keys: Sequence[str] | None, environment: str | None
    ) -> list[tuple[str, bytes]]:
        """All of the days that are not settled; of the others what no settled table has counted."""
        opened = self.query(
            "SELECT o.day FROM projects p JOIN index_open o ON o.project = p.id WHERE p.project = :project",
            project=project,
        )
        still = sorted({day for (day,) in opened}.intersection(days))
        # A day has rows of settled tables only while it is settled.
        settled = self._chunks("settled", project, days, [kind], environment)
        return [("", data) for _, data in settled] + self._chunks(kind, project, still, keys, environment)

    def _chunks(
        self, kind: str, project: str, days: Sequence[int], keys: Sequence[str] | None, environment: str | None
    ) -> list[tuple[str, bytes]]:
        if not days:
            return []
        sql = """SELECT c.key, c.data FROM projects p JOIN index_chunks c ON c.project = p.id
            WHERE p.project = :project AND c.kind = :kind"""
        sql += (
            " AND c.day BETWEEN :first AND :last"
            if isinstance(days, range)
            else f" AND c.day IN {self.dialect.numbers.format(':days')}"
        )
        if keys is not None:
            sql += f" AND c.key IN {self.dialect.texts.format(':keys')}"
        if environment is not None:
            sql += " AND c.environment = :environment"
        return self._indexed(
            sql,
            project=project,
            kind=kind,
            first=days[0],
            last=days[-1],
            days=msgspec.json.encode(list(days)).decode(),
            keys=None if keys is None else msgspec.json.encode(keys).decode(),
            environment=environment,
        )

    def seen(self, project: str, namespace: str) -> "list[Seen]":
        from saastracker.index import Seen  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

        rows = self.query(
            """SELECT s.key, s.first, s.last, s.first_sequence, s.last_sequence
            FROM projects p JOIN index_seen s ON s.project = p.id
            WHERE p.project = :project AND s.namespace = :namespace""",
            project=project,
            namespace=namespace,
        )
        return [Seen(*row) for row in rows]

    def tagged(self, project: str, namespace: str, unit: str = "") -> float:
        rows = self.query(
            """SELECT u.watermark, s.watermark FROM index_state s, projects p JOIN index_units u ON u.project = p.id
            WHERE p.project = :project AND u.namespace = :namespace AND u.unit = :unit""",
            project=project,
            namespace=namespace,
            unit=unit,
        )
        if rows:
            return min(done / total if total else 1.0 for done, total in rows)
        # Without events there is nothing to go through, and nothing is followed.
        some = self.query("SELECT 1 FROM events WHERE project = :project LIMIT 1", project=project)
        return 0.0 if some else 1.0


def of_this_release(version: str) -> bool:
    """Whether code of this release made an index; the server throws away another one when it starts."""
    if not version:  # before the first event
        return True
    from saastracker.index import VERSION  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

    return version == VERSION
