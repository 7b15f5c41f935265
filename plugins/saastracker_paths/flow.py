"""The blocks of the paths report."""

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saastracker.contracts import Reader
from saastracker.index import OTHER, Integers
from saastracker.report import Block, Flow, Link, Node, Note, Report
from saastracker.scope import Scope
from saastracker.visits import Visits, visits
from saastracker_paths.steps import Steps, steps

STEPS = 5
NODES_MAX = 8  # per step; the rest is OTHER
OVER = ("(start)", "(end)")  # what was before a session's first step, and what after its last
HINT = "A page is asked for by its path, such as /pricing, any other event by its name."


class Column(NamedTuple):
    """The nodes of one step, most sessions first, and the place in them of each session; -1 for none."""

    nodes: list[Node]
    place: Integers


def report(reader: Reader, scope: Scope) -> Report:
    actors = reader.actors(scope.project)
    found = visits(reader, scope, actors, scope.span)
    taken = steps(reader, scope, actors, found)
    start = scope.parameters["start"] or _most_common(reader, found, taken)
    flow = _flow(taken, start, scope.parameters["direction"])
    return Report(blocks=(flow, *_notes(taken, flow, start)))


def _most_common(reader: Reader, found: Visits, taken: Steps) -> str:
    """The path at which most sessions entered; without page views what most of them began with, if there is any."""
    entries = found.row.entry[found.row.entry > 0].tolist()
    texts = reader.texts(sorted(set(entries)))
    counts = Counter(texts[code] for code in entries) or Counter(
        taken.labels[label] for label in taken.label[np.diff(taken.session, prepend=-1) > 0].tolist()
    )
    return min(counts, key=lambda label: (-counts[label], label), default="")


def _notes(taken: Steps, flow: Flow, start: str) -> list[Block]:
    if flow.nodes:
        return []
    text = "No session began in this span."
    if len(taken.label):
        text = f"No session that began in this span came to {start}. {HINT}"
    return [Note(key="empty", text=text)]


def _flow(taken: Steps, start: str, direction: str) -> Flow:
    """Each session from the first time that it has the start."""
    first = taken.first(taken.labels.index(start)) if start in taken.labels else np.zeros(0, np.int64)
    forth = 1 if direction == "after" else -1
    columns = [Column([Node(f"0:{start}", start)] if len(first) else [], np.zeros(len(first), np.int64))]
    links: list[Link] = []
    for distance in range(1, STEPS + 1):
        before, labels = (taken.at(first, forth * number) for number in (distance - 1, distance))
        column = _column(taken.labels, labels, (labels < 0) & (before >= 0), forth * distance)
        links += _links(columns[-1], column, forth)
        columns.append(column)
    return Flow(
        key="flow",
        title=f"{direction.capitalize()} {start}" if start else "Paths",
        nodes=tuple(node for column in columns for node in column.nodes),
        links=tuple(links),
    )


def _column(labels: list[str], label: Integers, over: NDArray[np.bool_], distance: int) -> Column:
    """The step at a distance from the start: the label of each session there, and whether it just was over."""
    counts = np.bincount(label[label >= 0], minlength=len(labels))
    shown = sorted(np.flatnonzero(counts).tolist(), key=lambda number: (-counts[number], labels[number]))
    nodes = [Node(f"{distance}:{labels[number]}", labels[number]) for number in shown[:NODES_MAX]]
    node = np.full(len(labels) + 1, -1)  # the last for sessions without a label
    node[shown] = np.minimum(np.arange(len(shown)), NODES_MAX)
    place = node[label]
    # What sessions can be at is behind a colon, so that none of it is taken for one of these.
    if len(shown) > NODES_MAX:
        nodes.append(Node(f"{distance}{OTHER}", OTHER))
    if over.any():
        place[over] = len(nodes)
        nodes.append(Node(f"{distance}{OVER[distance > 0]}", OVER[distance > 0]))
    return Column(nodes, place)


def _links(near: Column, far: Column, forth: int) -> list[Link]:
    """The links between a step and the next one away from the start, most sessions first."""
    under_way = far.place >= 0
    ways = Counter(zip(near.place[under_way].tolist(), far.place[under_way].tolist(), strict=True))
    links = []
    for (one, other), sessions in sorted(ways.items(), key=lambda way: (-way[1], way[0])):
        source, target = (near.nodes[one].id, far.nodes[other].id)[::forth]
        links.append(Link(source, target, sessions))
    return links
