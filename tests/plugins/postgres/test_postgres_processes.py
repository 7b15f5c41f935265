"""Several processes on one database: none misses an event, stores one twice, or does what another does already."""

import contextlib
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from saastracker.contracts import Group, Refused, Store
from saastracker.errors import OperatorError, Unavailable
from saastracker.testing import NOW, OTHER_PROJECT, PROJECT
from saastracker.testing.erasing import at_once, silent
from saastracker.testing.indexing import follow
from saastracker.testing.opened import ACCEPTED, event, in_threads, names, submission
from saastracker_postgres.append import Appender
from saastracker_postgres.records import PostgresRecords
from saastracker_postgres.store import PostgresStore
from tests.postgres import Postgres

CLAIM = """
import sys, time
from saastracker_postgres.store import PostgresStore
store = PostgresStore(sys.argv[1])
store.claim()
print("claimed", flush=True)
time.sleep(60)
"""


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[[], Store]]:
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(contextlib.closing(PostgresStore(url)))


def test_a_transaction_held_open_is_not_overtaken(url: str, open_store: Callable[[], Store]) -> None:
    fast = open_store()
    fast.append(Group([submission(event("before"))]))
    later, held = event("later", org="another text"), event("held")
    appending = threading.Thread(target=fast.append, args=(Group([submission(later)]),))
    reading = open_store()

    class Slow(Appender):
        def _end(self, last: int, added: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
            appending.start()
            appending.join(0.5)
            assert appending.is_alive()  # its number would come after one that is not there yet
            assert names(reading) == ["before"]
            return super()._end(last, added)

    with contextlib.closing(Slow(url)) as slow:
        slow.append(Group([submission(held)]))
    appending.join(10)
    assert held.sequence < later.sequence
    assert names(reading) == ["before", "held", "later"]


def test_a_follower_sees_every_event_of_all_writers_once(url: str, open_store: Callable[[], Store]) -> None:
    writers, rounds, size = 4, 15, 20
    reading = open_store()
    seen: list[str] = []
    done = threading.Event()

    def follow_on() -> None:
        last = 0
        while True:
            ended = done.is_set()
            found = [each for _, each in reading.read_after(last, 7)]
            assert [each.sequence for each in found] == sorted(each.sequence for each in found)
            seen.extend(each.name for each in found)
            last = found[-1].sequence if found else last
            if ended and not found:
                return

    def write(writer: int) -> Callable[[], None]:
        store = open_store()

        def appended() -> None:
            for number in range(rounds):
                own = [event(f"{writer}.{number}.{n}", user=f"user {number * n}") for n in range(size)]
                shared = event(f"shared {number}", id=number.to_bytes(16))
                refused = Refused(PROJECT.id, NOW, "invalid", "", "/")
                store.append(Group([submission(*own, shared)], [refused], {(PROJECT.id, "invalid", 1): 1}))

        return appended

    follower = threading.Thread(target=follow_on)
    follower.start()
    failed = in_threads([write(writer) for writer in range(writers)])
    done.set()
    follower.join(30)
    assert failed == []
    assert len(seen) == len(set(seen)) == rounds * (writers * size + 1)
    with contextlib.closing(PostgresRecords(url)) as records:
        assert records.usage("2026-05") == {PROJECT.id: len(seen)}
    with reading.reader() as reader:
        assert reader.refusals(PROJECT.id) == {"invalid": writers * rounds}


def test_a_repeat_that_comes_to_another_process_gets_the_first_answer(open_store: Callable[[], Store]) -> None:
    key, now = b"k" * 16, time.time_ns() // 1_000_000
    one, other = open_store(), open_store()
    first = submission(event("first"), idempotency=key, received_at=now, reply=ACCEPTED)
    one.append(Group([first]))
    repeat = submission(event("repeat"), idempotency=key, received_at=now)
    told = other.append(Group([repeat, submission(event("new"), received_at=now)]))
    assert (repeat.events[0].sequence, repeat.reply) == (0, ACCEPTED)
    assert names(one) == ["first", "new"]
    assert list(told.values()) == [2]  # with what the other process stored


def test_numbers_that_another_process_erased_are_not_used_again(open_store: Callable[[], Store]) -> None:
    one, other = open_store(), open_store()
    one.append(Group([submission(event("mine", user="ada", org="acme"))]))
    other.append(Group([submission(event("theirs"), project=OTHER_PROJECT)]))
    other.erase(PROJECT.id, at_once, silent)
    one.append(Group([submission(event("again", user="ada", org="acme"))]))
    found = one.read_after(0, 10)
    assert [(project, each.name, each.user, each.org) for project, each in found] == [
        (OTHER_PROJECT.id, "theirs", None, None),
        (PROJECT.id, "again", "ada", "acme"),
    ]


def test_the_claim_of_a_killed_process_is_free(url: str, open_store: Callable[[], Store]) -> None:
    store = open_store()
    with subprocess.Popen([sys.executable, "-c", CLAIM, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        with pytest.raises(OperatorError, match=f"saastracker {process.pid} on"):
            store.claim()
        store.append(Group([submission(event())]))  # needs no claim
        process.kill()
    wait_for(store.claim)
    store.claim()  # still held
    with pytest.raises(OperatorError):
        open_store().claim()


def test_nothing_acknowledged_is_lost_when_the_database_crashes_under_load(
    postgres: Postgres, url: str, open_store: Callable[[], Store]
) -> None:
    stores = [open_store() for _ in range(3)]
    stores[0].claim()
    acknowledged: list[str] = []
    refused = threading.Event()
    enough = threading.Event()

    def load(number: int, store: Store) -> Callable[[], None]:
        def appended() -> None:
            for count in itertools.count():  # what was refused may be stored: its answer can be lost
                if enough.is_set():
                    return
                name = f"{number}.{count}"
                try:
                    store.append(Group([submission(event(name, user=name))]))
                except Unavailable:
                    refused.set()
                    time.sleep(0.02)
                else:
                    acknowledged.append(name)

        return appended

    def crash() -> None:
        try:
            wait_until(lambda: len(acknowledged) > 50)
            postgres.stop()
            assert refused.wait(10)
            with pytest.raises(Unavailable, match="reached"):
                stores[0].claim()
            with pytest.raises(Unavailable), stores[0].reader():
                pass
            before = len(acknowledged)
            postgres.start()
            wait_until(lambda: len(acknowledged) > before + 50)
        finally:
            enough.set()

    failed = in_threads([load(*each) for each in enumerate(stores)], crash)
    assert failed == []
    stored = names(stores[0])
    assert len(stored) == len(set(stored)) >= len(acknowledged)
    assert set(acknowledged) <= set(stored)
    stores[0].claim()
    follow(stores[0])
    with contextlib.closing(PostgresRecords(url)) as records:
        assert records.usage("2026-05") == {PROJECT.id: len(stored)}


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for(work: Callable[[], None], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return work()
        except OperatorError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
