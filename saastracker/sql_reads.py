"""A reader of a store that keeps events and index in the tables that all SQL stores share."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from saastracker.contracts import Refused
from saastracker.sql_index_reads import SqlIndexReads
from saastracker.written import NOTHING_WRITTEN, Written

_LIKE = re.compile("[!%_]")  # what LIKE takes for more than itself


class SqlReads(SqlIndexReads):
    """All of a reader but how it runs queries, and reads events by their numbers."""

    def environments(self, project: str) -> list[str]:
        rows = self.query(
            """SELECT s.environment FROM projects p JOIN index_series s ON s.project = p.id
            WHERE p.project = :project AND s.namespace = 'all'
                AND EXISTS (SELECT 1 FROM index_cells c WHERE c.project = p.id AND c.series = s.id) ORDER BY 1""",
            project=project,
        )
        return [environment for (environment,) in rows]

    def organizations(self, project: str) -> Written:  # noqa: ARG002
        return NOTHING_WRITTEN

    def ids(self, project: str, of: Literal["person", "org"], text: str, limit: int) -> list[str]:
        # An organization is of several actors, a person, too: of each id the text is looked at once.
        anonymous = "MIN(a.anonymous)" if of == "person" else "0"
        rows = self.query(
            f"""SELECT t.text FROM (SELECT a.{of} code, {anonymous} anonymous FROM projects p
                JOIN index_actors a ON a.project = p.id WHERE p.project = :project AND a.{of} > 0 GROUP BY 1) c
            CROSS JOIN texts t ON t.id = c.code WHERE t.text LIKE '%' || :escaped || '%' ESCAPE '!'
            ORDER BY c.anonymous, t.text LIKE :escaped || '%' ESCAPE '!' DESC, LENGTH(t.text), t.text LIMIT :limit""",
            project=project,
            escaped=_LIKE.sub(r"!\g<0>", text),
            limit=limit,
        )
        return [found for (found,) in rows]

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        return dict(
            self.query(
                f"SELECT id, text FROM texts WHERE id IN {self.dialect.numbers.format(':codes')}",
                codes=msgspec.json.encode(codes).decode(),
            )
        )

    def rejected(self, project: str, limit: int) -> list[Refused]:
        rows = self.query(
            """SELECT project, at, reason, detail, path FROM refused WHERE project = :project
            ORDER BY id DESC LIMIT :limit""",
            project=project,
            limit=limit,
        )
        return [Refused(*row) for row in rows]

    def refusals(self, project: str, first: int | None = None, last: int | None = None) -> dict[str, int]:
        sql = """SELECT reason, SUM(count) FROM refusals
            WHERE project = :project AND day BETWEEN COALESCE(:first, 0) AND COALESCE(:last, day) GROUP BY reason"""
        return dict(self.query(sql, project=project, first=first, last=last))
