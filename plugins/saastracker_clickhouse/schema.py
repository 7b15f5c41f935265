"""The tables of events, on one server or on a cluster."""

from typing import NamedTuple

from saastracker.sql_events import CODED
from saastracker_clickhouse.values import literal

DATABASE = "saastracker"
TABLE = "event_rows"
PARTITION = 100_000_000  # sequence numbers: what reads by arrival is pruned to, and a group is nearly always in one
DEDUPLICATED = 10_000  # inserts whose tokens are remembered
# Of an organization all is on one shard, of who has none all of a person.
SHARDING = """cityHash64(project, multiIf("org" != '', "org", "user" != '', "user", "anonymous"))"""

# Of CODED: those with few values are dictionaries, those with as many as there are persons are not.
# `benchmarks/clickhouse_codecs.py` measures it.
_MANY = frozenset({"user", "anonymous", "session", "path"})
_TEXT = "String CODEC(ZSTD(1))"
_FEW = "LowCardinality(String) CODEC(ZSTD(1))"

COLUMNS: dict[str, str] = {
    "project": "LowCardinality(String) CODEC(ZSTD(1))",
    "sequence": "Int64 CODEC(Delta, ZSTD(1))",
    "time": "Int64 CODEC(Delta, ZSTD(1))",
    "received_at": "Int64 CODEC(Delta, ZSTD(1))",
    **{name: _TEXT if name in _MANY else _FEW for name in CODED},
    "value": "Nullable(Float64) CODEC(ZSTD(1))",
    "properties": "String CODEC(ZSTD(1))",
    "traits": "String CODEC(ZSTD(1))",
    "id": "FixedString(16) CODEC(ZSTD(1))",
    **{f"{name}_code": "UInt32 CODEC(ZSTD(1))" for name in CODED},
}
NO_ID = bytes(16)
# Columns as queries know them: an empty text is none.
_NULLS = (*(name for name in CODED if name not in {"type", "name", "environment"}), "properties", "traits")
EVENT_COLUMNS = ("project", "sequence", "time", "received_at", *CODED, "value", "properties", "traits", "id")


def _column(name: str) -> str:
    if name in _NULLS:
        return f"""nullIf("{name}", '') AS "{name}\""""
    return """nullIf(id, toFixedString('', 16)) AS id""" if name == "id" else f'"{name}"'


EVENTS = f"SELECT {', '.join(map(_column, EVENT_COLUMNS))} FROM {{}} WHERE sequence <= {{}}"

_SETTINGS = {
    # What is acknowledged survives a loss of power.
    "fsync_after_insert": 1,
    "fsync_part_directory": 1,
    "lightweight_mutation_projection_mode": "'rebuild'",
    "old_parts_lifetime": 60,  # seconds: what was erased is gone from the disk soon after
}


class Tables(NamedTuple):
    """What is said to the database, or to all servers of a cluster."""

    database: str = DATABASE
    cluster: str = ""

    @property
    def events(self) -> str:
        """The table that is read and inserted into."""
        return f"`{self.database}`.{TABLE}"

    @property
    def owner(self) -> str:
        return f"`{self.database}`.owner"

    @property
    def _local(self) -> str:
        """The table that keeps the rows: of a cluster each server's own."""
        return f"{self.events}_local" if self.cluster else self.events

    @property
    def _on(self) -> str:
        return f" ON CLUSTER `{self.cluster}`" if self.cluster else ""

    def make(self) -> list[str]:
        """What makes the database and its tables, those that are not there."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        remembered = "replicated_deduplication_window" if self.cluster else "non_replicated_deduplication_window"
        settings = ", ".join(f"{name} = {value}" for name, value in {**_SETTINGS, remembered: DEDUPLICATED}.items())
        made = [
            f"CREATE DATABASE IF NOT EXISTS `{self.database}`{self._on}",
            f"""CREATE TABLE IF NOT EXISTS {self._local}{self._on} ({columns},
                INDEX by_sequence sequence TYPE minmax GRANULARITY 1,
                INDEX by_time "time" TYPE minmax GRANULARITY 1,
                PROJECTION held (SELECT project, MIN(sequence), MAX(sequence), COUNT() GROUP BY project),
                PROJECTION ids (SELECT project, id, sequence ORDER BY project, id)
            ) ENGINE = {self._engine("{shard}", TABLE)}
            PARTITION BY intDiv(sequence, {PARTITION}) ORDER BY (project, sequence) SETTINGS {settings}""",
            f"""CREATE TABLE IF NOT EXISTS {self.owner}{self._on} (owner Int64)
            ENGINE = {self._engine("all", "owner")} ORDER BY owner""",
        ]
        if self.cluster:
            made.append(
                f"""CREATE TABLE IF NOT EXISTS {self.events}{self._on} AS {self._local}
                ENGINE = Distributed(`{self.cluster}`, `{self.database}`, {TABLE}_local, {SHARDING})"""
            )
        return made

    def _engine(self, shard: str, table: str) -> str:
        if not self.cluster:
            return "MergeTree"
        return f"ReplicatedMergeTree('/clickhouse/tables/{shard}/{self.database}/{table}', '{{replica}}')"

    def end(self, comment: str) -> str:
        """Ends the statements of a comment, and waits until they have ended."""
        return f"KILL QUERY{self._on} WHERE Settings['log_comment'] = {literal(comment)} SYNC"

    def delete(self, where: str) -> str:
        return f"DELETE FROM {self._local}{self._on} WHERE {where}"

    def forget_anonymous(self, where: str) -> str:
        return f"""ALTER TABLE {self._local}{self._on} UPDATE "anonymous" = '', anonymous_code = 0 WHERE {where}"""

    def purge(self) -> str:
        """What was deleted goes from the disk, too."""
        return f"ALTER TABLE {self._local}{self._on} APPLY DELETED MASK"

    def size(self) -> str:
        parts = f"clusterAllReplicas(`{self.cluster}`, system.parts)" if self.cluster else "system.parts"
        return f"SELECT SUM(bytes_on_disk) FROM {parts} WHERE database = {literal(self.database)}"
