"""SQL for ClickHouse: values cannot leave their quotes, and the engine's own parser takes what a cluster is told."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest


@pytest.fixture
def ask(url: str) -> Iterator[Callable[[str], Any]]:
    """The one value that a query gives."""
    from clickhouse_connect import get_client

    with closing(get_client(interface="chdb", path=url.removeprefix("chdb://"))) as client:
        yield lambda sql: client.query(sql).result_rows[0][0]


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "",
        "it's",
        "\\",
        "\\'",
        "'; DROP TABLE x --",
        ":name",
        "{a:String}",
        "%(a)s",
        "a\tb\nc",
        "é🚀",
        5,
        -5,
        0.1,
        -1e300,
    ],
)
def test_a_value_comes_back(ask: Callable[[str], Any], value: object) -> None:
    from saastracker_clickhouse.values import literal, translate

    assert ask(f"SELECT {literal(value)}") == value
    assert ask(translate("SELECT :v", {"v": value}, "")) == value


def test_what_looks_like_a_value_and_is_none(ask: Callable[[str], Any]) -> None:
    from saastracker_clickhouse.values import translate

    assert ask(translate("SELECT ':v' || toString(1 -:v)", {"v": -3}, "")) == ":v4"


def test_bytes_and_nothing(ask: Callable[[str], Any]) -> None:
    from saastracker_clickhouse.values import literal

    assert ask(f"SELECT hex({literal(bytes(range(250, 256)))})") == "FAFBFCFDFEFF"
    assert ask(f"SELECT {literal(None)}") is None


@pytest.mark.parametrize(("sql", "result"), [("7 / 2", 3), ("-7 / 2", -3), ("(5 + 2) / 2 * 2", 6), ("7 / 2.0", 3.5)])
def test_division_is_as_elsewhere(ask: Callable[[str], Any], sql: str, result: float) -> None:
    from saastracker_clickhouse.values import translate

    assert ask(translate(f"SELECT {sql}", {}, "")) == result


def told(cluster: str) -> list[str]:
    from saastracker_clickhouse.schema import Tables

    tables = Tables("saastracker", cluster)
    where = "project = 'p' AND sequence IN (1, 2)"
    changes = [tables.delete(where), tables.forget_anonymous(where), tables.purge(), tables.end("it's")]
    return [*tables.make(), *changes, tables.size()]


@pytest.mark.parametrize("cluster", ["", "events"])
def test_the_engine_parses_all_that_is_said(ask: Callable[[str], Any], cluster: str) -> None:
    from clickhouse_connect.driver.exceptions import DatabaseError

    from saastracker_clickhouse.values import literal

    for statement in told(cluster):
        assert ask(f"SELECT formatQuery({literal(statement)})")
        with pytest.raises(DatabaseError, match="SYNTAX_ERROR"):
            ask(f"SELECT formatQuery({literal(statement + ' AND THEN ?')})")


def test_a_cluster_is_told_as_a_whole() -> None:
    *statements, size = told("events")
    assert all(" ON CLUSTER `events`" in statement for statement in statements)
    assert "clusterAllReplicas(`events`" in size
    assert "ReplicatedMergeTree('/clickhouse/tables/{shard}/saastracker/event_rows', '{replica}')" in statements[1]
    assert "/tables/all/saastracker/owner'" in statements[2]
    assert "Distributed(`events`, `saastracker`, event_rows_local, cityHash64(" in statements[3]
    assert all("event_rows_local" in statement for statement in statements[4:7])
    assert not any("CLUSTER" in statement or "Replicated" in statement for statement in told(""))


def test_all_of_an_organization_is_on_one_shard(ask: Callable[[str], Any]) -> None:
    from saastracker_clickhouse.schema import SHARDING

    def shard(org: str, user: str, anonymous: str) -> int:
        columns = f"'p' AS project, '{org}' AS org, '{user}' AS \"user\", '{anonymous}' AS anonymous"
        return int(ask(f"SELECT {SHARDING} FROM (SELECT {columns})"))

    assert shard("acme", "ada", "") == shard("acme", "bob", "x") != shard("other", "ada", "")
    assert shard("", "ada", "x") == shard("", "ada", "y") != shard("", "bob", "x")
    assert shard("", "", "x") != shard("", "", "y")
