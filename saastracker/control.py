"""The socket in the data folder through which commands ask a running server to change events."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from saastracker.errors import OperatorError, Refusal
from saastracker.event import Event

SOCKET = "control.sock"
MESSAGE_MAX = 64 * 1024 * 1024  # bytes
ADDRESS_MAX = 100  # bytes of a socket's path; Linux takes 107, others 103
_STOPPED = "The server stopped; run the command again to go on where it ended."
_LENGTH = struct.Struct(">I")


class Append(msgspec.Struct, tag=True):
    """Store these events of a project."""

    project: str
    events: list[Event]
    as_is: bool = False  # whether enrichers are to leave them alone


class Rebuild(msgspec.Struct, tag=True):
    """Make the index again."""


class RunJob(msgspec.Struct, tag=True):
    """Run a job to its end."""

    job: str


class Appended(msgspec.Struct, tag=True):
    stored: int
    duplicates: int
    left_out: int = 0  # by enrichers


class Progress(msgspec.Struct, tag=True):
    """So far, in events or another unit; `done` equals `total` in the last."""

    done: int
    total: int


class Failed(msgspec.Struct, tag=True):
    detail: str


class Handlers(Protocol):
    """What a server does when a command asks."""

    async def append(self, append: Append) -> Appended: ...

    def rebuild(self) -> AsyncIterator[Progress]: ...

    def run_job(self, job: str) -> AsyncIterator[Progress]: ...


_question: "msgspec.msgpack.Decoder[Append | Rebuild | RunJob]" = msgspec.msgpack.Decoder(Append | Rebuild | RunJob)
_answer: "msgspec.msgpack.Decoder[Appended | Progress | Failed]" = msgspec.msgpack.Decoder(Appended | Progress | Failed)


def _frame(message: msgspec.Struct) -> bytes:
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """A name of the socket that is short enough for the system."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fits = len(os.fsencode(path)) <= ADDRESS_MAX
        yield str(path) if fits else f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


class ControlServer:
    """Listens in the data folder; only the owner of the folder may connect."""

    def __init__(self, data: Path, handlers: Handlers) -> None:
        self._path = data / SOCKET
        self._handlers = handlers
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        running = await asyncio.to_thread(Control.connect, self._path.parent)
        if running is not None:
            running.close()
            raise OperatorError(f"A server already runs on {self._path.parent}: give this one another (--data DIR)")
        self._path.unlink(missing_ok=True)  # left by a server that was killed
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with _reachable(self._path) as name:
                listener.bind(name)
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering = asyncio.create_task(self._answer_all(reader, writer))
        self._tasks.add(answering)
        answering.add_done_callback(self._tasks.discard)

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while header := await reader.read(_LENGTH.size):
                (length,) = _LENGTH.unpack(header + await reader.readexactly(_LENGTH.size - len(header)))
                if length > MESSAGE_MAX:
                    break
                async for answer in self._answers(await reader.readexactly(length)):
                    writer.write(_frame(answer))
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the command went away, or the server stops
        finally:
            writer.close()

    async def _answers(self, body: bytes) -> AsyncIterator[Appended | Progress | Failed]:
        try:
            question = _question.decode(body)
            if isinstance(question, Append):
                yield await self._handlers.append(question)
            else:
                run = (
                    self._handlers.rebuild() if isinstance(question, Rebuild) else self._handlers.run_job(question.job)
                )
                async for progress in run:
                    yield progress
        except (Refusal, msgspec.DecodeError) as error:
            yield Failed(str(error))


class Control:
    """A command's line to the running server."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")

    @classmethod
    def connect(cls, data: Path) -> "Control | None":
        """None if no server runs on this data folder."""
        path = data / SOCKET
        if not path.exists():
            return None
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _reachable(path) as name:
                connection.connect(name)
        except (ConnectionRefusedError, FileNotFoundError):
            connection.close()
            return None
        except OSError as error:
            connection.close()
            raise OperatorError(f"Cannot reach the running server through {path}: {error.strerror}.") from None
        return cls(connection)

    def append(self, project: str, events: list[Event], *, as_is: bool) -> Appended:
        """Store events, `as_is` or after the server's enrichers.

        Raises OperatorError with what the server said, or when it stopped.
        """
        self._ask(Append(project, events, as_is))
        answer = self._next()
        if not isinstance(answer, Appended):
            raise OperatorError("The server is of another release; restart it.")
        return answer

    def rebuild(self, progress: Callable[[int, int], None]) -> None:
        """Have the server make its index again; `progress(done, total)` in events. Raises OperatorError."""
        self._follow(Rebuild(), progress)

    def run_job(self, job: str, progress: Callable[[int, int], None]) -> None:
        """Have the server run a job to its end. Raises OperatorError."""
        self._follow(RunJob(job), progress)

    def _follow(self, question: Rebuild | RunJob, progress: Callable[[int, int], None]) -> None:
        self._ask(question)
        while isinstance(answer := self._next(), Progress):
            progress(answer.done, answer.total)
            if answer.done >= answer.total:
                return
        raise OperatorError("The server is of another release; restart it.")

    def _ask(self, question: Append | Rebuild | RunJob) -> None:
        try:
            self._connection.sendall(_frame(question))
        except OSError:
            raise OperatorError(_STOPPED) from None

    def _next(self) -> Appended | Progress:
        try:
            header = self._file.read(_LENGTH.size)
            body = self._file.read(_LENGTH.unpack(header)[0]) if len(header) == _LENGTH.size else b""
            answer = _answer.decode(body)
        except (OSError, msgspec.DecodeError):
            raise OperatorError(_STOPPED) from None
        if isinstance(answer, Failed):
            raise OperatorError(answer.detail)
        return answer

    def close(self) -> None:
        self._file.close()
        self._connection.close()
