"""Every number of every report says what it means, and what leads somewhere leads to a report that takes it."""

import re
from collections.abc import Iterator

import pytest

from saastracker.config import load_config
from saastracker.contracts import ReportPage
from saastracker.plugins import Plugins
from saastracker.records import now_ms
from saastracker.report import STEP_COLUMNS, Column, Figure, Figures, Report
from saastracker.scope import DIMENSIONS, PROPERTY, Scope
from saastracker.testing import PROJECT, InMemoryDefinitions
from tests.asking import SPAN, made
from tests.indexed import reading


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReportPage]:
    folder = tmp_path_factory.mktemp("meaning")
    plugins = Plugins(load_config(None, folder, {}))
    return dict(plugins.registry(None, InMemoryDefinitions()).reports)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def loaded(pages: dict[str, ReportPage], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """Every report, and one thing of those that list some, over events with something in every column."""
    things = {"organizations": "x", "people": "u1", "health": "x"}
    found: dict[str, Report] = {}
    with reading(tmp_path_factory.mktemp("events"), "UTC", made(1, 200)) as reader:
        for slug, page in pages.items():
            found[slug] = page.load(reader, asked(page.parameters))
            if slug in things and page.detail:
                found[f"{slug}/"] = page.detail(reader, asked(page.detail_parameters), things[slug])
        explorer = pages["explorer"]
        by = Scope.parse(
            "by=path,prop.n", project=PROJECT.id, timezone="UTC", now=now_ms(), declared=explorer.parameters
        )
        found["explorer?"] = explorer.load(reader, by)
    return found


def asked(declared: tuple[object, ...]) -> Scope:
    return Scope.parse(SPAN, project=PROJECT.id, timezone="UTC", now=now_ms(), declared=declared)  # type: ignore[arg-type]


def numbers(loaded: dict[str, Report]) -> Iterator[tuple[str, Figure | Column]]:
    for slug, report in loaded.items():
        for block in report.blocks:
            if isinstance(block, Figures):
                yield from ((f"{slug} {block.key} {figure.key}", figure) for figure in block.figures)
        for table in report.tables:
            yield from ((f"{slug} {table.key} {column.key}", column) for column in table.columns)


def test_every_number_has_a_definition(loaded: dict[str, Report]) -> None:
    counted = [
        (place, each)
        for place, each in numbers(loaded)
        if isinstance(each, Figure) or (each.type == "number" and each.place != "never")
    ]
    assert len(counted) > 100
    assert [place for place, each in counted if not each.about.endswith((".", "…"))] == []
    assert all(column.about for column in STEP_COLUMNS if column.type == "number")


def test_every_link_leads_to_a_report_that_understands_it(
    pages: dict[str, ReportPage], loaded: dict[str, Report]
) -> None:
    links = {each.link for _, each in numbers(loaded) if each.link and each.link[0] not in "{/"}
    assert len(links) > 30
    for link in links:
        address, _, query = re.sub(r"\{[^{}]+\}", "1", link).partition("?")
        slug, _, item = address.partition("/")
        page = pages[slug]
        assert page.detail or not item, link
        own = page.detail_parameters if item else page.parameters
        query = "&".join(part for part in query.split("&") if not part.startswith("block="))
        Scope.parse(query, project=PROJECT.id, timezone="UTC", now=now_ms(), declared=own)


def test_every_dimension_is_one_of_filters(loaded: dict[str, Report]) -> None:
    dimensions = {each.dimension for _, each in numbers(loaded) if isinstance(each, Column)} - {""}
    assert {"name", "path", "org", "user", "release", "prop.category"} <= dimensions
    known = {*DIMENSIONS, "environment"}
    assert all(dimension in known or dimension.startswith(PROPERTY) for dimension in dimensions)
