"""What is still queued when a program ends, and what a forked process must not send a second time."""

import atexit
import os
import sys
from typing import Protocol


class Living(Protocol):
    def close(self) -> bool: ...
    def after_fork(self) -> None: ...


_open: dict[int, Living] = {}


def born(client: Living) -> None:
    _open[id(client)] = client


def died(client: Living) -> None:
    _open.pop(id(client), None)


def outlive() -> None:
    """Called when a thread starts. Forked workers of `multiprocessing` end without atexit, but run finalizers."""
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process and util and process.parent_process() and not _finalized:
        _finalized.append(util.Finalize(None, close_all, exitpriority=0))


_finalized: list[object] = []


def close_all() -> None:
    for client in list(_open.values()):
        client.close()


def _after_fork() -> None:
    _finalized.clear()
    for client in list(_open.values()):
        client.after_fork()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
