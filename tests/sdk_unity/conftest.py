"""The compiled games, a server that also takes signed requests, and games that end with their test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.sdk_unity.games import SPEED, Game, compiled, sources
from tests.serving import Served, serve

SIGNED = "/signed/events"
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


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("live")
    endpoint = f'[[endpoint]]\npath = "{SIGNED}"\nscheme = "hmac"\nformat = "owlsignal"\n'
    (folder / "config.toml").write_text(endpoint)
    running = serve(folder)
    yield running
    assert running.server.stop() == 0, running.server.output


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
