"""What small facts say of a person or an organization is taken out of them when those are erased."""

import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from saastracker import audit
from saastracker.contracts import Change, Record, RecordStore
from saastracker.deliveries import KIND as DELIVERY
from saastracker.notify import KIND as NOTICE

PIECE = 200  # records of one write
NAMING = {"org", "merged_into", "user", "users", "person"}  # fields of definitions that name somebody

_DEFINITION = "definition:"
_ADDRESSES = {f"{_DEFINITION}view": ("report", "query"), "share": ("item", "query")}  # fields that are in addresses
_ANYWHERE = {audit.KIND, NOTICE, DELIVERY}  # kinds of records in which it may stand anywhere


def forget(records: RecordStore, project: str, ids: Collection[str]) -> int:
    """How many records were changed or deleted.

    Views and shared links about them go, notices and messages, and definitions of them alone; from lists only they
    do. What the audit trail says that a record was then is left out of it: that it was changed, when and by whom stays.
    """
    words = re.compile("|".join(rf"(?<![\w-]){re.escape(each)}(?![\w-])" for each in ids))
    changes = [change for record in records.records() if (change := _change(record, project, set(ids), words))]
    for start in range(0, len(changes), PIECE):
        records.write(changes[start : start + PIECE])
    return len(changes)


def _change(record: Record, project: str, ids: set[str], words: re.Pattern[str]) -> Change | None:
    kind = record.kind
    if not (kind in _ANYWHERE or kind in _ADDRESSES or kind.startswith(_DEFINITION)):
        return None
    value = msgspec.json.decode(record.data)
    if _project(value) not in {project, None} or not any(_mentions(text, words) for text in _texts(value)):
        return None
    if kind == audit.KIND:
        data = msgspec.json.encode(value | {"value": None})
        return Change(kind, record.id, record.version, data, record.name) if value["project"] == project else None
    if kind in _ADDRESSES:
        own = value.get("value", value)
        parts = [str(own.get(field) or "") for field in _ADDRESSES[kind]]
        return _gone(record) if any(_mentions(part, words) for part in parts) else None
    return _gone(record) if kind in _ANYWHERE else _definition(record, value, ids)


def _project(value: dict[str, Any]) -> str | None:
    """Whose a record is, as far as all kinds of records say it alike."""
    notice = value.get("notice")
    return value.get("project") or (notice.get("project") if isinstance(notice, dict) else None) or None


def _gone(record: Record) -> Change:
    return Change(record.kind, record.id, record.version, None)


def _definition(record: Record, value: dict[str, Any], ids: set[str]) -> Change | None:
    left = {}
    for field, own in value["value"].items():
        if field in NAMING and isinstance(own, str) and own in ids:
            return _gone(record)
        naming = field in NAMING and isinstance(own, list)
        left[field] = [each for each in own if each not in ids] if naming else own
    if left == value["value"]:
        return None
    data = msgspec.json.encode(value | {"value": left})
    return Change(record.kind, record.id, record.version, data, record.name)


def _mentions(text: str, words: re.Pattern[str]) -> bool:
    return words.search(text) is not None or words.search(unquote_plus(text)) is not None


def _texts(value: Any) -> Iterator[str]:
    """All texts in some JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
