"""Organizations and countries under the names people know them by, where a report has only ids and codes."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from saastracker.contracts import Reader
from saastracker.report import Column, Grid, Report
from saastracker.told import Memory

LINK = "organizations/{row}"  # of a grid whose rows are organizations


_NO_NAMES: Mapping[str, str] = {}


def called(column: Column, names: Mapping[str, str]) -> Mapping[str, str]:
    """What the values of a column are called; `names` are those of organizations. Columns of type `code` stay ids."""
    if names_organizations(column):
        return names
    return _countries() if _is_of(column, "country") else _NO_NAMES


def names_organizations(column: Column) -> bool:
    """Whether the ids of organizations stand in a column for what they are called."""
    return _is_of(column, "org")


def _is_of(column: Column, dimension: str) -> bool:
    return column.type == "text" and dimension in {column.key, column.dimension}


@cache
def _countries() -> Mapping[str, str]:
    """English names by ISO 3166-1 code."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    rows = (line.partition("\t") for line in table.splitlines() if not line.startswith("#"))
    return {code: name for code, _, name in rows}


def names_rows(grid: Grid) -> bool:
    """Whether the rows of a grid are organizations."""
    return grid.link == LINK


def names(report: Report, reader: Reader, project: str, memory: Memory) -> Mapping[str, str]:
    """The names of organizations by their ids, if a report shows any of them."""
    of_tables = any(names_organizations(column) for table in report.tables for column in table.columns)
    of_grids = any(isinstance(block, Grid) and names_rows(block) for block in report.blocks)
    if not (of_tables or of_grids):
        return {}
    told = memory.told(reader, project).organizations
    return {org: about.name for org, about in told.items() if about.name}
