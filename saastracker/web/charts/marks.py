"""Small drawings beside text: sparkline, rank and ratio bars, health breakdown, hours of the week."""

from collections.abc import Sequence

from markupsafe import Markup

from saastracker.report import Grid, Number
from saastracker.web.charts.svg import element, percent
from saastracker.web.numbers import exact

_WIDTH, _HEIGHT, _EDGE = 88, 24, 2


def sparkline(values: Sequence[Number], label: str) -> Markup:
    """The direction of a few numbers, oldest first, from 0, with a dot at the last."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    most = max((value for _, value in known), default=0) or 1
    step = (_WIDTH - 4) / max(len(values) - 1, 1)
    points = [(1 + place * step, _HEIGHT - _EDGE - value / most * (_HEIGHT - 2 * _EDGE)) for place, value in known]
    marks = [element("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))] if points else []
    if points:
        x, y = points[-1]
        marks.append(element("circle", class_="dot", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3"))
    return element("svg", *marks, class_="spark", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=label)


def rank_bar(share: float) -> Markup:
    """The bar under a name; `share` is against the longest."""
    return element("svg", element("rect", width=percent(share), height="100%", rx="2"), aria_hidden="true")


def ratio_bar(share: float) -> Markup:
    """The bar beside a share."""
    return element(
        "svg",
        element("rect", class_="track", width="100%", height="6", rx="1"),
        element("rect", class_="bar", width=percent(min(max(share, 0), 1)), height="6", rx="1"),
        aria_hidden="true",
    )


def breakdown(parts: Sequence[tuple[str, Number, Number]]) -> Markup:
    """What a score is made of: (name, weight, points) each; widths are weights, fills are points."""
    counted = [(name, weight, points) for name, weight, points in parts if weight and points is not None]
    total = sum(weight for _, weight, _ in counted) or 1
    gap, left, marks, said = 0.007, 0.0, [], []
    for name, weight, points in counted:
        width, reached = weight / total - gap, points / weight
        band = "healthy" if reached >= 0.7 else "watch" if reached >= 0.4 else "risk"
        at, figures = percent(left), (exact(round(points, 1)), exact(round(weight, 1)))
        marks += [
            element("text", name, x=at, y="12"),
            element("rect", class_="track", x=at, width=percent(width), y="22", height="16", rx="2"),
            element("rect", class_=f"b-{band}", x=at, width=percent(width * reached), y="22", height="16", rx="2"),
            element("text", figures[0], element("tspan", f" / {figures[1]}", class_="of"), class_="pts", x=at, y="56"),
        ]
        said.append(f"{name} {figures[0]} of {figures[1]}")
        left += weight / total
    label = f"Points by component: {', '.join(said)}"
    return element("svg", *marks, class_="parts", width="100%", height="64", role="img", aria_label=label)


_ROW, _CELL = 28, 25


def hours(grid: Grid) -> Markup:
    """Weekdays by hours, shaded against the busiest."""
    most = max((value for row in grid.values for value in row if value), default=0)
    days, cells = [], []
    for number, (name, row) in enumerate(zip(grid.rows, grid.values, strict=True)):
        y = number * _ROW
        days.append(element("text", str(name)[:3], x="-8", y=y + 17))
        for place, value in enumerate(row):
            told = element("title", f"{name} {grid.columns[place]}: {exact(value, grid.unit)}")
            cells.append(
                element(
                    "rect",
                    told,
                    class_="cell" if value else "none",
                    x=percent(place / len(row)),
                    y=y,
                    width=percent(0.888 / len(row)),
                    height=_CELL,
                    rx="2",
                    opacity=f"{max(value / most, 0.08):.2f}" if value else None,
                )
            )
    bottom = len(grid.rows) * _ROW
    times = [
        element(
            "text",
            grid.columns[place],
            x=percent(place / len(grid.columns)),
            y=bottom + 12,
            class_=" ".join(["first"] * (place == 0) + ["minor"] * (place % 6 > 0)) or None,
        )
        for place in range(0, len(grid.columns), 3)
    ]
    return element(
        "svg",
        element("g", *days, class_="y"),
        *cells,
        element("g", *times, class_="x"),
        width="100%",
        height=bottom + 20,
        role="img",
        aria_label=_busiest(grid, most),
    )


def _busiest(grid: Grid, most: float) -> str:
    for name, row in zip(grid.rows, grid.values, strict=True):
        if most and most in row:
            return f"{grid.title}. Busiest: {name} {grid.columns[row.index(most)]}, {exact(most, grid.unit)}."
    return f"{grid.title}: nothing yet."
