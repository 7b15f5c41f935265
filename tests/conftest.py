"""The real server and a real PostgreSQL, started once for all tests that need one; cheap passwords and databases."""

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

from saastracker import plugins
from saastracker.accounts import passwords
from saastracker_sqlite import database, schema
from tests.needing import missing
from tests.serving import Served, serve

if TYPE_CHECKING:
    from tests.postgres import Postgres

HASHER, INSTALLED = passwords._hasher, plugins._installed
# In names of files that share what takes seconds to make: a demo with its index, packages that are built or compiled.
TOGETHER = ("tests/browser/", "_same_reports.py", "tests/clients/", "tests/sdk_unity/", "tests/sdk_web/")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """No other processes for a few files, which are through before these have started.

    Else one more than there are cores: half of their time tests wait, for servers, browsers and databases.
    """
    files = all(argument.partition("::")[0].endswith(".py") for argument in config.args)
    return 0 if files and len(config.args) < 4 else len(os.sched_getaffinity(0)) + 1


class _Together(LoadFileScheduling):  # type: ignore[misc]  # xdist's types are not published
    """All tests of a file by one process, and all of some files, so that what they share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((part for part in TOGETHER if part in file), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    return _Together(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Python is told to keep nothing it compiles, each of the processes that tests start would begin with that.

    It takes 0.2 s of CPU, and they are hundreds.
    """
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(shared / "compiled"))
        yield


@pytest.fixture(autouse=True)
def level_of_the_log() -> Iterator[None]:
    """As it was: commands that a test runs in this process set it, and others then see what clients log."""
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hundreds of tests sign somebody up, which takes 30 ms with the real parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def costly_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used outside of tests."""
    monkeypatch.setattr(passwords, "_hasher", HASHER)


@pytest.fixture(scope="session", autouse=True)
def copied_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Thousands of tests begin with a database, which takes 10 ms to make and 1 ms to copy."""
    new = tmp_path_factory.mktemp("new") / "saastracker.db"
    schema.prepare(new)

    def create_file(path: Path) -> None:
        whole = path.with_name(f"{path.name}.{uuid4().hex}")
        shutil.copy(new, whole)  # with its mode
        try:
            path.hardlink_to(whole)
        finally:
            whole.unlink()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "create_file", create_file)
        yield


@pytest.fixture
def migrated_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes a database outside of tests."""
    monkeypatch.setattr(schema, "create_file", database.create_file)


@pytest.fixture(scope="session", autouse=True)
def plugins_found_once() -> Iterator[None]:
    """To look through all that is installed takes 7 ms, before every command that a test gives in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "_installed", cache(INSTALLED))
        yield


@pytest.fixture
def plugins_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What finds them outside of tests."""
    monkeypatch.setattr(plugins, "_installed", INSTALLED)


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
