"""Organizations under the names people know them by, where a report has only their ids."""

from collections.abc import Mapping

from saastracker.contracts import Reader
from saastracker.report import Column, Grid, Report
from saastracker.told import Memory

LINK = "organizations/{row}"  # of a grid whose rows are organizations


def names_organizations(column: Column) -> bool:
    """Whether the ids of organizations stand in a column for what they are called; those of type `code` stay ids."""
    return column.type == "text" and (column.key == "org" or column.dimension == "org")


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
