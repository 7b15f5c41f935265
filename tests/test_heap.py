"""Threads of the server share one heap, so that its memory does not grow with how often they take turns."""

import platform
import subprocess
import sys

import pytest

from tests.needing import missing

COUNTING = """
import ctypes, sys, threading
from saastracker.server import one_heap

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


@pytest.mark.parametrize(("heaps", "several"), [("one", False), ("own", True)])
def test_threads_share_one_heap(heaps: str, several: bool) -> None:
    if platform.libc_ver()[0] != "glibc":
        missing("Heaps are counted with glibc only: run this on a Linux with glibc")
    told = subprocess.check_output([sys.executable, "-c", COUNTING, heaps], text=True)
    assert (told.count("<heap nr=") > 1) is several
