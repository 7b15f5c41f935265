"""The bench runs on a server and data of its own and leaves nothing behind."""

import re
from collections.abc import Callable
from pathlib import Path

from click.testing import Result


def test_bench(run: Callable[..., Result]) -> None:
    first, second, third = run("bench", "--seconds", "1").stdout.splitlines()
    assert re.fullmatch(r"[1-9][\d,]* events/s \(8 connections, 100 events a request\)", first)
    assert re.fullmatch(r"request: p50 [\d.]+ ms, p99 [\d.]+ ms", second)
    assert re.fullmatch(r"stream report after [\d,]+ events: p50 [\d.]+ ms, p99 [\d.]+ ms", third)
    assert not list(Path().iterdir())
