"""Organizations, people and countries under the names they are known by, where a report has only ids and codes."""

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import NamedTuple

from saastracker.contracts import Reader
from saastracker.persons import joining
from saastracker.report import Column, Grid, Report, Table
from saastracker.told import Memory, Told

LINK = "organizations/{row}"  # of a grid whose rows are organizations
_NO_NAMES: Mapping[str, str] = {}


class Names(NamedTuple):
    """What those are called whom a report shows, by their ids."""

    organizations: Mapping[str, str] = _NO_NAMES
    people: Mapping[str, str] = _NO_NAMES


NO_NAMES = Names()


def called(column: Column, names: Names) -> Mapping[str, str]:
    """What the values of a column are called. Columns of type `code` stay ids."""
    if names_organizations(column):
        return names.organizations
    if names_people(column):
        return names.people
    return _countries() if _is_of(column, "country") else _NO_NAMES


def names_organizations(column: Column) -> bool:
    """Whether the ids of organizations stand in a column for what they are called."""
    return _is_of(column, "org")


def names_people(column: Column) -> bool:
    """Whether the ids of people do, to whom no other column gives a name."""
    leads = column.dimension == "user" or column.link == f"people/{{{column.key}}}"
    return leads and column.type == "text" and not column.called


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


class Naming:
    """Looks names up for one page."""

    def __init__(self, reader: Reader, project: str, memory: Memory) -> None:
        self._reader, self._project, self._memory = reader, project, memory

    @cached_property
    def _told(self) -> Told:
        return self._memory.told(self._reader, self._project, whole=False)

    def organizations(self, report: Report) -> Mapping[str, str]:
        """All by their ids, if a report shows any of them."""
        of_tables = any(names_organizations(column) for table in report.tables for column in table.columns)
        of_grids = any(isinstance(block, Grid) and names_rows(block) for block in report.blocks)
        if not (of_tables or of_grids):
            return {}
        return {org: about.name for org, about in self._told.organizations.items() if about.name}

    def people(self, report: Report) -> Mapping[str, str]:
        """Those whose ids are in the rows of a report."""
        ids = {each for table in report.tables for each in _people(table)}
        if not ids:
            return {}
        return self._told.full_names(ids, lambda: joining(self._reader, self._reader.actors(self._project)))


def _people(table: Table) -> Iterator[str]:
    keys = [column.key for column in table.columns]
    for column in filter(names_people, table.columns):
        places = [keys.index(key) for key in (column.key, column.otherwise) if key]
        yield from (row[place] for row in table.rows for place in places if row[place])
