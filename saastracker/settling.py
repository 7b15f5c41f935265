"""Settles days: adds up the sessions that lie wholly in one, so that reports need not put them together again.

Such a session has events of one person, in one environment, on one day. It stays so when anonymous ids
are joined later, which only makes persons one. All others, and those of days that are not settled, stand
apart: who asks puts them together. A new event opens its day again, and the day of a session that it carries
over midnight.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from saastracker.columns import Columns
from saastracker.contracts import Reader
from saastracker.dwell import Dwells, in_sessions, session_keys
from saastracker.index import Integers, unique
from saastracker.index_store import ChunkKey
from saastracker.parts import Parts
from saastracker.scope import Span
from saastracker.segments import Moments
from saastracker.sums import Landings, Lengths
from saastracker.visits import together

_EPOCH = date(1970, 1, 1)


def settle(reader: Reader, project: str, day: int, timezone: str) -> dict[ChunkKey, bytes]:
    """What is kept of a day in days since 1970, by table: what its sessions add up to, and what stands apart."""
    actors = reader.actors(project)
    here = _EPOCH + timedelta(days=day)
    span = Span(here, here, timezone)
    parts = {each: _parts(reader, project, day, each, span) for each in reader.environments(project)}
    keys = {each: session_keys(actors.person[of.actor], of.session) for each, of in parts.items()}
    longer = [session for session, _, _ in reader.longer(project, day, day)]
    whole = np.setdiff1d(_of_one(keys), longer)
    tables: dict[ChunkKey, bytes] = {}
    for environment, of_day in parts.items():
        sure = np.isin(of_day.session, whole)
        found = together(of_day.only(sure), actors, span)
        moments = reader.moments(project, day, day, None, environment)
        moments = moments.only(moments.session > 0)
        counted = np.isin(moments.session, whole)
        apart, rest = of_day.only(~sure), moments.only(~counted)
        inside, order, of_each = in_sessions(moments.only(counted), actors)
        kept: dict[str, Columns | Parts | Moments] = {
            "landings": Landings.of(found),
            "lengths": Lengths.of(found, span),
            "dwells": Dwells.of(inside.path.take(order), inside.time.take(order), of_each),
            "parts": apart,
            "moments": rest,
        }
        for table, columns in kept.items():
            if len(columns):
                tables[ChunkKey(project, "settled", day, environment, table)] = columns.encode()
    return tables


def _parts(reader: Reader, project: str, day: int, environment: str, span: Span) -> Parts:
    found = reader.parts(project, day, day, environment, apart=True)  # the day itself is not settled
    return found.only((found.first >= span.start) & (found.first < span.end))  # none that longer ones have elsewhere


def _of_one(keys: Mapping[str, Integers]) -> Integers:
    """The sessions, as codes, of one person in one environment."""
    one = np.concatenate([np.zeros(0, np.int64), *map(unique, keys.values())])
    sessions, counts = np.unique(one >> 32, return_counts=True)
    return np.asarray(sessions[counts == 1])
