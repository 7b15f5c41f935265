"""A report: the scope it answers for, and the blocks it is made of."""

from typing import Any, Literal

import msgspec


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked about, parsed once from the query string."""

    project: str  # id


class Column(msgspec.Struct, frozen=True):
    key: str
    label: str
    type: Literal["text", "number", "time", "json"] = "text"


class Table(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="table"):
    key: str
    columns: tuple[Column, ...]
    rows: list[list[Any]]
    total: int | None = None
    next: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    blocks: tuple[Table, ...]
