"""The subset of SQL that stores share, and what engines write differently."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from saastracker.errors import Invalid

# What `saastracker.index` keeps, beside its state; each table has a column `project`.
INDEX_TABLES = (
    *("cells", "series", "days", "dirty", "actors", "aliases", "chunks", "sessions", "day_sessions", "units", "seen"),
    *("zones", "open"),
)

_PROP = re.compile(r"\bprop(_number|_key)?\(\s*:(\w+)\s*\)")
_OF_KEY = re.compile(r"\bprop_of\(\s*(\w+)\s*\)")
_ORGANIZATION = re.compile(r"\borganization\(\)")
_APART = re.compile(r"\bapart\(\)")
_PLAIN = re.compile(r"[\w.$: -]+", re.ASCII)


class Dialect(NamedTuple):
    """What engines write differently."""

    numbers: str  # the members of a JSON list of integers, which is the parameter `{}`, as a subquery
    texts: str  # of texts
    prop: str  # of the column `properties`, the one named by the parameter `:{key}`
    prop_number: str
    prop_key: str = ""  # tells values of `prop` apart, where that takes less; else `prop` itself
    prop_of: str = "{}"  # the `prop` of a column of such keys
    apart: str = ""  # with which a subquery ends that is made by itself, not as a part of what is around it


def readable(text: str) -> str:
    """A text as stores have it that take no character 0: nothing there is lost by another one."""
    return text.replace("\0", "\ufffd").replace("\\u0000", "\\ufffd")


def mentioned(names: Sequence[str]) -> list[str]:
    """Patterns for LIKE; properties, as JSON, that have one of some names match one. None: any properties may.

    Other characters may be written in more than one way, or mean something to LIKE.
    """
    return [f'%"{name}"%' for name in names] if all(_PLAIN.fullmatch(name) for name in names) else []


class Rows(Protocol):
    """SQL on one connection. A `?` is a value, CROSS JOIN with a condition is what `SqlReads` says."""

    @property
    def dialect(self) -> Dialect: ...

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, none if it gives none."""

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """A statement for every row."""

    def bulk(self, sql: str, row: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """A statement in which `VALUES {}` stands for rows of the form `row`, `(?, ?)`; `values` are those of all."""


def expand(sql: str, parameters: Mapping[str, Any], dialect: Dialect) -> str:
    """Write out `organization()`, `prop(:key)`, a string as it is and all else as JSON, and `prop_number(:key)`.

    The last is NULL for no number. `prop_key(:key)` is made to group by, `prop_of(column)` is what such keys stand for:
    groups of several keys may be of one. `apart()` ends a subquery that an engine should not take to pieces.

    Raises Invalid for a key with a quotation mark, which ends the key of a JSON path.
    """

    def written_out(call: re.Match[str]) -> str:
        key = call[2]
        if '"' in parameters[key]:
            raise Invalid("The name of a property cannot hold a quotation mark here.")
        of_kind = {"_number": dialect.prop_number, "_key": dialect.prop_key}.get(call[1], dialect.prop)
        return f"({(of_kind or dialect.prop).format(key=key)})"

    sql = _OF_KEY.sub(lambda call: f"({dialect.prop_of.format(call[1])})", sql)
    return _PROP.sub(written_out, _ORGANIZATION.sub("org", _APART.sub(dialect.apart, sql)))


def refuse_ended(ended: bool) -> None:
    """Whoever reads with a reader that has ended: its connection may be another's by now, on another state."""
    if ended:
        raise RuntimeError("This reader has ended: read within `with store.reader()`.")
