"""Where sessions went next: nodes in columns, links as wide as their sessions."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from saastracker.report import Flow, Link, Node
from saastracker.web.charts.svg import element, percent, stretched
from saastracker.web.numbers import exact

HEIGHT = 320  # pixels, at least
ROOM = 36  # pixels for every node of the longest column, at least
GAP = 20  # between nodes of a column; their names stand in it
BAR = 0.008  # a node's width, of the drawing's
LETTERS = 140  # that a drawing of usual width has room for, side by side
ROOM_COUNT = 7  # of them for the sessions behind a name


class Place(NamedTuple):
    """A node in the drawing."""

    node: Node
    column: int
    sessions: int
    y: float
    height: float


def columns(flow: Flow) -> list[list[tuple[Node, int]]]:
    """Nodes with their sessions by distance from a beginning, or before the only end; most sessions first."""
    depth = _depths(flow)
    found: list[list[tuple[Node, int]]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in flow.nodes:
        arrived = sum(link.sessions for link in flow.links if link.target == node.id)
        left = sum(link.sessions for link in flow.links if link.source == node.id)
        found[depth[node.id]].append((node, max(arrived, left)))
    return [sorted(column, key=lambda item: -item[1]) for column in found]


def _depths(flow: Flow) -> dict[str, int]:
    nodes = {node.id for node in flow.nodes}
    ways = [(link.source, link.target) for link in flow.links]
    ends, beginnings = nodes - {source for source, _ in ways}, nodes - {target for _, target in ways}
    if len(ends) > 1 or len(beginnings) == 1:
        return _distances(nodes, ways)
    # What leads to one place is as far from there as it is early, wherever its own way began.
    distance = _distances(nodes, [(target, source) for source, target in ways])
    longest = max(distance.values(), default=0)
    return {node: longest - far for node, far in distance.items()}


def _distances(nodes: Collection[str], ways: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Of each node from where ways begin."""
    distance = dict.fromkeys(nodes, 0)
    for _ in nodes:  # in a flow without circles no way is longer
        moved = False
        for source, target in ways:
            if distance[target] <= distance[source] < len(nodes):
                distance[target] = distance[source] + 1
                moved = True
        if not moved:
            break
    return distance


def diagram(flow: Flow) -> Markup:
    """The flow from left to right."""
    found = columns(flow)
    height = max(HEIGHT, ROOM * max((len(column) for column in found), default=0))
    places = {place.node.id: place for place in _places(found, height)}
    steps = max(len(found), 1)
    bars, names = [], []
    for place in places.values():
        x = place.column / steps
        told = f"{place.node.label}: {exact(place.sessions)} sessions"
        bars.append(
            element(
                "rect",
                element("title", told),
                class_="flow-node",
                x=percent(x),
                y=f"{place.y:.1f}",
                width=percent(BAR),
                height=f"{max(place.height, 1):.1f}",
                rx="1",
            )
        )
        label = element(
            "text",
            element("title", told),
            element("tspan", f"{exact(place.sessions)} ", class_="n"),
            _clipped(place.node.label, LETTERS // steps - ROOM_COUNT),
            y=GAP - 5,
        )
        # A drawing of its own cuts a name off where the next column begins; never the number, which would read wrong.
        at, y = percent(x), f"{place.y - GAP:.1f}"
        names.append(element("svg", label, x=at, y=y, width=percent(1 / steps - BAR), height=GAP))
    told = f"{flow.title}: {len(flow.nodes)} places, {len(flow.links)} ways between them."
    ribbons = stretched(height, *_ribbons(flow, places, steps))
    return element(
        "svg", ribbons, *bars, *names, class_="flow", width="100%", height=height, role="img", aria_label=told
    )


def _places(found: list[list[tuple[Node, int]]], height: int) -> list[Place]:
    fullest = max((sum(sessions for _, sessions in column) for column in found), default=0) or 1
    longest = max((len(column) for column in found), default=0)
    scale = (height - GAP * longest) / fullest
    places = []
    for number, column in enumerate(found):
        y = float(GAP)
        for node, sessions in column:
            places.append(Place(node, number, sessions, y, sessions * scale))
            y += sessions * scale + GAP
    return places


def _ribbons(flow: Flow, places: Mapping[str, Place], steps: int) -> list[Markup]:
    left = {key: place.y for key, place in places.items()}  # where the next link of a node leaves
    right = dict(left)  # and arrives
    ribbons = []
    # Links in the order of their ends, so that they cross as little as they can.
    for link in sorted(flow.links, key=lambda link: (places[link.source].y, places[link.target].y)):
        source, target = places[link.source], places[link.target]
        width = link.sessions / (source.sessions or 1) * source.height
        x1 = (source.column / steps + BAR) * 1000
        x2 = target.column / steps * 1000
        ribbons.append(
            element(
                "path",
                element("title", _told(link, places)),
                class_="flow-link",
                d=_ribbon(x1, left[link.source], x2, right[link.target], width),
            )
        )
        left[link.source] += width
        right[link.target] += width
    return ribbons


def _ribbon(x1: float, y1: float, x2: float, y2: float, width: float) -> str:
    middle = (x1 + x2) / 2
    return (
        f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}V{y2 + width:.1f}"
        f"C{middle:.1f} {y2 + width:.1f} {middle:.1f} {y1 + width:.1f} {x1:.1f} {y1 + width:.1f}Z"
    )


def _told(link: Link, places: Mapping[str, Place]) -> str:
    return f"{places[link.source].node.label} to {places[link.target].node.label}: {exact(link.sessions)} sessions"


def _clipped(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
