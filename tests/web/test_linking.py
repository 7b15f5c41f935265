"""Where rows and values lead: the scope comes along, and a condition takes the place of the one it repeats."""

from datetime import date

import pytest

from saastracker.scope import Scope
from saastracker.web.arranging import Arrangement
from saastracker.web.linking import Links

from .conftest import NOW


def links(query: str = "", address: str = "/p/shop/activity", *, leads: bool = True) -> Links:
    scope = Scope.parse(query, project="p", timezone="UTC", now=NOW)
    return Links(address, "shop", scope, Arrangement(), leads=leads, live={"stream"})


@pytest.mark.parametrize(
    ("query", "link", "expected"),
    [
        ("", "people/{id}", "/p/shop/people/a%2Fb%26c"),
        ("environment=staging", "people?f=name:is:{id}", "/p/shop/people?f=name:is:a%2Fb%26c&environment=staging"),
        ("name=x&org=o", "people?f=name:is:{id}", "/p/shop/people?f=name:is:a%2Fb%26c&org=o"),
        ("name=x&f=name:is_not:y", "people?name={id}", "/p/shop/people?name=a%2Fb%26c&f=name%3Ais_not%3Ay"),
        ("f=prop.k:is:x", "people?f=prop.k:is:{prop.k}", "/p/shop/people?f=prop.k:is:v"),
        ("limit=5", "people", "/p/shop/people"),
        # What is counted by time is shown by time; a list by arrival would show all there ever was.
        ("", "stream?name={id}", "/p/shop/stream?name=a%2Fb%26c&range=28d"),
        ("range=7d", "stream", "/p/shop/stream?range=7d"),
        ("from=2026-11-01&to=2026-11-02", "stream", "/p/shop/stream?from=2026-11-01&to=2026-11-02"),
    ],
)
def test_a_link_keeps_the_scope(query: str, link: str, expected: str) -> None:
    assert links(query).to(link, {"id": "a/b&c", "prop.k": "v"}) == expected


def test_a_link_with_dates_keeps_none_and_one_from_the_root_nothing() -> None:
    day = "stream?from={day}&to={day}"
    assert links("range=7d&org=a").to(day, {"day": date(2026, 11, 2)}) == (
        "/p/shop/stream?from=2026-11-02&to=2026-11-02&org=a"
    )
    assert links("range=7d&org=a").to("/settings/{page}?workspace={w}", {"page": "members", "w": "1"}) == (
        "/settings/members?workspace=1"
    )


@pytest.mark.parametrize(
    ("period", "value", "expected"),
    [
        ("day", date(2026, 11, 2), "from=2026-11-02&to=2026-11-02"),
        ("week", date(2026, 11, 2), "from=2026-11-02&to=2026-11-08"),
        ("week", date(2026, 10, 19), "from=2026-10-25&to=2026-10-25"),  # of which the span has one day
        ("week", date(2026, 11, 16), "from=2026-11-16&to=2026-11-21"),
        ("month", date(2026, 11, 1), "from=2026-11-01&to=2026-11-21"),
        ("month", date(2026, 10, 1), "from=2026-10-25&to=2026-10-31"),
    ],
)
def test_a_period_leads_to_its_days_in_the_span(period: str, value: date, expected: str) -> None:
    found = links("org=a&from=2026-10-25&to=2026-11-21").to(
        f"people?{{{period} at}}&f=name:is:{{name}}", {"at": value, "name": "b"}
    )
    assert found == f"/p/shop/people?{expected}&f=name:is:b&org=a"


def test_an_hour_leads_to_just_its_events() -> None:
    assert links("range=7d").to("stream?{hour at}", {"at": NOW}) == "/p/shop/stream?hour=2026-11-21T03%3A00Z&range=7d"
    assert links().to("stream?{hour at}", {"at": None}) is None


def test_what_rows_hold_is_never_taken_for_another_part_of_their_address() -> None:
    odd = 'a"&b=c/%00#?'
    address = links("range=7d").row_filter("org")
    assert [address(odd), address("x")] == [
        "?range=7d&org=a%22%26b%3Dc%2F%2500%23%3F",
        "?range=7d&org=x",
    ]


def test_a_link_without_its_value_leads_nowhere() -> None:
    assert links().to("people/{id}", {"id": None}) is None
    assert links().to("people/{gone}", {"id": "a"}) is None
    assert links(leads=False).to("people", {}) is None


def test_the_stream_itself_names_no_span() -> None:
    assert links("", "/p/shop/stream").to("people", {}) == "/p/shop/people"


@pytest.mark.parametrize(
    ("query", "dimension", "value", "expected"),
    [
        ("", "org", "a&b", "?org=a%26b"),
        ("range=7d&after=AAAAAAAAAAU", "path", "/x", "?range=7d&f=path%3Ais%3A%2Fx"),
        ("org=other&f=path:is_not:/x", "org", "a", "?f=path%3Ais_not%3A%2Fx&org=a"),
        ("", "prop.seats", 12, "?f=prop.seats%3Ais%3A12"),
        ("", "environment", "staging", "?environment=staging"),
        ("environment=staging", "environment", "staging", None),
        ("org=a", "org", "a", None),
        ("", "org", None, None),
        ("", "org", "", None),
        ("", "", "a", None),
    ],
)
def test_a_value_filters_its_page(query: str, dimension: str, value: object, expected: str | None) -> None:
    assert links(query).filtered(dimension, value) == expected
    assert links(query, leads=False).filtered(dimension, value) is None


def test_a_filter_too_many_is_not_offered() -> None:
    full = "&".join(f"f=name:is_not:{number}" for number in range(20))
    assert links(full).filtered("org", "a") is None
