"""Organizations and people stand on pages under their names and in twins under their ids; both find them."""

import json
import re
from dataclasses import replace

import pytest

from saastracker import told
from saastracker.contracts import ReportPage
from saastracker.event import Event
from saastracker.report import Block, Column, Grid, Report, Table

from .conftest import NOW, Running

SIGNALS = Table(
    key="signals",
    title="Signals",
    columns=(Column("org", "Organization"), Column("same", "The same", "code", dimension="org")),
    rows=[["acme", "acme"], ["zeta", "zeta"], ["other", "other"]],
)
COUNTRIES = Table(
    key="countries",
    title="Countries",
    columns=(Column("country", "Country", dimension="country"), Column("events", "Events", "number")),
    rows=[["NL", 3], ["DE", 2], ["zz", 1]],
)
PEOPLE = Table(
    key="hit",
    title="People hit",
    columns=(
        Column("person", "Person", link="people/{person}"),
        Column("user", "User", otherwise="visitor", dimension="user"),
        Column("visitor", "Visitor", "code", "opened"),
        Column("id", "Id", "code", "opened", link="people/{id}"),
    ),
    rows=[["u1", None, "v9", "u1"], ["u2", "u1", None, "u2"], ["u3", "u3", None, "u3"]],
)
MATRIX = Grid(
    key="matrix",
    title="Who uses what",
    rows=("acme", "other"),
    columns=("Quotes",),
    values=[[1], [0]],
    kind="matrix",
    link="organizations/{row}",
)


@pytest.fixture
def named(running: Running) -> Running:
    for org, name in (("acme", "Zebra & Sons"), ("zeta", "Aardvark")):
        running.add(Event(name="a", org=org, traits=f'{{"company":{{"name":"{name}"}}}}', time=NOW - 1000))
    return running


@pytest.fixture
def known(running: Running) -> Running:
    for user, anonymous, name in (("u1", None, "Zoë Young"), ("u2", None, "Abe <Adams>"), (None, "v9", "Vera Visitor")):
        first, last = name.split()
        traits = json.dumps({"user": {"first_name": first, "last_name": last}})
        running.add(Event(name="a", user=user, anonymous=anonymous, traits=traits, time=NOW - 1000))
    return running


def shown(running: Running, block: Block, query: str = "", face: str = "") -> str:
    page = ReportPage(
        slug="made", title="Made", section="Product", load=lambda _reader, _scope: Report(blocks=(block,))
    )
    offered = replace(running, site=replace(running.site, reports={**running.site.reports, "made": page}))
    return offered.get(f"/p/shop/made{face}?{query}", token=running.token()).text


def test_pages_show_names_with_the_id_as_a_title_and_twins_ids(named: Running) -> None:
    page = shown(named, SIGNALS)
    assert '<span title="acme">Zebra &amp; Sons</span>' in page
    assert "<span>other</span>" in page
    assert "<span>acme</span>" in page  # a column of ids stays one
    assert "Zebra" not in shown(named, SIGNALS, face=".json") + shown(named, SIGNALS, face=".csv")


def test_they_are_found_and_sorted_by_their_names(named: Running) -> None:
    assert "1 shown" in shown(named, SIGNALS, "search=zebra")
    assert shown(named, SIGNALS, "search=zebra", ".csv").splitlines()[1:] == ["acme,acme"]
    assert shown(named, SIGNALS, "search=acme", ".csv").splitlines()[1:] == ["acme,acme"]
    assert [row.partition(",")[0] for row in shown(named, SIGNALS, "sort=org", ".csv").splitlines()[1:]] == [
        *("zeta", "other", "acme"),
    ]


def test_people_have_their_names_with_the_id_as_a_title(known: Running) -> None:
    page = shown(known, PEOPLE)
    assert '<a href="/p/shop/people/u1"><span title="u1">Zoë Young</span></a>' in page
    assert '<span title="u2">Abe &lt;Adams&gt;</span>' in page
    assert '<span title="v9">Vera Visitor</span>' in page  # where a column shows another one's id
    assert '<a href="/p/shop/people/u3"><span>u3</span></a>' in page
    assert '<a href="/p/shop/people/u2"><span>u2</span></a>' in page  # a column of ids stays one
    assert not re.search("Zoë|Abe|Vera", shown(known, PEOPLE, face=".json") + shown(known, PEOPLE, face=".csv"))


def test_people_are_found_and_sorted_by_their_names(known: Running) -> None:
    def firsts(query: str) -> list[str]:
        return [row[0] for row in json.loads(shown(known, PEOPLE, query, ".json"))["blocks"][0]["rows"]]

    assert firsts("search=zo%C3%AB") == ["u1", "u2"]
    assert firsts("search=adams") == firsts("search=u2") == ["u2"]
    assert firsts("sort=person") == ["u2", "u3", "u1"]
    assert "Zoë" in shown(known, PEOPLE, "search=adams")  # the other column of the row


def test_too_many_people_to_be_remembered_keep_their_ids(known: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    known.add(Event(name="a", org="acme", traits='{"company":{"name":"Acme"}}', time=NOW - 1000))
    monkeypatch.setattr(told, "KEPT_MAX", 0)
    shown(known, PEOPLE)
    assert "Zoë" not in shown(known, PEOPLE)
    assert '<span title="acme">Acme</span>' in shown(known, SIGNALS)


def test_rows_of_a_grid_have_names(named: Running) -> None:
    page = shown(named, MATRIX)
    assert '<th scope="row" title="acme"><a href="/p/shop/organizations/acme">Zebra &amp; Sons</a></th>' in page
    assert '<th scope="row"><a href="/p/shop/organizations/other">other</a></th>' in page


def test_another_projects_names_are_not_told(named: Running) -> None:
    traits = '{"company":{"name":"Secret"},"user":{"first_name":"Secret"}}'
    named.add(Event(name="a", org="other", user="u3", traits=traits, time=NOW - 1000), project=named.foreign)
    assert "Secret" not in shown(named, SIGNALS) + shown(named, PEOPLE)


def test_countries_have_names_on_pages_and_codes_in_twins(running: Running) -> None:
    page = shown(running, COUNTRIES)
    assert '<span title="DE">Germany</span>' in page
    assert ">zz</span>" in page
    assert "f=country%3Ais%3ADE" in page or "country=DE" in page  # a click asks for the code
    assert shown(running, COUNTRIES, "sort=country", ".csv").splitlines()[1:] == ["DE,2", "NL,3", "zz,1"]
    assert shown(running, COUNTRIES, "search=netherl", ".csv").splitlines()[1:] == ["NL,3"]
