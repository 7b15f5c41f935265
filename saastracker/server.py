"""uvicorn, set up for ingest: bounded request heads, no idle half-requests, a clean stop."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from saastracker.errors import OperatorError
from saastracker.runtime import collect_seldom, one_heap, switch_often

log = logging.getLogger("saastracker")

HEAD_SECONDS = 15.0  # for a request line and headers to arrive
HEAD_MAX = 64 * 1024  # bytes, beside the read in which it began
KEEP_ALIVE_SECONDS = 75  # longer than the 60 s for which common proxies reuse a connection
BACKLOG = 2048  # connections that wait to be accepted
FILES_MAX = 65536  # open files and connections, where the system allows as many
STOP_SECONDS = 7  # for requests under way; what is queued is committed after that
END_SECONDS = 9.5  # for all of a stop, whatever hangs


class Joining:
    """A transport that sends the head of an answer with its body.

    uvicorn writes them one after the other; each is a system call, a packet, and a wake-up of the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 ") and data.endswith(b"\r\n\r\n") and b"\r\ncontent-length: " in data:
            self._head = data  # a body of known length follows at once; one of chunks may take its time
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Send a head that has no body, the answer to HEAD."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()


class Protocol(HttpToolsProtocol):
    """Closes connections whose request head or first byte of body is too slow, or the head too large.

    uvicorn waits for ever.
    """

    _received = b""
    _head_size = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", Joining(transport))
        self._arm()

    def data_received(self, data: bytes) -> None:
        self._received = data
        super().data_received(data)
        self._received = b""
        cycle = self.cycle
        in_head = cycle is None or cycle.scope is not self.scope
        if not in_head and not cycle.response_complete:
            if self._head_timer is not None and (cycle.body or not cycle.more_body):
                self._disarm()  # not before a body that was announced begins
        elif self._head_timer is None:  # a head began, or a body that was answered early goes on
            self._head_size = 0
            self._arm()
        elif in_head:
            self._head_size += len(data)
            if self._head_size > HEAD_MAX:
                self.send_400_response("Request head too large.")

    def _should_upgrade(self) -> bool:
        return True

    def handle_websocket_upgrade(self) -> None:
        """Serve the request as if it had asked for no other protocol; its parser has left out the body.

        Java's HttpClient and curl --http2 ask for HTTP/2 with every request.
        """
        (after_head,) = cast("httptools.HttpParserUpgrade", sys.exception()).args
        if self.scope["method"] == "CONNECT":
            self.send_400_response("CONNECT is for proxies.")
            return
        lines = [b"%b %b HTTP/1.1" % (self.scope["method"].encode(), self.url)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        super().data_received(b"\r\n".join([*lines, b"", self._received[after_head:]]))

    def on_response_complete(self) -> None:
        cast("Joining", self.transport).flush()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def _arm(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._late)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """Tells the application as soon as a signal asks it to stop, so that live streams end; ends in time."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._end: threading.Timer | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._end is None:
            self._end = threading.Timer(END_SECONDS, _give_up)
            self._end.daemon = True
            self._end.start()
        self._stopping()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets)
        if self._end is not None:
            self._end.cancel()


def _give_up() -> None:
    """For a database that answers no more: what waits for it was not acknowledged."""
    log.error("Not all could be stopped within %s s; what was answered with 2xx is stored", END_SECONDS)
    os._exit(1)


def serve(app: Any, host: str, port: int, stopping: Callable[[], None]) -> bool:
    """Serve until SIGTERM or SIGINT; whether the application ever started.

    Raises OperatorError if the address cannot be listened on.
    """
    listening = _listen(host, port)
    _allow_files()
    one_heap()
    switch_often()
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,  # it would write tokens that stand in query strings
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # `ingest` reads them, only from trusted proxies
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        backlog=BACKLOG,
    )
    server = Server(config, stopping)
    collect_seldom()
    # uvicorn raises the signal again once it has stopped; a clean stop should exit with 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])
    return server.started


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise OperatorError(f"Cannot listen on {host}:{port}: {error.strerror}. Try --port {port + 1}.") from None


def _allow_files() -> None:
    """Raise the limit of open files: who does not ask is given 1024, and each connection takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
