"""Bytes and read times of ClickHouse's column types and codecs on the demo's events; the store's were chosen by them.

    python benchmarks/clickhouse_codecs.py [--events N]

Needs chdb and clickhouse-connect. Nothing is asserted; ratios are of one run.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from itertools import chain, count, islice

from clickhouse_connect import get_client
from clickhouse_connect.driver.client import Client

from saastracker.demo.load import DEMOS
from saastracker.event_rows import EventRow
from saastracker.sql_events import CODED
from saastracker_clickhouse.schema import COLUMNS as CHOSEN
from saastracker_clickhouse.stored import COLUMNS, TYPES, columns

GROUP = 50_000  # events per insert
MANY = ("user", "anonymous", "session", "path")
QUESTION = """SELECT name, COUNT(), COUNT(DISTINCT "user"), COUNT(DISTINCT org) FROM {}
    WHERE path != '' OR country = 'DE' GROUP BY name ORDER BY name"""
FOLLOWING = "SELECT sequence, time, user_code, org_code, session_code, name_code FROM {} ORDER BY sequence"


def plain(codec: str) -> dict[str, str]:
    return {name: f"{kind} CODEC({codec})" for name, kind in zip(COLUMNS, (_bare(kind) for kind in TYPES), strict=True)}


def _bare(kind: str) -> str:
    return "String" if kind == "LowCardinality(String)" else kind


def variants() -> Mapping[str, Mapping[str, str]]:
    few = {name: "LowCardinality(String)" for name in ("project", *CODED) if name not in MANY}
    numbers = ("sequence", "time", "received_at")
    codes = [f"{name}_code" for name in CODED]
    return {
        "plain texts, LZ4": plain("LZ4"),
        "plain texts, ZSTD(1)": plain("ZSTD(1)"),
        "few values as dictionaries, LZ4": plain("LZ4") | {name: f"{kind} CODEC(LZ4)" for name, kind in few.items()},
        "chosen": CHOSEN,
        "chosen, times and numbers without Delta": {**CHOSEN, **dict.fromkeys(numbers, "Int64 CODEC(ZSTD(1))")},
        "chosen, DoubleDelta": {**CHOSEN, **dict.fromkeys(numbers, "Int64 CODEC(DoubleDelta, ZSTD(1))")},
        "chosen, codes by T64": {**CHOSEN, **dict.fromkeys(codes, "UInt32 CODEC(T64, ZSTD(1))")},
        "chosen, all texts as dictionaries": {
            **CHOSEN,
            **dict.fromkeys(MANY, "LowCardinality(String) CODEC(ZSTD(1))"),
        },
        "chosen, ZSTD(3)": {name: kind.replace("ZSTD(1)", "ZSTD(3)") for name, kind in CHOSEN.items()},
    }


def fill(client: Client, table: str, kinds: Mapping[str, str], most: int) -> float:
    client.command(
        f"""CREATE TABLE {table} ({", ".join(f'"{name}" {kind}' for name, kind in kinds.items())})
        ENGINE = MergeTree ORDER BY (project, sequence)"""
    )
    types = [kind.partition(" CODEC")[0] for kind in kinds.values()]
    known: dict[str | None, int] = {None: 0}
    numbers = count(1)
    events = islice(chain.from_iterable(demo.events(1_790_000_000_000) for demo in DEMOS), most)
    spent = 0.0
    while group := list(islice(events, GROUP)):
        rows = [
            EventRow(
                "01a1fcab329bb4a63597",
                next(numbers),
                event,
                [known.setdefault(getattr(event, name), len(known)) for name in CODED],
            )
            for event in group
        ]
        data = columns(rows)
        began = time.perf_counter()
        client.insert(table, data, COLUMNS, column_type_names=types, column_oriented=True)
        spent += time.perf_counter() - began
    client.command(f"OPTIMIZE TABLE {table} FINAL")
    return spent


def best(client: Client, sql: str) -> float:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        client.query(f"SELECT COUNT(), SUM(cityHash64(*)) FROM ({sql})")
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    most = parser.parse_args().events
    print(f"{'':42}{'bytes/event':>12}{'insert s':>10}{'group ms':>10}{'follow ms':>11}")
    with tempfile.TemporaryDirectory() as folder, closing(get_client(interface="chdb", path=folder)) as client:
        for number, (title, kinds) in enumerate(variants().items()):
            table = f"variant{number}"
            spent = fill(client, table, kinds, most)
            [(rows, size)] = client.query(
                f"SELECT SUM(rows), SUM(data_compressed_bytes) FROM system.parts WHERE active AND table = '{table}'"
            ).result_rows
            times = (best(client, sql.format(table)) * 1000 for sql in (QUESTION, FOLLOWING))
            print(f"{title:42}{size / rows:12.1f}{spent:10.2f}" + "".join(f"{ms:10.0f} " for ms in times), flush=True)
        print("\nbytes/event of the columns chosen:")
        for name, size in client.query(
            f"""SELECT name, data_compressed_bytes / {rows} FROM system.columns WHERE table = 'variant3'
            ORDER BY 2 DESC LIMIT 12"""
        ).result_rows:
            print(f"  {name:16}{size:6.2f}")


if __name__ == "__main__":
    main()
