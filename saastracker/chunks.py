"""Chunks of moments and parts: how new rows join those of a busy day."""

from collections.abc import Mapping

from saastracker.columns import count
from saastracker.index_store import CHUNK_ROWS, Chunk, ChunkKey
from saastracker.parts import Parts
from saastracker.segments import Moments


def of_moments(new: Mapping[ChunkKey, Moments], last: Mapping[ChunkKey, Chunk]) -> dict[ChunkKey, Chunk]:
    """New rows behind those of each key's last chunk, or in a new one where that is full."""
    chunks = {}
    for key, rows in new.items():
        known = last.get(key)
        room = known and count(known.data) < CHUNK_ROWS
        both = Moments.together([Moments.decode(key.key, known.data), rows]) if known and room else rows
        chunks[key] = Chunk(_number(known), both.encode())
    return chunks


def of_parts(new: Mapping[ChunkKey, Parts], last: Mapping[ChunkKey, Chunk]) -> dict[ChunkKey, Chunk]:
    """The same of parts; those of one session become one again."""
    chunks = {}
    for key, rows in new.items():
        known = last.get(key)
        room = known and count(known.data) < CHUNK_ROWS
        both = Parts.together([Parts.decode(known.data), rows]) if known and room else rows
        chunks[key] = Chunk(_number(known), both.merged(both.actor, both.session).encode())
    return chunks


def _number(last: Chunk | None) -> int:
    if last is None:
        return 0
    return last.number + (count(last.data) >= CHUNK_ROWS)
