"""Lines with the span before, and stacked bars, over time."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from saastracker.report import Number
from saastracker.web.charts.drawing import Drawing
from saastracker.web.charts.svg import element, percent, stretched
from saastracker.web.charts.ticks import Axis, axis, time_ticks
from saastracker.web.numbers import exact

GAP = 1  # pixels between the layers of a bar
BAR = 0.73  # a bar's part of its period's width


def chart(drawing: Drawing, height: int) -> Markup:
    """A drawing of `height` pixels, without its time axis of 28 more."""
    scale = _axis(drawing)
    marks = _bars(drawing, scale, height) if drawing.stacked else _lines(drawing, scale, height)
    return element(
        "svg",
        element("title", drawing.title, id=f"{drawing.id}-t"),
        element("desc", description(drawing), id=f"{drawing.id}-d"),
        _grid(scale, height),
        _times(drawing, height),
        _notes(drawing, height),
        marks,
        width="100%",
        height=height + 28,
        role="img",
        aria_labelledby=f"{drawing.id}-t {drawing.id}-d",
        data_height=height,
    )


def description(drawing: Drawing) -> str:
    """The chart in a sentence or two: the highest and lowest of every line, and what is incomplete."""
    sentences = []
    for line in drawing.lines:
        known = [(value, place) for place, value in enumerate(line.values) if value is not None]
        if known:
            (most, top), (least, bottom) = max(known, key=lambda item: item[0]), min(known, key=lambda item: item[0])
            sentences.append(
                f"{line.label}: most {exact(most, drawing.measure.unit)} on {drawing.periods[top].label}, "
                f"least {exact(least, drawing.measure.unit)} on {drawing.periods[bottom].label}."
            )
    if drawing.running:
        sentences.append(f"{drawing.periods[-1].label} is incomplete.")
    if drawing.notes:
        days = ", ".join(drawing.periods[place].label for place in sorted(drawing.notes))
        sentences.append(f"Annotated: {days}.")
    return " ".join(sentences)


def _axis(drawing: Drawing) -> Axis:
    values = [line.values for line in drawing.lines]
    if drawing.stacked:
        values = [[sum(max(value or 0, 0) for value in column) for column in zip(*values, strict=True)]]
    known = [value for line in (*values, drawing.before) for value in line if value is not None]
    return axis(min(known, default=0), max(known, default=0), drawing.measure.unit)


def _grid(scale: Axis, height: int) -> Markup:
    lines, labels = [], []
    for value, label in zip(scale.values, scale.labels, strict=True):
        y = round(scale.y(value, height), 1)
        lines.append(
            element("line", class_="base" if value == 0 else None, x1="0", x2="100%", y1=f"{y:g}", y2=f"{y:g}")
        )
        labels.append(element("text", label, x="-8", y=f"{y + 4:g}"))
    return element("g", *lines, class_="grid") + element("g", *labels, class_="y")


def _times(drawing: Drawing, height: int) -> Markup:
    if not drawing.periods:
        return Markup("")
    days, hours = [period.day for period in drawing.periods], [period.hour for period in drawing.periods]
    labels = []
    for tick in time_ticks(days, drawing.interval, hours):
        x = _x(drawing, tick.place)
        ends = "first" if x < 0.01 else "last" if x > 0.99 else ""
        labels.append(
            element(
                "text", tick.label, x=percent(x), y=height + 18, class_=f"{ends}{' minor' * tick.minor}".strip() or None
            )
        )
    return element("g", *labels, class_="x")


def _notes(drawing: Drawing, height: int) -> Markup:
    if not drawing.notes:
        return Markup("")
    marks = []
    for place, notes in sorted(drawing.notes.items()):
        x, told = percent(_x(drawing, place)), "; ".join(note.text for note in notes)
        marks.append(
            element(
                "g",
                element("title", f"{drawing.periods[place].label}: {told}"),
                element("line", x1=x, x2=x, y1="0", y2=height),
                element("circle", cx=x, cy="0", r="3.5"),
            )
        )
    return element("g", *marks, class_="notes")


def _x(drawing: Drawing, place: int) -> float:
    """Where a period stands: bars in the middle of their part, lines from edge to edge."""
    count = len(drawing.periods)
    if drawing.stacked or count == 1:
        return (place + 0.5) / count
    return place / (count - 1)


def _lines(drawing: Drawing, scale: Axis, height: int) -> Markup:
    paths = []
    if drawing.before:
        places = _places(drawing, drawing.before, scale, height)
        paths.append(element("path", class_="line prev", d=_path(places), data_y=_heights(places)))
    for number, line in reversed(list(enumerate(drawing.lines))):
        places = _places(drawing, line.values, scale, height)
        # The last stretch leads into a period that is not over.
        open_end = drawing.running and len(places) > 1 and places[-1] is not None and places[-2] is not None
        closed = places[:-1] if open_end else places
        if number == 0 and len(drawing.lines) == 1:
            paths.append(element("path", class_=f"area {line.kind}", d=_area(closed, scale.y(0, height))))
        paths.append(element("path", class_=f"line {line.kind}", d=_path(closed), data_y=_heights(places)))
        if open_end:
            paths.append(element("path", class_=f"line open {line.kind}", d=_path(places[-2:])))
    return stretched(height, *paths)


def _places(drawing: Drawing, values: Sequence[Number], scale: Axis, height: int) -> list[tuple[float, float] | None]:
    return [
        None if value is None else (_x(drawing, place) * 1000, scale.y(value, height))
        for place, value in enumerate(values)
    ]


def _runs(places: Iterable[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The stretches between gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for place in places:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(place)
    return [run for run in runs if run]


def _path(places: Iterable[tuple[float, float] | None]) -> str:
    # A point alone becomes a line without length, which round ends make a dot.
    return "".join(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (run if len(run) > 1 else run * 2)) for run in _runs(places)
    )


def _area(places: Iterable[tuple[float, float] | None], base: float) -> str:
    return "".join(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run) + f"L{run[-1][0]:.1f} {base:g}L{run[0][0]:.1f} {base:g}Z"
        for run in _runs(places)
    )


def _heights(places: Iterable[tuple[float, float] | None]) -> str:
    """Pixels from the top for each period, for the read-out's dots."""
    return ",".join("" if place is None else f"{place[1]:.1f}" for place in places)


def _bars(drawing: Drawing, scale: Axis, height: int) -> Markup:
    rects = []
    for place in range(len(drawing.periods)):
        width = BAR / len(drawing.periods)
        partial = " partial" if drawing.running and place == len(drawing.periods) - 1 else ""
        total = 0.0
        for line in drawing.lines:
            value = max(line.values[place] or 0, 0)
            top, bottom = scale.y(total + value, height), scale.y(total, height)
            total += value
            if bottom - top > GAP:
                rects.append(
                    element(
                        "rect",
                        class_=f"fill {line.kind}{partial}",
                        x=percent(_x(drawing, place) - width / 2),
                        width=percent(width),
                        y=f"{top:.1f}",
                        height=f"{bottom - top - GAP:.1f}",
                    )
                )
    return Markup("").join(rects)
