"""The ClickHouse engine within the tests' process: one folder at a time."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.needing import missing


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    if not (find_spec("chdb") and find_spec("clickhouse_connect")):
        missing("the ClickHouse engine is not installed: pip install chdb clickhouse-connect")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"chdb://{tmp_path / 'engine'}"
