"""Cells of grids as their tables show them."""

import math
from typing import NamedTuple

from saastracker.report import Grid, Number
from saastracker.web.numbers import exact, whole_share

SHADES = 9  # beside q0, which is nothing
ALL_MAX = 5  # columns of which none need leave
PLACES_MIN = (0, 1, 2)  # columns that stay where there is little room, and a few of the others


class Cell(NamedTuple):
    """One share of a cohort."""

    text: str
    shade: str  # q0 to q9, empty without a value
    running: bool
    told: str


class Cohort(NamedTuple):
    """A row: how many began, and the share that came back by period."""

    size: str
    cells: list[Cell]


def cohort(grid: Grid, number: int) -> Cohort:
    """A row of a cohort grid."""
    row = grid.values[number]
    size = row[0] if row else None
    return Cohort(
        exact(size), [_cell(value, size, running=(number, place) in grid.running) for place, value in enumerate(row)]
    )


def all_cohorts(grid: Grid) -> Cohort:
    """All rows as one: in every period the cohorts that have it behind them."""
    cells, size = [], sum(row[0] or 0 for row in grid.values if row)
    for place in range(len(grid.columns)):
        over = [
            (row[place], row[0])
            for number, row in enumerate(grid.values)
            if row[place] is not None and (number, place) not in grid.running
        ]
        began = sum(first or 0 for _, first in over)
        cells.append(_cell(sum(value or 0 for value, _ in over) if over else None, began, running=False))
    return Cohort(exact(size), cells)


def _cell(value: Number, size: Number, *, running: bool) -> Cell:
    if value is None or not size:
        return Cell("", "", False, "")
    share = value / size
    shade = min(math.ceil(share * SHADES), SHADES)
    told = f"{exact(value)} of {exact(size)}{', not over' if running else ''}"
    return Cell(whole_share(share), f"q{shade}", running, told)


def room(place: int, count: int) -> str:
    """The class of a column: when it leaves a narrow panel."""
    if count <= ALL_MAX or place in PLACES_MIN or place % max(4, count // 4 + 1) == 0:
        return ""
    return "minor opt" if count > 14 and place % 2 else "minor"
