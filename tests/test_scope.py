from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.conditions import conditions
from saastracker.errors import Invalid
from saastracker.scope import Filter, Parameter, Scope, Span, cursor

NOW = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp() * 1000)  # a Saturday
HOUR = 3_600_000


def parse(query: str, timezone: str = "UTC", now: int = NOW) -> Scope:
    return Scope.parse(query, project="p", timezone=timezone, now=now)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", date(2026, 10, 25), date(2026, 11, 21)),
        ("range=today", date(2026, 11, 21), date(2026, 11, 21)),
        ("range=7d", date(2026, 11, 15), date(2026, 11, 21)),
        ("range=28d", date(2026, 10, 25), date(2026, 11, 21)),
        ("range=90d", date(2026, 8, 24), date(2026, 11, 21)),
        ("range=12mo", date(2025, 12, 1), date(2026, 11, 21)),
        ("range=mtd", date(2026, 11, 1), date(2026, 11, 21)),
        ("range=ytd", date(2026, 1, 1), date(2026, 11, 21)),
        ("from=2026-01-31&to=2026-03-01", date(2026, 1, 31), date(2026, 3, 1)),
    ],
)
def test_a_span_is_a_preset_or_two_dates(query: str, first: date, last: date) -> None:
    scope = parse(query)
    assert (scope.span.first, scope.span.last) == (first, last)
    assert scope.span_given == bool(query)


def test_twelve_months_before_december_begin_in_january() -> None:
    december = int(datetime(2026, 12, 31, tzinfo=UTC).timestamp() * 1000)
    assert parse("range=12mo", now=december).span.first == date(2026, 1, 1)


def test_today_is_the_projects_day() -> None:
    assert parse("", "Pacific/Auckland").today == date(2026, 11, 22)
    assert parse("range=today", "Pacific/Auckland").span.first == date(2026, 11, 22)
    assert parse("range=today", "Pacific/Pago_Pago").span.first == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("day", "timezone", "start", "hours"),
    [
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00:00+00:00", 23),
        (date(2026, 10, 25), "Europe/Berlin", "2026-10-24T22:00:00+00:00", 25),
        (date(2026, 5, 6), "Asia/Kathmandu", "2026-05-05T18:15:00+00:00", 24),
        # Clocks in Beirut go forward at midnight: the day begins at 01:00 there.
        (date(2024, 3, 31), "Asia/Beirut", "2024-03-30T22:00:00+00:00", 23),
    ],
)
def test_days_are_local_through_clock_changes(day: date, timezone: str, start: str, hours: int) -> None:
    span = Span(day, day, timezone)
    assert span.start == int(datetime.fromisoformat(start).timestamp() * 1000)
    assert span.end - span.start == hours * HOUR


def test_filters_and_their_short_forms() -> None:
    scope = parse("org=acme&name=Start:3&f=prop.a:b:gt:5&f=path:starts_with:/x:y&f=release:exists&environment=qa")
    assert scope.filters == (
        Filter("org", "is", "acme"),
        Filter("name", "is", "Start:3"),
        Filter("prop.a:b", "gt", "5"),
        Filter("path", "starts_with", "/x:y"),
        Filter("release", "exists"),
    )
    assert scope.environment == "qa"


def test_blank_fields_of_a_form_count_as_absent() -> None:
    assert parse("name=&org=&f=&from=&to=&limit=&after=") == parse("")


def test_a_blank_environment_stays_in_addresses() -> None:
    """Pages may begin in one, and all are asked for."""
    scope = parse("environment=&range=7d")
    assert (scope.environment, scope.everywhere, scope.query) == (None, True, "range=7d&environment=")
    assert not parse("environment=&environment=qa").everywhere


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("colour=red", "colour: unknown parameter, allowed are from, to"),
        ("range=8d", "range: expected one of today, 7d"),
        ("compare=last", "compare: expected one of previous, year, none"),
        ("from=2026-01-01", "give both"),
        ("from=2026-01-02&to=2026-01-01", "from: must not lie after to"),
        ("from=2026-02-30&to=2026-03-01", "from: expected a date"),
        ("from=20260101&to=20260102", "from: expected a date"),
        ("from=0001-01-01&to=9999-12-31", "from: must lie between"),
        ("range=7d&from=2026-01-01&to=2026-01-02", "range: give either"),
        ("limit=0", "limit: expected a number from 1 to 1000"),
        ("limit=1001", "limit:"),
        ("limit=²", "limit:"),
        ("limit=5&limit=6", "limit: given twice"),
        ("after=xyz", "after:"),
        ("after=__________8", "after:"),
        ("f=colour:is:red", "unknown dimension colour"),
        ("f=name", "expected dimension:operator:value"),
        ("f=name:like:x", "one of is, is_not"),
        ("f=name:is:", "exists takes no value"),
        ("f=name:exists:x", "exists takes no value"),
        ("f=prop.x:gt:many", "needs a number"),
        ("f=prop.x:gt:inf", "needs a number"),
        ("f=name:gt:5", "only prop.<key>"),
        ('f=prop.a"b:is:x', "quotation mark"),
        ("f=prop.:is:x", "1 to 255"),
        ("name=%00", "NUL"),
        ("environment=" + "e" * 33, "environment: at most 32"),
        ("&".join(f"name={n}" for n in range(21)), "at most 20"),
        ("&".join(["name=x"] * 101), "100 parameters"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_name(query: str, says: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(query)
    assert says in refusal.value.detail


@given(st.text(max_size=200))
def test_any_query_is_read_or_refused(query: str) -> None:
    try:
        scope = parse(query)
    except Invalid:
        return
    assert parse(scope.query) == scope


@given(
    st.lists(
        st.builds(
            Filter,
            st.sampled_from(["name", "org", "path", "prop.size", "prop.a b&c"]),
            st.sampled_from(["is", "is_not", "contains", "starts_with"]),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=50),
        ),
        max_size=10,
        unique=True,
    ),
    st.sampled_from(["", "range=7d", "range=28d", "from=2026-01-01&to=2026-01-31"]),
    st.sampled_from(["", "environment=qa&compare=none&limit=7"]),
    st.none() | st.integers(0, 2**63 - 1),
)
def test_a_scope_survives_its_own_query_string(filters: list[Filter], span: str, rest: str, after: int | None) -> None:
    scope = parse(f"{span}&{rest}" + (f"&after={cursor(after)}" if after is not None else ""))
    scope = Scope(**{name: getattr(scope, name) for name in scope.__struct_fields__} | {"filters": tuple(filters)})
    assert parse(scope.query) == scope


def test_values_are_parameters_never_sql() -> None:
    sql, parameters = conditions(parse("name=x' OR 1=1&f=prop.k') OR (1=1:is:v&environment=e'"))
    assert "1=1" not in sql
    assert parameters == {
        "project": "p",
        "environment": "e'",
        "v0": "x' OR 1=1",
        "k1": "k') OR (1=1",
        "v1": "v",
    }


MEASURE = Parameter(name="measure", label="Measure", choices={"events": "Events", "sum": "Sum"}, default="events")
BY = Parameter(name="by", label="By", most=2)


def own(query: str) -> Scope:
    return Scope.parse(query, project="p", timezone="UTC", now=NOW, declared=(MEASURE, BY))


@pytest.mark.parametrize(
    ("query", "parameters", "again"),
    [
        ("", {"measure": "events", "by": ""}, ""),
        ("measure=", {"measure": "events", "by": ""}, ""),
        ("measure=events&by=org", {"measure": "events", "by": "org"}, "by=org"),
        ("measure=sum&by=org&by=name", {"measure": "sum", "by": "org,name"}, "measure=sum&by=org%2Cname"),
        ("by=org,name", {"measure": "events", "by": "org,name"}, "by=org%2Cname"),
    ],
)
def test_a_report_may_ask_questions_of_its_own(query: str, parameters: dict[str, str], again: str) -> None:
    scope = own(query)
    assert (scope.parameters, scope.query) == (parameters, again)
    assert own(scope.query) == scope


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("measure=avg", "measure: expected one of events, sum"),
        ("measure=sum&measure=sum", "measure: expected 1 at most"),
        ("by=a&by=b&by=c", "by: expected 2 at most"),
        ("by=a,,b", "by: expected 2 at most, none of them empty"),
        ("by=" + "x" * 5000, "by: at most"),
        ("colour=red", "colour: unknown parameter, allowed are measure, by, from"),
    ],
)
def test_an_own_parameter_is_checked(query: str, says: str) -> None:
    with pytest.raises(Invalid) as refusal:
        own(query)
    assert says in refusal.value.detail


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("range=7d", date(2026, 11, 8), date(2026, 11, 14)),
        ("range=today", date(2026, 11, 20), date(2026, 11, 20)),
        ("range=7d&compare=year", date(2025, 11, 15), date(2025, 11, 21)),
        ("from=2024-02-29&to=2024-03-01&compare=year", date(2023, 2, 28), date(2023, 3, 1)),
        ("from=1970-01-02&to=1970-01-02", date(1970, 1, 1), date(1970, 1, 1)),
    ],
)
def test_the_span_to_compare_with(query: str, first: date, last: date) -> None:
    assert parse(query).compared == Span(first, last, "UTC")


def test_nothing_may_be_compared() -> None:
    assert parse("compare=none").compared is None
