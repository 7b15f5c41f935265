"""Bytes packed by Zstandard, as the index keeps its larger values.

Of 800 chunks of ten million events it unpacked 2.6 times as fast as the quickest zlib, packed 1.2 times as fast (short
ones 2.7 times), and took 3 % less.
"""

import threading
from functools import cached_property

import zstandard

_LEVEL = 1  # 3 takes half again as long and saves 2 %


class _Contexts(threading.local):
    """Contexts serve one thread at a time; each takes up to half a megabyte."""

    @cached_property
    def compressor(self) -> zstandard.ZstdCompressor:
        return zstandard.ZstdCompressor(_LEVEL, write_checksum=False)

    @cached_property
    def decompressor(self) -> zstandard.ZstdDecompressor:
        return zstandard.ZstdDecompressor()


_contexts = _Contexts()


def packed(data: bytes) -> bytes:
    return _contexts.compressor.compress(data)


def unpacked(data: bytes) -> bytes:
    return _contexts.decompressor.decompress(data)
