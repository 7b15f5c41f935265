"""The blocks of the funnels report."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from msgspec.structs import replace

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Defined
from saastracker.errors import Invalid
from saastracker.index import OTHER, Integers
from saastracker.report import Column, Figure, Figures, Measure, Note, Number, Point, Report, Series, Steps, Table
from saastracker.scope import PROPERTY, Scope, Span
from saastracker_funnels.attempts import Attempts, attempts, compared, told_of
from saastracker_funnels.definition import Funnel

COLUMNS = (
    Column("id", "Id", "code", "never"),
    Column("name", "Funnel", link="funnels/{id}"),
    Column("steps", "Steps", place="wide"),
    Column("entered", "Entered", "number", link="funnels/{id}", about="Those whose attempt began in the span."),
    Column(
        "converted",
        "Converted",
        "number",
        link="funnels/{id}",
        about="Those who entered in the span and reached the last step.",
    ),
    Column("conversion", "Conversion", "number", unit="share", look="ratio", about="Converted / entered."),
)
FIGURES = (
    Figure(key="entered", label="Entered", value=None, good="up", about="Those whose attempt began in the span."),
    Figure(key="converted", label="Converted", value=None, good="up", about="Those of them who reached the last step."),
    Figure(key="conversion", label="Conversion", value=None, unit="share", good="up", about="Converted / entered."),
    Figure(
        key="median_seconds",
        label="Median time",
        value=None,
        unit="seconds",
        good="down",
        about="From the first step to the last.",
    ),
)
MEASURES = (
    Measure("entered", "Entered", group="Attempts"),
    Measure("converted", "Converted", group="Attempts"),
    Measure("conversion", "Conversion", "share", group="Conversion"),
)
BREAKDOWN = (
    Column("entered", "Entered", "number", look="rank", about="Those whose attempt began in the span."),
    Column("converted", "Converted", "number", about="Those of them who reached the last step."),
    Column("conversion", "Conversion", "number", unit="share", look="ratio", about="Converted / entered."),
)
BREAKDOWN_MAX = 20  # values; the rest is put together
DROPPED = (
    Column("entered_at", "Entered", "time"),
    Column("last_at", "Last step", "time", about="When they reached the last step they did reach."),
)
DROPPED_MAX = 1000
NOTHING = Note(
    key="none",
    title="No funnel yet",
    text="A funnel is the steps that people are expected to go through, such as signing up, inviting a colleague, "
    "exporting. Define one with the button above; it counts from the first event there is.",
)


def listing(reader: Reader, scope: Scope, funnels: Sequence[Defined]) -> Report:
    """All funnels, in the order in which they were defined."""
    actors = reader.actors(scope.project)
    rows = []
    for defined in funnels:
        funnel: Funnel = defined.value
        found = attempts(reader, scope, actors, funnel, scope.span)
        rows.append([defined.id, funnel.name, funnel.path, *_conversion(found)])
    table = Table(key="funnels", title="Funnels", columns=COLUMNS, rows=rows)
    return Report(blocks=(table,) if rows else (table, NOTHING))


def one(reader: Reader, scope: Scope, funnel: Funnel) -> Report:
    """One funnel, with what the scope's parameters ask of it. Raises Invalid for a step it does not have."""
    step = scope.parameters["dropped"]
    if step and int(step) > len(funnel.steps):
        raise Invalid(f"dropped: this funnel has {len(funnel.steps)} steps")
    actors = reader.actors(scope.project)
    before: Attempts | None = None
    if scope.compared:
        now, before = compared(reader, scope, actors, funnel, scope.compared)
    else:
        now = attempts(reader, scope, actors, funnel, scope.span)
    tables = []
    if scope.parameters["by"]:
        tables.append(_breakdown(reader, now, scope.parameters["by"]))
    if step:
        tables.append(_dropped(reader, actors, now, funnel, int(step) - 1))
    return Report(
        title=funnel.name,
        blocks=(
            _steps(funnel, now, "steps", "Steps"),
            _figures(now, before),
            _days(scope, now, before),
            *tables,
            Note(key="counting", title="How it counts", text=_counting(funnel)),
        ),
    )


def previewed(reader: Reader, scope: Scope, funnel: Funnel, current: Funnel | None) -> Report:
    """The steps of a funnel, and of the one that it would replace."""
    actors = reader.actors(scope.project)
    blocks = [_steps(funnel, attempts(reader, scope, actors, funnel, scope.span), "steps", "Steps")]
    if current:
        found = attempts(reader, scope, actors, current, scope.span)
        blocks.append(_steps(current, found, "current", "Steps as they are"))
    return Report(blocks=tuple(blocks))


def _steps(funnel: Funnel, found: Attempts, key: str, title: str) -> Steps:
    """Conversion and time of each step."""
    there = found.there
    counts = there.sum(axis=1).tolist()
    rows: list[list[Any]] = []
    for number, (label, previous) in enumerate(zip(funnel.labels, funnel.previous, strict=True)):
        row = [label, counts[number], _share(counts[number], len(found))]
        if number:
            waited = (found.reached[number] - found.reached[previous])[there[number]]
            row += [_share(counts[number], counts[previous]), _median(waited), _ninth_tenth(waited)]
        rows.append(row if number else [*row, None, None, None])
    return Steps(key=key, title=title, rows=rows)


def _conversion(found: Attempts) -> list[Any]:
    """Entered, converted, conversion."""
    converted = int(np.count_nonzero(found.there[-1]))
    return [len(found), converted, _share(converted, len(found))]


def _values(found: Attempts) -> list[Number]:
    whole = (found.reached[-1] - found.reached[0])[found.there[-1]]
    return [*_conversion(found), _median(whole)]


def _figures(now: Attempts, before: Attempts | None) -> Figures:
    values, previous = _values(now), [None] * 4 if before is None else _values(before)
    figures = (
        replace(figure, value=value, previous=was) for figure, value, was in zip(FIGURES, values, previous, strict=True)
    )
    return Figures(key="totals", title="In the span", figures=tuple(figures))


def _days(scope: Scope, now: Attempts, before: Attempts | None) -> Series:
    points = _points(scope.span, now)
    previous = _points(scope.compared, before) if scope.compared and before is not None else []
    return Series(
        key="days",
        title="By day of entry",
        interval="day",
        measures=MEASURES,
        points=points,
        previous=previous[: len(points)],  # a year earlier there may be one more
    )


def _points(span: Span, found: Attempts) -> list[Point]:
    days = [span.first + timedelta(days=number) for number in range((span.last - span.first).days + 1)]
    starts = np.array([Span(day, day, span.timezone).start for day in days])
    place = np.searchsorted(starts, found.reached[0], "right") - 1
    entered = np.bincount(place, minlength=len(days)).tolist()
    converted = np.bincount(place[found.there[-1]], minlength=len(days)).tolist()
    return [
        Point(day, {"entered": every, "converted": some, "conversion": _share(some, every)})
        for day, every, some in zip(days, entered, converted, strict=True)
    ]


def _breakdown(reader: Reader, found: Attempts, by: str) -> Table:
    """By a value of the event with which each attempt began; the most frequent first."""
    key = by.removeprefix(PROPERTY)
    column, own = ("prop(:key)", {"key": key}) if by.startswith(PROPERTY) else (f'"{by}"', {})
    value_of: dict[int, str | None] = dict(told_of(reader, found.entry, column, **own))
    values = [value_of.get(number) for number in found.entry.tolist()]
    entered = Counter(values)
    converted = Counter(value for value, there in zip(values, found.there[-1].tolist(), strict=True) if there)
    order = sorted(entered, key=lambda value: (-entered[value], value is None, value or ""))
    rows: list[list[Any]] = [[value, entered[value], converted[value]] for value in order[:BREAKDOWN_MAX]]
    if rest := order[BREAKDOWN_MAX:]:
        rows.append([OTHER, sum(entered[value] for value in rest), sum(converted[value] for value in rest)])
    return Table(
        key="breakdown",
        title=f"By {key}",
        columns=(Column("value", key[:1].upper() + key[1:]), *BREAKDOWN),
        rows=[[*row, _share(row[2], row[1])] for row in rows],
    )


def _dropped(reader: Reader, actors: Actors, found: Attempts, funnel: Funnel, number: int) -> Table:
    """Those who reached the required step before one, but not that one; who entered last first."""
    gone = np.flatnonzero(found.there[funnel.previous[number]] & ~found.there[number])
    order = np.lexsort((found.entry[gone], found.reached[0, gone]))[::-1]
    shown = gone[order[:DROPPED_MAX]]
    codes = actors.org_codes if funnel.per == "organization" else actors.person_codes
    named = [codes[who] for who in found.who[shown].tolist()]
    session = found.session[shown].tolist()
    texts = reader.texts([*named, *session])
    reached = np.where(found.there, found.reached, 0)[:, shown]
    times = zip(reached[0].tolist(), reached.max(axis=0).tolist(), strict=True)
    per_session = funnel.per == "session"
    rows = [
        [texts[who], *([texts[own]] if per_session else []), *both]
        for who, own, both in zip(named, session, times, strict=True)
    ]
    who = Column("person", "Person", link="people/{person}")
    if funnel.per == "organization":
        who = Column("org", "Organization", link="organizations/{org}")
    return Table(
        key="dropped",
        title=f"Dropped before {funnel.labels[number]}",
        columns=(who, *([Column("session", "Session", "code")] if per_session else []), *DROPPED),
        rows=rows,
        whole=len(gone) <= DROPPED_MAX,
        total=len(gone),
    )


def _counting(funnel: Funnel) -> str:
    """How this funnel counts, in sentences."""
    order = {
        "sequential": "Steps count in this order, whatever happens between them",
        "strict": "Steps count in this order with no other event between them",
        "any": f"Steps count in any order: {funnel.path}",
    }[funnel.order]
    days = f"{funnel.window_days} day{'s' if funnel.window_days > 1 else ''}"
    window = f", within {days} of the first" if funnel.window_days else ""
    unless = f", until {' or '.join(rule.name for rule in funnel.exclude)}" if funnel.exclude else ""
    entry = "any step" if funnel.order == "any" else "the first step"
    return f"{order}{window}{unless}. Each {funnel.per} counts once, from the first time in the span at {entry} on."


def _share(part: int, whole: int) -> Number:
    return part / whole if whole else None


def _median(waited: Integers) -> Number:
    """In seconds, as are all."""
    return float(np.median(waited)) / 1000 if len(waited) else None


def _ninth_tenth(waited: Integers) -> Number:
    """The nearest rank."""
    return float(np.sort(waited)[-(-9 * len(waited) // 10) - 1]) / 1000 if len(waited) else None
