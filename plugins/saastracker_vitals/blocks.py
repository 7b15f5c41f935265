"""The blocks of the report on web vitals."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from saastracker.contracts import Reader
from saastracker.index import day_number
from saastracker.report import Column, Figure, Figures, Measure, Point, Report, Series, Table, counting
from saastracker.scope import Scope, Span
from saastracker_vitals.metrics import METRICS, NAMESPACE, Metric
from saastracker_vitals.samples import Key, Samples, Values, p75, samples, together

VITALS = ("LCP", "INP", "CLS", "TTFB", "FCP")  # FID in place of INP where browsers sent only that

UNITS = {name: metric.unit for name, metric in METRICS.items()}


def report(reader: Reader, scope: Scope) -> Report:
    asked = METRICS.get(scope.parameters["metric"])
    found = samples(reader, scope, scope.span)
    before = samples(reader, scope, scope.compared) if scope.compared else []
    values = together(found, lambda each: each.metric)
    drawn = asked or next((metric for metric in METRICS.values() if metric.name in values), METRICS["LCP"])
    earlier = _points(before, drawn, scope.compared) if scope.compared else []
    days = (scope.span.last - scope.span.first).days + 1  # a year earlier there may be one more
    return Report(
        blocks=(
            *(() if scope.filters else counting(reader.tagged(scope.project, NAMESPACE))),
            _figures(values, together(before, lambda each: each.metric)),
            Series(
                key="days",
                title=f"{drawn.label}, by day",
                interval="day",
                measures=(Measure(drawn.name, drawn.name, drawn.unit),),
                points=_points(found, drawn, scope.span),
                previous=earlier[:days],
            ),
            _table(found, asked),
        )
    )


def _figures(values: Mapping[str, Values], before: Mapping[str, Values]) -> Figures:
    figures = []
    for name in VITALS:
        metric = METRICS["FID" if name == "INP" and "FID" in values and "INP" not in values else name]
        unit = " ms" if metric.unit == "milliseconds" else ""
        limits = f"Good up to {metric.good}{unit}, poor above {metric.poor}{unit}."
        figures.append(
            Figure(
                key=metric.name,
                label=metric.name,
                value=_p75(values, metric.name),
                previous=_p75(before, metric.name),
                unit=metric.unit,
                good="down",
                about=f"{metric.label}: three of four are at most this. {limits}",
                link=f"vitals?metric={metric.name}",
            )
        )
    return Figures(key="totals", title="75th percentile over all pages", figures=tuple(figures))


def _p75(values: Mapping[Key, Values], key: Key) -> float | None:
    return p75(values[key]) if key in values else None


def _points(found: list[Samples], metric: Metric, span: Span) -> list[Point]:
    by_day = together((each for each in found if each.metric == metric.name), lambda each: each.day)
    days = [span.first + timedelta(days=place) for place in range((span.last - span.first).days + 1)]
    return [Point(day, {metric.name: _p75(by_day, day_number(day))}) for day in days]


def _table(found: list[Samples], asked: Metric | None) -> Table:
    order = {name: place for place, name in enumerate(METRICS)}
    rows: list[list[Any]] = []
    for (name, path), values in together(found, lambda each: (each.metric, each.path)).items():
        if asked is None or name == asked.name:
            value = p75(values)
            rows.append([path, name, value, len(values), METRICS[name].rating(value)])
    rows.sort(key=lambda row: (order[row[1]], -row[3], row[0] is None, row[0]))
    about = "The 75th percentile: three of four values are at most this; in milliseconds, CLS has no unit."
    columns = (
        Column(
            "path", "Path", dimension="path", about="Long paths are cut, and those that begin alike counted together."
        ),
        Column("metric", "Metric", "tag"),
        Column("p75", "p75", "number", units=("metric", UNITS), about=about),
        Column(
            "samples",
            "Samples",
            "number",
            link="stream?type=vital&f=path:is:{path}",
            about="Measured values; the link leads to those of all metrics.",
        ),
        Column("rating", "Rating", look="status", about="By the limits that browsers' makers give."),
    )
    return Table(key="vitals", title="By path", columns=columns, rows=rows)
