"""The keys under which the index counts events with a category, a label or a value."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec

from saastracker.contracts import Reader
from saastracker.rules import text_of
from saastracker.tagger import KEY_MAX

NAMESPACE = "custom"
PROPERTIES = ("category", "label")
HASHED = "#"  # what keys begin with that would be too long; others are JSON arrays


class Labels(NamedTuple):
    """What the events of a row have in common."""

    name: str
    category: str | None
    label: str | None


class _Properties(msgspec.Struct):
    category: msgspec.Raw = msgspec.Raw(b"null")
    label: msgspec.Raw = msgspec.Raw(b"null")


_NONE = _Properties()
_properties = msgspec.json.Decoder(_Properties)
_parse = msgspec.json.Decoder(Labels).decode


def keys(name: str, properties: str | None, valued: str | None) -> tuple[str, ...]:
    """Of an event with a name, properties as JSON, and a value where `valued` is not None."""
    has = _properties.decode(properties) if properties else _NONE
    category, label = bytes(has.category), bytes(has.label)
    remembered = _keys if len(category) + len(label) <= KEY_MAX else _keys.__wrapped__
    return remembered(name, category, label, valued is not None)


def named(reader: Reader, project: str, counted: Iterable[str]) -> dict[str, Labels]:
    """What some keys stand for; of a long one, its last event tells."""
    found = {key: _parse(key) for key in counted if not key.startswith(HASHED)}
    wanted = set(counted).difference(found)
    if wanted:
        last = {seen.last_sequence for seen in reader.seen(project, NAMESPACE) if seen.key in wanted}
        for event in reader.events(sorted(last)):
            labels = _labels(event.name, event.properties)
            found[_key(labels)] = labels
    return found


@lru_cache(10_000)
def _keys(name: str, category: bytes, label: bytes, valued: bool) -> tuple[str, ...]:
    labels = Labels(name, text_of(category), text_of(label))
    return (_key(labels),) if labels[1:] != (None, None) or valued else ()


def _labels(name: str, properties: str | None) -> Labels:
    has = _properties.decode(properties) if properties else _NONE
    return Labels(name, text_of(has.category), text_of(has.label))


def _key(labels: Labels) -> str:
    key = msgspec.json.encode(labels).decode()
    return key if len(key) <= KEY_MAX else HASHED + sha256(key.encode()).hexdigest()
