"""Annotations: what may be one, where charts mark it, who sees it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from saastracker.annotations import ANNOTATION, Annotation, Noted, check, noted
from saastracker.contracts import ReportPage
from saastracker.definition import Defined
from saastracker.definitions import Definitions
from saastracker.errors import Invalid
from saastracker.report import Interval, Measure, Point, Report, Series
from saastracker.web.charts.drawing import drawings
from saastracker.web.charts.series import chart, description

from .conftest import NOW, Running
from .test_sign_in import join

HOUR = 3_600_000
BERLIN = "Europe/Berlin"


def defined(*values: Annotation, created_at: int = NOW) -> list[Defined]:
    return [Defined(id="1", version=1, value=value, created_at=created_at, updated_at=0) for value in values]


def series(interval: Interval, points: list[Any]) -> Series:
    measures = (Measure("n", "N"),)
    found = [Point(at, {"n": number}) for number, at in enumerate(points)]
    return Series(key="s", title="S", interval=interval, measures=measures, points=found)


@pytest.mark.parametrize(
    ("at", "day", "hour"),
    [
        ("2026-11-20", date(2026, 11, 20), 0),
        ("2026-11-20T23:30Z", date(2026, 11, 21), 0),  # already tomorrow in Berlin
        ("2026-11-20T23:30", date(2026, 11, 20), 23),
        ("2026-11-20T23:30:00-05:00", date(2026, 11, 21), 5),
        ("", date(2026, 11, 21), 4),  # when it was made
    ],
)
def test_when_it_was(at: str, day: date, hour: int) -> None:
    annotation = Annotation(text="Deployed", at=at)
    check(annotation)
    assert noted(defined(annotation), BERLIN) == [Noted(day, hour, "Deployed", "")]


@pytest.mark.parametrize(
    ("annotation", "field"),
    [
        (Annotation(text="  "), r"\$\.text"),
        (Annotation(text="a", at="yesterday"), r"\$\.at"),
        (Annotation(text="a", at="2026-02-30"), r"\$\.at"),
        (Annotation(text="a", at="9999-12-31T23:00-05:00"), r"\$\.at"),
        (Annotation(text="a", at="0001-01-01"), r"\$\.at"),
        (Annotation(text="a", link="javascript:alert(1)"), r"\$\.link"),
        (Annotation(text="a", link="//example.com"), r"\$\.link"),
        (Annotation(text="a", link="https://[::1"), r"\$\.link"),
    ],
)
def test_what_is_none(annotation: Annotation, field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}: "):
        check(annotation)


NOTED = [
    Noted(date(2026, 11, 1), 0, "before", ""),
    Noted(date(2026, 11, 2), 9, "a", ""),
    Noted(date(2026, 11, 2), 13, "b <b>", ""),
    Noted(date(2026, 11, 8), 0, "c", ""),
]


@pytest.mark.parametrize(
    ("interval", "points", "expected"),
    [
        ("day", [date(2026, 11, 2) + timedelta(days=place) for place in range(7)], {0: ["a", "b <b>"], 6: ["c"]}),
        ("week", [date(2026, 11, 2), date(2026, 11, 9)], {0: ["a", "b <b>", "c"]}),
        ("month", [date(2026, 10, 1), date(2026, 11, 1)], {1: ["before", "a", "b <b>", "c"]}),
        ("hour", [1_793_606_400_000 + place * HOUR for place in range(6)], {0: ["a"], 4: ["b <b>"]}),  # from 9:00
    ],
)
def test_where_it_is_marked(interval: Interval, points: list[Any], expected: dict[int, list[str]]) -> None:
    [drawing] = drawings(series(interval, points), BERLIN, NOW, NOTED)
    assert {place: [note.text for note in notes] for place, notes in drawing.notes.items()} == expected
    svg = str(chart(drawing, 100))
    assert svg.count("<circle") == len(expected)
    assert "b &lt;b&gt;" in svg
    assert description(drawing).count("Annotated: ") == 1


def test_without_annotations_nothing_is_drawn() -> None:
    [drawing] = drawings(series("day", [date(2026, 11, 2)]), BERLIN, NOW, [NOTED[0]])
    assert 'class="notes"' not in str(chart(drawing, 100))
    assert "Annotated" not in description(drawing)


@pytest.fixture
def charting(running: Running) -> Running:
    page = ReportPage(
        slug="charting",
        title="Charting",
        section="Product",
        load=lambda reader, scope: Report(blocks=(series("day", [date(2026, 11, 19), date(2026, 11, 20)]),)),
    )
    definitions = Definitions(running.records, {ANNOTATION.kind: ANNOTATION})
    site = replace(running.site, reports={**running.site.reports, "charting": page}, definitions=definitions)
    return replace(running, site=site)


def test_pages_show_it(charting: Running) -> None:
    body = {"text": "Deployed <1.4>", "at": "2026-11-20", "link": "https://ci.example/7"}
    path = "/api/v1/projects/shop/definitions/annotation"
    assert charting.request("POST", path, token=charting.token(), json=body).status_code == 403
    assert charting.request("POST", path, json=body).status_code == 401
    foreign = charting.token("write", workspace=charting.foreign.workspace)
    assert charting.request("POST", path, token=foreign, json=body).status_code == 404
    assert charting.request("POST", path, token=charting.token("write"), json=body).status_code == 201
    page = charting.get("/p/shop/charting", cookies=join(charting, "mia@example.com"))
    assert 'href="https://ci.example/7" rel="noopener noreferrer">Deployed &lt;1.4&gt;</a>' in page.text
    assert '<th scope="col" data-notes>Annotations</th>' in page.text
    assert "<title>Fri 20 Nov: Deployed &lt;1.4&gt;</title>" in page.text
    assert '<a class="btn" href="/p/shop/define/annotation/new?next=/p/shop/charting">Annotate</a>' in page.text
    viewer = charting.get("/p/shop/charting", cookies=join(charting, "v@example.com", "viewer")).text
    assert "Deployed &lt;1.4&gt;" in viewer
    assert ">Annotate<" not in viewer
    assert "annotations" not in charting.get("/p/shop/charting.json", token=charting.token()).text
