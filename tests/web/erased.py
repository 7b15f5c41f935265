"""People whom the index knows, to be erased."""

import time

from saastracker.event import Event

from .conftest import Running


def add_person(running: Running, who: str = "grace") -> str:
    """One of the shop, whose event is in the index."""
    running.add(Event(name="seen", user=who))
    follow(running)
    return who


def follow(running: Running) -> None:
    """Until the index has all events."""
    with running.writing:
        running.indexer.begin()
        while any(running.indexer.step()):
            pass


def wait(running: Running) -> None:
    """Until all that is to be erased is."""
    end = time.monotonic() + 60
    while running.site.erasures.waiting() or any(state.running for state in running.site.scheduler.states()):
        assert time.monotonic() < end
        time.sleep(0.02)
