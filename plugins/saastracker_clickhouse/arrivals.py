"""Events in order of arrival as the index reads them: numbers, a column each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from clickhouse_connect.driver.client import Client
from numpy.typing import NDArray

from saastracker.index_store import Arrivals
from saastracker.sql_events import CODED
from saastracker_clickhouse.values import literal

DAY_MS = 86_400_000

_COLUMNS = ", ".join(["project", "sequence", '"time"', "ifNull(value, nan) AS amount", *(f"{c}_code" for c in CODED)])


def read(  # noqa: PLR0917
    client: Client,
    events: str,
    after: int,
    until: int,
    limit: int,
    near: tuple[str, int] | None,
    settings: Mapping[str, Any],
) -> NDArray[Any]:
    """Rows with numbers above `after` up to `until`; `near` as `Index.arrivals` has it."""
    where = f"sequence > {after} AND sequence <= {until}"
    if near:
        project, day = near
        where += f""" AND project = {literal(project)}
            AND "time" >= {(day - 1) * DAY_MS} AND "time" < {(day + 2) * DAY_MS}"""
    rows: NDArray[Any] = client.query_np(
        f"SELECT {_COLUMNS} FROM {events} WHERE {where} ORDER BY sequence LIMIT {limit}", settings=dict(settings)
    )
    return rows


def together(tables: Sequence[NDArray[Any]]) -> Arrivals:
    """One after the other."""
    filled = [table for table in tables if len(table)]

    def column(name: str, kind: type[np.generic]) -> NDArray[Any]:
        return np.concatenate([table[name] for table in filled]).astype(kind) if filled else np.zeros(0, kind)

    projects, place = np.unique(column("project", np.str_), return_inverse=True)
    return Arrivals(
        projects=projects.tolist(),
        project=place.astype(np.int64),
        sequence=column("sequence", np.int64),
        time=column("time", np.int64),
        value=column("amount", np.float64),
        codes={name: column(f"{name}_code", np.int64) for name in CODED},
    )
