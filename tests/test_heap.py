"""Threads of the server share one heap, so that its memory does not grow with how often they take turns, and what
they have freed goes back to the system."""

import platform
import subprocess
import sys

import pytest

from tests.needing import missing

COUNTING = """
import ctypes, sys, threading
from saastracker.runtime import one_heap

if sys.argv[1] == "one":
    one_heap()
together = threading.Barrier(4)
kept = []

def allocate():
    together.wait()
    kept.append(ctypes.create_string_buffer(100_000))
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(4)]
[each.start() for each in threads]
[each.join() for each in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""

GIVING_BACK = """
import asyncio
from pathlib import Path
from saastracker import runtime

def held():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) // 1024

async def main():
    runtime.one_heap()
    before = held()
    freed, kept = [bytearray(100_000) for _ in range(1000)], bytearray(100_000)
    freed.clear()
    after = held()
    runtime.GIVE_BACK_SECONDS = 0.01
    giving = asyncio.create_task(runtime.give_back())
    while held() > before + 10:
        await asyncio.sleep(0.01)
    giving.cancel()
    print(after - before > 90, len(kept))

asyncio.run(main())
"""


def on_glibc() -> None:
    if platform.libc_ver()[0] != "glibc":
        missing("Heaps are counted with glibc only: run this on a Linux with glibc")


def test_what_is_freed_goes_back() -> None:
    """Where something above it is kept, glibc does not return it by itself."""
    on_glibc()
    told = subprocess.check_output([sys.executable, "-c", GIVING_BACK], text=True, timeout=20)
    assert told.split() == ["True", "100000"]


@pytest.mark.parametrize(("heaps", "several"), [("one", False), ("own", True)])
def test_threads_share_one_heap(heaps: str, several: bool) -> None:
    on_glibc()
    told = subprocess.check_output([sys.executable, "-c", COUNTING, heaps], text=True)
    assert (told.count("<heap nr=") > 1) is several
