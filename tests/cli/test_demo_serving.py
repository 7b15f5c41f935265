"""`saastracker serve --demo`, and what it does the second time."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.serving import Server


@contextmanager
def demo(folder: Path) -> Iterator[Server]:
    server = Server(folder, "--demo")
    try:
        yield server
    finally:
        assert server.stop() == 0, server.output


def stored(folder: Path) -> list[int]:
    """How many events each project has, fewest first."""
    with closing(sqlite3.connect(folder / "data" / "saastracker.db")) as database:
        return sorted(count for (count,) in database.execute("SELECT COUNT(*) FROM events GROUP BY project"))


def test_it_makes_its_projects_once(tmp_path: Path, read: Callable[..., Any]) -> None:
    started = time.monotonic()
    with demo(tmp_path) as server:
        print(f"made, loaded and served in {time.monotonic() - started:.1f} s")  # noqa: T201
        made = re.findall(r'^Made the demo project "(\w+)" with ([\d,]+) events: (\S+)', server.output, re.MULTILINE)
        token = re.search(r"^  (st_\S+)$", server.output, re.MULTILINE)
        assert token
        for name, _, url in made:
            page = httpx.get(url, headers={"Authorization": f"Bearer {token[1]}"}, follow_redirects=True)
            assert page.status_code == 200
            assert name in page.text
    counts = {name.lower(): int(count.replace(",", "")) for name, count, _ in made}
    assert [*counts] == ["harbourdesk", "trackside"]
    assert stored(tmp_path) == sorted(counts.values())

    with demo(tmp_path) as server:
        found = re.findall(r'^The project "(\w+)" is there already', server.output, re.MULTILINE)
    assert found == ["harbourdesk", "trackside"]
    assert stored(tmp_path) == sorted(counts.values())
    assert [each["slug"] for each in read("--data", str(tmp_path / "data"), "project", "list")] == [
        "my-product",
        *counts,
    ]
