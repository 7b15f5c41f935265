"""The tables of events, on one server or on a cluster."""

from saastracker.event_rows import CODED

DATABASE = "saastracker"
TABLE = "event_rows"
PARTITION = 100_000_000  # sequence numbers: what reads by arrival is pruned to, and a group is nearly always in one
DEDUPLICATED = 10_000  # inserts whose tokens are remembered

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


def statements(database: str, cluster: str = "") -> list[str]:
    """What makes the database and its tables, those that are not there."""
    on = f" ON CLUSTER {_name(cluster)}" if cluster else ""
    made = [f"CREATE DATABASE IF NOT EXISTS {_name(database)}{on}"]
    if not cluster:
        engine, window = "MergeTree", {"non_replicated_deduplication_window": DEDUPLICATED}
    else:
        engine = f"ReplicatedMergeTree('/clickhouse/tables/{{shard}}/{database}/{TABLE}', '{{replica}}')"
        window = {"replicated_deduplication_window": DEDUPLICATED}
    made.append(
        f"""CREATE TABLE IF NOT EXISTS {local(database, cluster)}{on} (
            {", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())},
            INDEX by_sequence sequence TYPE minmax GRANULARITY 1,
            INDEX by_time "time" TYPE minmax GRANULARITY 1,
            PROJECTION held (SELECT project, MIN(sequence), MAX(sequence), COUNT() GROUP BY project),
            PROJECTION ids (SELECT project, id, sequence ORDER BY project, id)
        ) ENGINE = {engine} PARTITION BY intDiv(sequence, {PARTITION}) ORDER BY (project, sequence)
        SETTINGS {", ".join(f"{name} = {value}" for name, value in (_SETTINGS | window).items())}"""
    )
    made.append(
        f"""CREATE TABLE IF NOT EXISTS {_name(database)}.owner{on} (owner Int64)
        ENGINE = {engine.replace(TABLE, "owner").replace("{shard}", "all")} ORDER BY owner"""
    )
    if cluster:
        # Of an organization all is on one shard, of who has none all of a person.
        sharding = "cityHash64(project, multiIf(org != '', org, \"user\" != '', \"user\", anonymous))"
        made.append(
            f"""CREATE TABLE IF NOT EXISTS {events(database)}{on} AS {local(database, cluster)}
            ENGINE = Distributed({_name(cluster)}, {_name(database)}, {TABLE}_local, {sharding})"""
        )
    return made


def events(database: str) -> str:
    """The table that is read and inserted into."""
    return f"{_name(database)}.{TABLE}"


def local(database: str, cluster: str) -> str:
    """The table that keeps the rows, and is deleted from: of a cluster each server's own."""
    return f"{events(database)}_local" if cluster else events(database)


def _name(name: str) -> str:
    return f"`{name}`"
