"""The real server and a real PostgreSQL, each started once for all tests that need one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.needing import missing
from tests.serving import Served, serve

if TYPE_CHECKING:
    from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    try:
        from tests.postgres import running
    except ImportError as error:
        missing(f"PostgreSQL is not installed ({error}): pip install -e '.[dev]'")
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = serve(tmp_path_factory.mktemp("served"))
    yield running
    assert running.server.stop() == 0, running.server.output
