"""Reading request bodies: bounded in size, in time and when they are unpacked."""

import asyncio
import zlib
from typing import Any, TypeAlias

from litestar.types import Receive

from saastracker.errors import Invalid, Refusal, RequestTimeout, TooLarge, Unavailable, UnsupportedEncoding

READ_SECONDS = 30.0
INLINE_BYTES = 32 * 1024  # a larger body is unpacked in a thread
UNPACKING_MAX = 4  # such threads at once
UNFINISHED_MAX = 64 * 1024 * 1024  # bytes of bodies whose end has not arrived, of all connections together
MEMBERS_MAX = 16  # of one gzip body; what follows a member is copied, so that many would take time without end

Headers: TypeAlias = dict[bytes, bytes]
IDENTITY = b"identity"
_WBITS = {b"gzip": (31,), b"x-gzip": (31,), b"deflate": (15, -15)}  # deflate comes with and without zlib's frame


class Disconnected(Exception):
    """The client went away before its body was complete."""


class Bodies:
    """Reads and unpacks bodies; of all connections together, only so much is in memory at once."""

    def __init__(self, received: int, unpacked: int) -> None:
        """The limits of one body, in bytes, as received and unpacked."""
        self._received = received
        self._unpacked = unpacked
        self._unfinished = 0  # bytes
        self._unpacking = asyncio.Semaphore(UNPACKING_MAX)

    async def read(self, receive: Receive, headers: Headers) -> bytes:
        """The body as received. Raises TooLarge, RequestTimeout, Unavailable, Disconnected."""
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._received:  # the HTTP parser refused all but digits
            raise _too_large(self._received)
        message: Any = await receive()
        if message["type"] == "http.request" and not message["more_body"]:
            body: bytes = message["body"]
            if len(body) > self._received:
                raise _too_large(self._received)
            return body
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await self._read_rest(receive, message)
        except TimeoutError:
            raise RequestTimeout(f"The body did not arrive within {READ_SECONDS:.0f} s.") from None

    async def _read_rest(self, receive: Receive, message: Any) -> bytes:
        chunks = bytearray()
        try:
            while True:
                if message["type"] != "http.request":
                    raise Disconnected
                chunks += message["body"]
                self._unfinished += len(message["body"])
                if len(chunks) > self._received:
                    raise _too_large(self._received)
                if not message["more_body"]:
                    return bytes(chunks)
                if self._unfinished > UNFINISHED_MAX:
                    raise Unavailable("The server is busy; nothing was stored, send again.", reason="queue_full")
                message = await receive()
        finally:
            self._unfinished -= len(chunks)

    async def unpack(self, raw: bytes, name: bytes) -> bytes | Refusal:
        """The body without its coding; a refusal, to be raised once the sender is known, if it is corrupt.

        Raises TooLarge.
        """
        if name == IDENTITY:
            return raw
        if len(raw) > INLINE_BYTES:
            async with self._unpacking:  # until the event loop gets to decode it: unpacked bodies do not pile up
                return await asyncio.to_thread(_unpack, raw, name, self._unpacked)
        return _unpack(raw, name, self._unpacked)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes; send fewer events at once.")


def coding(headers: Headers) -> bytes:
    """The one Content-Encoding of a request, `identity` if none. Raises UnsupportedEncoding."""
    name = headers.get(b"content-encoding", b"").strip().lower() or IDENTITY
    if name != IDENTITY and name not in _WBITS:
        raise UnsupportedEncoding("Content-Encoding must be gzip, deflate or identity, and only one of them.")
    return name


def _unpack(raw: bytes, name: bytes, limit: int) -> "bytes | Refusal":
    for wbits in _WBITS[name]:
        try:
            body = _inflate(raw, wbits, limit)
        except zlib.error:
            continue
        if body is not None:
            return body
    return Invalid(f"The body is not valid {name.decode()}.", reason="encoding")


def _inflate(raw: bytes, wbits: int, limit: int) -> bytes | None:
    """None if the data ends too early or goes on too long; gzip may come in several members."""
    body = bytearray()
    for _ in range(MEMBERS_MAX):
        unpacker = zlib.decompressobj(wbits)
        body += unpacker.decompress(raw, limit - len(body) + 1)
        if len(body) > limit:
            raise _too_large(limit)
        if not unpacker.eof:
            return None
        raw = unpacker.unused_data
        if not raw:
            return bytes(body)
        if wbits != 31:
            return None
    return None
