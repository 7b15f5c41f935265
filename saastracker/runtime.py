"""How the process shares its memory and the interpreter between ingest and reports."""

import asyncio
import ctypes
import gc
import sys
from contextlib import suppress

SWITCH_SECONDS = 0.001
GIVE_BACK_SECONDS = 10.0
_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1  # in malloc.h
_MMAP_BYTES = 32 * 2**20  # what takes as much is not from the heap; more than that glibc does not let
_TRIM_BYTES = 2**30


def one_heap() -> None:
    """Let all threads take memory from one heap, where the C library is glibc.

    Each thread has one of its own else, which keeps what reports have freed: within half an hour of 500
    events a second and reports all the while a server grew from 150 to 770 MB. What is freed stays in the heap until
    `give_back`: to take fresh pages for each array was a quarter of the time of the sources of ten million events.
    """
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)


async def give_back() -> None:
    """Return to the system what reports have freed, where the C library is glibc, until it is cancelled.

    It would keep some 200 MB after reports on a day with a million events; to return them takes 4 ms.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return
    trim.argtypes = [ctypes.c_size_t]
    while True:
        await asyncio.sleep(GIVE_BACK_SECONDS)
        await asyncio.to_thread(trim, 0)


def switch_often() -> None:
    """Let threads that wait for the interpreter have it sooner than the usual 5 ms after another one took it.

    An event is handed from the event loop to the writer and back, and beside reports each may wait so long: with
    500 events a second and two readers of a day with 900 000, p99 of ingest was 39 to 76 ms, and 21 with half of this.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def collect_seldom() -> None:
    """Let the garbage collector pass over what start-up made, and wait for more than the usual 700 new objects.

    A tenth of the samples at 256 connections was in it, and a quarter of the time in which a report reads cells.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
