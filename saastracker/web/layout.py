"""Where a report's blocks stand on its page."""

from collections.abc import Sequence

from saastracker.report import Block, Figures, Grid, Series, Table

NARROW = 4  # a table of no more columns shares its line with another


def layout(blocks: Sequence[Block]) -> list[list[list[Block]]]:
    """Lines of one or two panels, each of one block, or of figures and the series they sum up.

    Figures come first and the chart after them; the rest keeps its order.
    """
    lines: list[list[list[Block]]] = []
    figures = next((block for block in blocks if isinstance(block, Figures)), None)
    series = next((block for block in blocks if isinstance(block, Series)), None)
    joined: list[Block] = [figures, series] if figures and series else []
    if joined:
        lines.append([joined])
    for block in sorted((block for block in blocks if block not in joined), key=_rank):
        if _narrow(block) and lines and len(lines[-1]) == 1 and len(lines[-1][0]) == 1 and _narrow(lines[-1][0][0]):
            lines[-1].append([block])
        else:
            lines.append([[block]])
    return lines


def _rank(block: Block) -> int:
    return 0 if isinstance(block, Figures) else 1 if isinstance(block, Series) else 2


def _narrow(block: Block) -> bool:
    if isinstance(block, Table):
        return block.chart == "none" and sum(column.place == "always" for column in block.columns) <= NARROW
    return isinstance(block, Grid) and block.kind == "hours"
