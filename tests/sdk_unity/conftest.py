"""The compiled games, and games that end with their test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.sdk_unity.games import SPEED, Game, compiled, sources

EVENTS = "/api/v1/events"
Play: TypeAlias = Callable[..., Game]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By platform; the adapter and the sample are compiled against the stubs of Unity."""
    folder = tmp_path_factory.mktemp("unity")
    everything = sources("Runtime", "Samples~", "Tests~")
    return {
        "desktop": compiled(folder / "desktop.exe", *everything),
        "webgl": compiled(folder / "webgl.exe", "-d:UNITY_WEBGL", *everything),
    }


@pytest.fixture
def play(programs: dict[str, Path], tmp_path: Path) -> Iterator[Play]:
    """Starts a game; all of a test are the same game on the same device."""
    games: list[Game] = []

    def start(server: str, platform: str = "desktop", path: str = EVENTS, **options: Any) -> Game:
        usual = {
            "game": "core",
            "folder": tmp_path / "device",
            "speed": SPEED,
            "timeout": 5,
            "patience": 1,
            "key": "pk",
            "build": "1.4.0",
        }
        game = Game(programs[platform], url=server + path, **{**usual, **options})
        games.append(game)
        return game

    yield start
    for game in games:
        if game.runs:
            game.kill()
