"""`rebuild` with and without a running server."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]

EVENTS = b"".join(b'{"name": "a", "user": "u%d", "time": "2026-05-06T12:00:00Z"}\n' % number for number in range(30))


def indexed(data: Path) -> int:
    """Actors in the index."""
    with sqlite3.connect(data / "saastracker.db") as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM index_actors").fetchone()
    connection.close()
    return int(count)


def test_without_a_server(run: Run, tmp_path: Path) -> None:
    run("project", "add", "A")
    run("import", "-", "--project", "a", stdin=EVENTS)
    assert run("rebuild").stdout == "The index was made again.\n"
    [database] = tmp_path.rglob("saastracker.db")
    assert indexed(database.parent) == 30
    run("rebuild")
    assert indexed(database.parent) == 30


def test_beside_a_server(server: tuple[str, str], run: Run, tmp_path: Path) -> None:
    run("project", "add", "B")
    run("import", "-", "--project", "b", stdin=EVENTS)
    assert run("rebuild").stdout == "The index was made again.\n"
    [database] = tmp_path.rglob("saastracker.db")
    assert indexed(database.parent) == 30
