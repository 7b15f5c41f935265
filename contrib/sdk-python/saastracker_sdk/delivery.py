"""Carries events to the server from threads of its own: one queue, batches, and tries until each is settled."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple
from uuid import uuid4

from saastracker_sdk import lifetime
from saastracker_sdk.drops import Drops
from saastracker_sdk.options import Settings
from saastracker_sdk.patience import pause, sent_again
from saastracker_sdk.transport import Answer, Connection
from saastracker_sdk.wire import Wire

log = logging.getLogger("saastracker_sdk")

QUEUE_BYTES = 64 * 1024 * 1024
BATCH_BYTES = 512 * 1024  # half of what nginx takes in a body unless told
EVENT_BYTES = 256 * 1024  # what the server takes in one event


def _agent() -> str:
    try:
        return f"saastracker-sdk-python/{version('saastracker-sdk')}"
    except PackageNotFoundError:  # a copy of the folder
        return "saastracker-sdk-python"


class _Item(NamedTuple):
    number: int  # in the order of tracking
    due: float  # monotonic seconds
    path: str
    event: bytes


@dataclass(eq=False)
class _Batch:
    items: Sequence[_Item]
    key: str  # the Idempotency-Key of all tries, by which the server stores the events once
    abandoned: bool = False

    @property
    def events(self) -> list[bytes]:
        return [item.event for item in self.items]


class Delivery:
    """Safe in any thread; only `work_off` and `ended` wait for anything."""

    def __init__(self, wire: Wire, url: str, settings: Settings, drops: Drops) -> None:
        self._wire = wire
        self._url = url
        self._settings = settings
        self._drops = drops
        self._agent = _agent()
        self._connections: list[Connection] = []
        self._forget()

    def _forget(self) -> None:
        # Reentrant: a signal handler, or a finalizer, may track while its own thread is in here.
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[_Item] = deque()
        self._bytes = 0
        self._under_way: list[_Batch] = []
        self._number = 0  # of the last event
        self._hurried = 0  # events up to this number do not wait for others
        self._closed = False
        self._deadline = math.inf  # monotonic seconds; nothing is tried again after it
        self._failing = False
        self._threads: set[threading.Thread] = set()
        self._waiting: list[tuple[int, Future[None]]] = []  # done when all events up to a number are settled

    def after_fork(self) -> None:
        """In the child: what is queued is the parent's to send, and threads there are none."""
        for connection in self._connections:
            connection.close()
        self._connections = []
        self._drops.after_fork()
        self._forget()

    # --- What the client calls ---

    def put(self, path: str, event: bytes) -> None:
        if len(event) > EVENT_BYTES:
            self._drops.tell("invalid", f"An event takes {len(event)} bytes; at most {EVENT_BYTES}.", [event])
            return
        with self._changed:
            if closed := self._closed:
                full = False
            elif not (full := len(self._queue) >= self._settings.queue_max or self._bytes > QUEUE_BYTES):
                self._number += 1
                self._queue.append(_Item(self._number, time.monotonic() + self._settings.interval, path, event))
                self._bytes += len(event)
                self._start()
                if len(self._queue) == 1 or self._is_batch():
                    self._changed.notify_all()  # `notify` could wake one that waits to send again
        if closed:
            self._drops.tell("closed", "The client is closed.", [event])
        elif full:
            self._drops.tell("queue_full", f"{len(self._queue)} events wait already.", [event])

    def flushed(self) -> "Future[None]":
        """Sends what is queued now without waiting for more; done when all of it is settled."""
        with self._changed:
            self._hurried = self._number
            future: Future[None] = Future()
            self._waiting.append((self._number, future))
            self._changed.notify_all()
        self._tell_waiting()
        return future

    def ending(self, seconds: float) -> "Future[None]":
        """Takes no more events, and tries for some seconds to send those queued, those that failed before too."""
        with self._changed:
            self._closed = True
            self._deadline = time.monotonic() + seconds
        return self.flushed()

    def ended(self, seconds: float) -> None:
        """Gives up what is not settled, and waits until the threads have ended, unless a request is under way."""
        with self._changed:
            lost = [item.event for batch in self._under_way for item in batch.items]
            lost += [item.event for item in self._queue]
            for batch in self._under_way:
                batch.abandoned = True
            self._queue.clear()
            self._bytes = 0
            self._under_way.clear()
            self._changed.notify_all()
            threads = list(self._threads)
        self._drops.tell("closed", "The client was closed before they were stored.", lost)
        self._drops.last_words()
        self._tell_waiting()
        if not lost:
            for thread in threads:
                if thread is not threading.current_thread():
                    thread.join(seconds)

    # --- The threads ---

    def _start(self) -> None:
        while len(self._threads) < self._settings.connections:
            thread = threading.Thread(target=self._run, name="saastracker-sdk", daemon=True)
            self._threads.add(thread)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is ending: `work_off` sends what there is
                self._threads.discard(thread)
                return
            lifetime.outlive()

    def work_off(self) -> None:
        """Sends in this thread if there is no other, as at the end of the interpreter."""
        if not self._threads:
            self._run()

    def _run(self) -> None:
        connection = Connection(self._url, self._settings.timeout)
        self._connections.append(connection)
        try:
            while (batch := self._next()) and self._send(batch, connection):
                with self._changed:
                    if batch in self._under_way:
                        self._under_way.remove(batch)
                self._tell_waiting()
        finally:
            connection.close()
            with self._changed:
                self._connections.remove(connection)
                self._threads.discard(threading.current_thread())

    def _next(self) -> _Batch | None:
        """Waits for a batch that is due; None when the client is closed and nothing is left."""
        with self._changed:
            while not self._queue or (wait := self._wait()) > 0:
                if self._queue:
                    self._changed.wait(wait)
                elif self._closed:
                    return None
                else:
                    self._changed.wait()
            items = [self._queue.popleft()]
            size = len(items[0].event)
            while self._queue and len(items) < self._wire.batch_max:
                size += len(self._queue[0].event) + 1
                if size > BATCH_BYTES:
                    break
                items.append(self._queue.popleft())
            self._bytes -= sum(len(item.event) for item in items)
            batch = _Batch(items, uuid4().hex)
            self._under_way.append(batch)
            return batch

    def _wait(self) -> float:
        """Seconds until the oldest events are sent, by the monotonic clock: the other one may jump."""
        first = self._queue[0]
        return 0.0 if first.number <= self._hurried or self._is_batch() else first.due - time.monotonic()

    def _is_batch(self) -> bool:
        return len(self._queue) >= self._wire.batch_max or self._bytes >= BATCH_BYTES

    def _send(self, batch: _Batch, connection: Connection) -> bool:
        """Tries until the batch is settled, stored or refused for good; whether it came to that."""
        body = self._wire.body(batch.events)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "Idempotency-Key": batch.key,
            **self._wire.headers(body),
        }
        attempt = 0
        while not batch.abandoned and time.monotonic() < self._deadline:
            answer = None
            try:
                answer = connection.post(batch.items[0].path, body, headers)
            except Exception as error:  # whatever it is, this thread has to live on
                trouble = f"{type(error).__name__}: {error}"
            else:
                if self._settled(batch, answer):
                    return True
                trouble = answer.told
            self._tell_failing(trouble)
            self._sleep(pause(attempt, answer), batch)
            attempt += 1
        return False

    def _settled(self, batch: _Batch, answer: Answer) -> bool:
        if not 200 <= answer.status < 300:
            if sent_again(answer.status):
                return False
            if not batch.abandoned:
                self._drops.tell("refused", answer.told, batch.events)
            return True
        fields = answer.fields
        if fields is None:  # someone else's page; it cannot have stored anything
            return False
        if self._failing:
            self._failing = False
            log.info("Events are sent again to %s", self._url)
        if not batch.abandoned:
            for reason, detail, indexes in self._wire.not_stored(fields, len(batch.items)):
                self._drops.tell(reason, detail, [batch.items[index].event for index in indexes])
        return True

    def _sleep(self, seconds: float, batch: _Batch) -> None:
        """Ends early when the client is closed meanwhile: there is one more try at once."""
        with self._changed:
            was_open = not self._closed
            seconds = min(seconds, max(0.0, self._deadline - time.monotonic()))
            self._changed.wait_for(lambda: batch.abandoned or (was_open and self._closed), seconds)

    def _tell_failing(self, trouble: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("Events cannot be sent to %s, and are kept and tried again: %s", self._url, trouble)

    def _tell_waiting(self) -> None:
        with self._changed:
            oldest = [batch.items[0].number for batch in self._under_way]
            if self._queue:
                oldest.append(self._queue[0].number)
            settled = min(oldest, default=self._number + 1)
            done = [future for number, future in self._waiting if number < settled]
            self._waiting = [each for each in self._waiting if each[0] >= settled and not each[1].done()]
        for future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(None)
