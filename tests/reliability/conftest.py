"""A data folder with one project, ready for a server."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.reliability.load import Keys
from tests.serving import Server, typed


class Installed(NamedTuple):
    """A data folder to copy, the keys of its project `shop`, and a token that reads it."""

    data: Path
    keys: Keys
    token: str


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    data = tmp_path_factory.mktemp("installed") / "data"

    keys = typed(data, "project", "add", "Shop")["keys"]
    return Installed(data, keys, typed(data, "token", "add", "tests", "--project", "shop")["token"])


@pytest.fixture
def keys(installed: Installed) -> Keys:
    return installed.keys


@pytest.fixture
def token(installed: Installed) -> str:
    return installed.token


@pytest.fixture
def folder(installed: Installed, tmp_path: Path) -> Path:
    """A folder whose `data` has the project."""
    shutil.copytree(installed.data, tmp_path / "data")
    return tmp_path


Start = Callable[..., Server]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a server on the folder; those that still run at the end are killed."""
    started: list[Server] = []

    def start(*options: str, **arguments: Any) -> Server:
        started.append(Server(folder, *options, **arguments))
        return started[-1]

    yield start
    for server in started:
        server.kill()
