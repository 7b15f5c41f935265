"""The ClickHouse engine, within the tests' process one folder at a time, and behind HTTP."""

from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from saastracker.contracts import RecordStore
from saastracker_sqlite.records import SqliteRecords
from tests.clickhouse import Served
from tests.needing import missing


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    if not (find_spec("chdb") and find_spec("clickhouse_connect")):
        missing("the ClickHouse engine is not installed: pip install chdb clickhouse-connect")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"chdb://{tmp_path / 'engine'}"


@pytest.fixture(scope="session")
def over_http(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("clickhouse") / "engine")
    yield server
    server.kill()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    with closing(SqliteRecords(tmp_path / "facts.db")) as records:
        yield records


@pytest.fixture
def answers_get_lost(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of the next inserts are done without anybody being told so."""
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.exceptions import OperationalError

    left = [0]
    insert = Client.insert

    def lose(*given: Any, **named: Any) -> Any:
        done = insert(*given, **named)
        if left[0]:
            left[0] -= 1
            raise OperationalError("the connection was closed")
        return done

    monkeypatch.setattr(Client, "insert", lose)
    return left
