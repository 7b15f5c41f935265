"""Where a report's blocks stand on its page."""

from collections.abc import Sequence
from functools import partial

from saastracker.report import Block, Figures, Flow, Grid, Note, Series, Steps, Table

NARROW = 4  # a table of no more columns shares its line with another


def layout(blocks: Sequence[Block], opened: str | None = None) -> list[list[list[Block]]]:
    """Lines of one or two panels, each of one block, or of figures and the series they sum up.

    What is to be done stands on top. Figures come first and what explains them next: the chart, or the steps
    of a funnel if the report names them before any chart. The rest keeps its order. The block whose key is
    `opened` has a line of its own. Where notes have titles and there is nothing else to show, they stand alone.
    """
    notes = [block for block in blocks if isinstance(block, Note) and block.title]
    if notes and not any(_holds(block) for block in blocks):
        return [[[note]] for note in notes]

    def narrow(block: Block) -> bool:
        return block.key != opened and _narrow(block)

    todo = [block for block in blocks if isinstance(block, Table) and block.chart == "checklist"]
    blocks = [block for block in blocks if block not in todo]
    lines: list[list[list[Block]]] = [[[block]] for block in todo]
    figures = next((block for block in blocks if isinstance(block, Figures)), None)
    series = next((block for block in blocks if isinstance(block, Series)), None)
    funnel = isinstance(next((block for block in blocks if isinstance(block, Series | Steps)), None), Steps)
    joined: list[Block] = [figures, series] if figures and series and not funnel else []
    first: tuple[type[Block], ...] = (Figures, Steps, Series) if funnel else (Figures, Series)
    if joined:
        lines.append([joined])
    for block in sorted((block for block in blocks if block not in joined), key=partial(_rank, first)):
        if narrow(block) and lines and len(lines[-1]) == 1 and len(lines[-1][0]) == 1 and narrow(lines[-1][0][0]):
            lines[-1].append([block])
        else:
            lines.append([[block]])
    return lines


def without_match(blocks: Sequence[Block]) -> bool:
    """Whether blocks count nothing, now and before, and have no title that says why."""
    return not any(_counts(block) for block in blocks)


def _counts(block: Block) -> bool:  # noqa: PLR0911  # one for each kind of block
    match block:
        case Figures(figures=figures):
            return any(figure.value or figure.previous for figure in figures)
        case Series(points=points, previous=previous):
            return any(any(point.values.values()) for point in (*points, *previous))
        case Table(chart="checklist"):
            return False
        case Table(columns=columns, rows=rows):
            numbers = [place for place, column in enumerate(columns) if column.type == "number"]
            return any(row[place] for row in rows for place in numbers) if numbers else bool(rows)
        case Grid(values=values):
            return any(any(row) for row in values)
        case Steps(rows=rows):
            return any(row[1] for row in rows)
        case Flow(links=links):
            return bool(links)
        case Note(title=title):
            return bool(title)


def _holds(block: Block) -> bool:
    """Whether a block shows more than that there is nothing."""
    match block:
        case Table(rows=rows) | Grid(rows=rows) | Steps(rows=rows):
            return bool(rows)
        case Series():
            return block.holds
        case Figures(figures=figures):
            return any(figure.value for figure in figures)
        case Flow(links=links):
            return bool(links)
        case Note():
            return False


def _rank(first: Sequence[type[Block]], block: Block) -> int:
    return next((rank for rank, kind in enumerate(first) if isinstance(block, kind)), len(first))


def _narrow(block: Block) -> bool:
    if isinstance(block, Table):
        what_happened = block.columns[0].type == "time"  # a list of events: its texts need the room
        columns = sum(column.stays for column in block.columns)
        return block.chart == "none" and columns <= NARROW and not what_happened
    return isinstance(block, Grid) and block.kind == "hours"
