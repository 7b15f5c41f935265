"""A disk that is full, locked, read-only or slow: 503, nothing lost, and it goes on by itself."""

import asyncio
import resource
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from io import FileIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.needing import missing
from tests.reliability.conftest import Start
from tests.reliability.launch import launching
from tests.reliability.load import Keys, Load, game_request, post, stored
from tests.serving import Server

DISK_BYTES = 64 * 1024 * 1024
SOON = 20  # seconds
CONNECTIONS = 80
BATCH = 100
PADDING = "x" * 500
PRESS_SECONDS = 2.0
MEMORY_BYTES = 64 * 1024 * 1024  # for 5000 events that wait, the requests they came in, and what is being committed


def soon(condition: Callable[[], object], server: Server) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, server.output
        time.sleep(0.05)


def ready(server: Server) -> httpx.Response:
    return httpx.get(f"{server.url}/readyz", timeout=SOON)


def endure(server: Server, keys: Keys, trouble: AbstractContextManager[None], named: str) -> None:
    """Under load, answer 503 while there is trouble, go on when it is over, and lose nothing."""
    load = Load(keys)
    with load.running(server.url):
        soon(lambda: load.acknowledged, server)
        with trouble:
            soon(lambda: load.statuses[503], server)
            soon(lambda: ready(server).status_code == 503 and named in ready(server).json()["store"], server)
        soon(lambda: ready(server).is_success, server)
    load.finish(server.url)
    assert server.stop() == 0, server.output
    found = stored(server.data)
    assert load.acknowledged == found.keys()
    assert set(found.values()) == {1}
    with closing(sqlite3.connect(server.data / "saastracker.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """`folder/data` on a disk of its own."""
    data, kept = folder / "data", folder / "kept"
    shutil.move(data, kept)
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "saastracker", str(data)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        missing("only root may mount a small disk")
    shutil.copytree(kept, data, dirs_exist_ok=True)
    yield data
    subprocess.run(["umount", "--lazy", str(data)], check=True)


def fill(file: FileIO) -> None:
    while True:
        file.write(bytes(4096))


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Something else takes what is left of the disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        fill(file)
    yield
    ballast.unlink()


def test_a_full_disk(small_disk: Path, start: Start, keys: Keys) -> None:
    endure(start(), keys, full(small_disk), "full")


@contextmanager
def limited(server: Server) -> Iterator[None]:
    """Its files may not grow."""
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (8192, hard))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (soft, hard))


def test_files_that_may_not_grow(start: Start, keys: Keys) -> None:
    server = start()
    endure(server, keys, limited(server), "fails to read or write")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def test_a_locked_database(start: Start, keys: Keys) -> None:
    server = start(saastracker=launching("impatient"))
    endure(server, keys, locked(server.data / "saastracker.db"), "locked")


def test_memory_is_bounded_when_the_disk_is_slow(folder: Path, start: Start, keys: Keys) -> None:
    (folder / "config.toml").write_text("[plugin.sqlite]\ncache_mb = 1\n")
    server = start(saastracker=launching("slow_disk"))
    process = psutil.Process(server.pid)
    before = own_memory(process)
    statuses, peak = asyncio.run(press(server, keys, process))
    assert statuses.keys() == {200, 503}
    assert "queue_full" in httpx.get(f"{server.url}/metrics").text
    assert peak - before < MEMORY_BYTES, f"{(peak - before) / 2**20:.0f} MiB"


def own_memory(process: psutil.Process) -> int:
    """In bytes, without pages of the database that are mapped, which the system takes back when it wants to."""
    memory = process.memory_info()
    return int(memory.rss - memory.shared)


async def press(server: Server, keys: Keys, process: psutil.Process) -> tuple[Counter[int], int]:
    """Send more than the disk takes; the answers by status, and the most memory taken."""
    text = game_request(keys, ["x"] * BATCH, PADDING)
    statuses: Counter[int] = Counter()
    end = time.monotonic() + PRESS_SECONDS
    peak = 0

    async def client() -> None:
        nonlocal peak
        reader, writer = await asyncio.open_connection(urlsplit(server.url).hostname, urlsplit(server.url).port)
        while time.monotonic() < end:
            statuses[await post(reader, writer, text)] += 1
            peak = max(peak, own_memory(process))
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return statuses, peak
