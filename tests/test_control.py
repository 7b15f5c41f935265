"""The socket between commands and the running server."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from saastracker.control import Append, Appended, Control, ControlServer, Progress
from saastracker.errors import NotFound, OperatorError
from saastracker.event import Event, identity

EVENTS = [Event(name="a", time=5, id=identity("1", None, 5)), Event(name="b", properties='{"x":1}')]


class Handlers:
    """A server that knows one project, and takes two steps to rebuild."""

    async def append(self, append: Append) -> Appended:
        if append.project != "p":
            raise NotFound("No such project.")
        assert (append.events, append.as_is) == (EVENTS, True)
        return Appended(stored=1, duplicates=1, left_out=3)

    async def rebuild(self) -> AsyncIterator[Progress]:
        yield Progress(1, 2)
        yield Progress(2, 2)

    async def run_job(self, job: str) -> AsyncIterator[Progress]:
        if job != "work":
            raise NotFound("No such job.")
        yield Progress(1, 1)


def ask(data: Path, project: str) -> tuple[int, int, int]:
    control = Control.connect(data)
    assert control is not None
    try:
        told = control.append(project, EVENTS, as_is=True)
        return told.stored, told.duplicates, told.left_out
    finally:
        control.close()


async def serve_and_ask(data: Path, project: str) -> tuple[int, int, int]:
    server = ControlServer(data, Handlers())
    await server.start()
    try:
        assert stat.S_IMODE((data / "control.sock").stat().st_mode) == 0o600
        return await asyncio.to_thread(ask, data, project)
    finally:
        await server.close()


def test_events_arrive_as_they_are(tmp_path: Path) -> None:
    assert asyncio.run(serve_and_ask(tmp_path, "p")) == (1, 1, 3)
    assert Control.connect(tmp_path) is None


def test_a_long_folder_name(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    assert asyncio.run(serve_and_ask(deep, "p")) == (1, 1, 3)


def test_what_the_server_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="No such project"):
        asyncio.run(serve_and_ask(tmp_path, "q"))


def test_a_socket_left_by_a_killed_server(tmp_path: Path) -> None:
    async def leave() -> None:
        server = ControlServer(tmp_path, Handlers())
        await server.start()
        server._server.close()  # as a kill would: nobody removes the file

    asyncio.run(leave())
    assert Control.connect(tmp_path) is None
    assert asyncio.run(serve_and_ask(tmp_path, "p")) == (1, 1, 3)


def test_progress_is_told_as_it_comes(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def rebuild() -> None:
        control = Control.connect(tmp_path)
        assert control is not None
        control.rebuild(lambda done, total: seen.append((done, total)))
        control.close()

    async def serve() -> None:
        server = ControlServer(tmp_path, Handlers())
        await server.start()
        await asyncio.to_thread(rebuild)
        await server.close()

    asyncio.run(serve())
    assert seen == [(1, 2), (2, 2)]
