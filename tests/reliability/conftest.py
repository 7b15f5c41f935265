"""A data folder with one project, ready for a server."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.load import Keys
from tests.serving import Server, program


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keys]:
    """A data folder to copy, and the keys of its project."""
    data = tmp_path_factory.mktemp("installed") / "data"
    made = json.loads(subprocess.check_output([*program(data), "project", "add", "Shop", "--json"]))
    return data, made["keys"]


@pytest.fixture
def keys(installed: tuple[Path, Keys]) -> Keys:
    return installed[1]


@pytest.fixture
def folder(installed: tuple[Path, Keys], tmp_path: Path) -> Path:
    """A folder whose `data` has the project."""
    shutil.copytree(installed[0], tmp_path / "data")
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
