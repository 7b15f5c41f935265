from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saastracker.contracts import Group, Refused, Submission
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.report import Report
from saastracker.scope import Filter, Scope, Span, cursor
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.web.following import wanted
from saastracker.wire import Project, Reply
from saastracker_sqlite.store import SqliteStore
from saastracker_stream import HOUR, load

NOW = 1_795_230_000_000  # 2026-11-21T03:00:00Z
DAY = 24 * 3_600_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path_factory.mktemp("stream") / "events.db")
    store.claim()
    add(store, PROJECT, *EVENTS)
    add(store, OTHER_PROJECT, Event(name="foreign"))
    refused = [Refused(PROJECT.id, NOW + n, "invalid", f"{n}", "/v1/events") for n in range(3)]
    refused.append(Refused(OTHER_PROJECT.id, NOW, "origin", "not mine", "/v1/events"))
    counts = {(PROJECT.id, "invalid", 1): 3, (PROJECT.id, "bot", 2): 40, (OTHER_PROJECT.id, "origin", 1): 1}
    store.append(Group(refused=refused, refusals=counts))
    yield store
    store.close()


def add(store: SqliteStore, project: Project, *events: Event) -> None:
    for event in events:
        event.received_at = NOW
    store.append(Group(submissions=[Submission(project, list(events), NOW, Reply(202, b"{}"))]))


EVENTS = [
    Event(name="page_view", type="pageview", path="/a", user="u1", anonymous="x1", org="acme", time=NOW - 3 * DAY),
    Event(name="Start:level 1", type="progression", anonymous="x1", environment="qa", properties='{"n":1,"b":true}'),
    Event(name="Start:level 2", type="progression", anonymous="x2", properties='{"n":"10","b":false,"o":{"k":1}}'),
    Event(name="LCP", type="vital", path="/a/b", value=2.5, plan="team", release="1.0", properties='{"n":null}'),
    Event(name="page_view", type="pageview", path="/A", user="u2", org="Acme", plan="pro", id=bytes(range(16))),
    Event(name="100%", path="/a_b", org="acme", plan="team", properties='{"n":-2.5,"a.b":"dotted","s":"x:y"}'),
]


def ask(store: SqliteStore, query: str = "") -> Report:
    scope = Scope.parse(query, project=PROJECT.id, timezone="UTC", now=NOW, declared=(HOUR,))
    with store.reader() as reader:
        return load(reader, scope)


def rows(store: SqliteStore, query: str = "") -> list[dict[str, Any]]:
    table = ask(store, query).tables[0]
    return [dict(zip([column.key for column in table.columns], row, strict=True)) for row in table.rows]


def names(store: SqliteStore, query: str) -> list[str]:
    return [row["name"] for row in rows(store, query)]


def test_newest_first_whatever_their_time(store: SqliteStore) -> None:
    assert names(store, "") == ["100%", "page_view", "LCP", "Start:level 2", "Start:level 1", "page_view"]


def test_a_row_has_the_stable_columns(store: SqliteStore) -> None:
    assert rows(store)[-1] == {
        "id": "1",
        "time": NOW - 3 * DAY,
        "received_at": NOW,
        "type": "pageview",
        "name": "page_view",
        "user": "u1",
        "anonymous_id": "x1",
        "org": "acme",
        "session": None,
        "path": "/a",
        "value": None,
        "environment": "production",
        "release": None,
        "properties": None,
    }


def test_the_id_is_the_clients_or_the_place_in_the_order_of_arrival(store: SqliteStore) -> None:
    assert [row["id"] for row in rows(store)] == ["6", "000102030405060708090a0b0c0d0e0f", "4", "3", "2", "1"]


def test_only_a_span_that_is_asked_for_limits_the_time(store: SqliteStore) -> None:
    assert len(names(store, "range=today")) == 5
    assert names(store, "from=2026-11-18&to=2026-11-18") == ["page_view"]
    assert len(names(store, "range=28d")) == 6


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=page_view", ["page_view", "page_view"]),
        ("name=page_view&name=LCP", ["page_view", "LCP", "page_view"]),
        ("name=page_view&org=acme", ["page_view"]),
        ("org=acme", ["100%", "page_view"]),
        ("environment=qa", ["Start:level 1"]),
        ("user=u1", ["page_view"]),
        ("user=x1", ["Start:level 1"]),  # an event with a user id belongs to that person
        ("f=user:exists", ["page_view", "Start:level 2", "Start:level 1", "page_view"]),
        ("f=plan:is_not:team", ["page_view", "Start:level 2", "Start:level 1", "page_view"]),
        ("f=plan:is_not:team&f=plan:is_not:pro", ["Start:level 2", "Start:level 1", "page_view"]),
        ("f=path:contains:_", ["100%"]),
        ("f=path:contains:/a", ["100%", "LCP", "page_view"]),
        ("f=name:contains:%25", ["100%"]),
        ("f=path:starts_with:/a", ["100%", "LCP", "page_view"]),
        ("f=name:starts_with:Start:", ["Start:level 2", "Start:level 1"]),
        ("f=prop.n:exists", ["100%", "Start:level 2", "Start:level 1"]),
        ("f=prop.n:gt:0", ["Start:level 1"]),
        ("f=prop.n:lt:0", ["100%"]),
        ("f=prop.b:is:true", ["Start:level 1"]),
        ("f=prop.b:is:false", ["Start:level 2"]),
        ("f=prop.a.b:is:dotted", ["100%"]),
        ("f=prop.s:is:x:y", ["100%"]),
    ],
)
def test_filters(store: SqliteStore, query: str, expected: list[str]) -> None:
    assert names(store, query) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.builds(
            Filter,
            st.sampled_from(["name", "path", "user", "org", "plan", "prop.n", "prop.b", "prop.o", "prop.a.b"]),
            st.sampled_from(["is", "is_not", "contains", "starts_with"]),
            st.sampled_from(["page_view", "Start:", "/a", "acme", "team", "x1", "u1", "1", "10", "true", "{", "a"]),
        )
        | st.builds(Filter, st.sampled_from(["user", "plan", "prop.n"]), st.just("exists"))
        | st.builds(
            Filter,
            st.sampled_from(["prop.n", "prop.b"]),
            st.sampled_from(["gt", "lt"]),
            st.sampled_from(["0", "-3", "5e0"]),
        ),
        max_size=4,
    ),
    st.sampled_from([None, "production", "qa"]),
    st.booleans(),
)
def test_live_events_pass_the_same_filters(
    store: SqliteStore, filters: list[Filter], environment: str | None, span_given: bool
) -> None:
    span = Span(date(2026, 11, 21), date(2026, 11, 21), "UTC")
    scope = Scope(
        project=PROJECT.id,
        span=span,
        span_given=span_given,
        environment=environment,
        filters=tuple(dict.fromkeys(filters)),
    )
    with store.reader() as reader:
        stored = [row[0] for row in load(reader, scope).tables[0].rows]
    holds = wanted(scope)
    live = [event.id.hex() if event.id else str(event.sequence) for event in reversed(EVENTS) if holds(event)]
    assert live == stored


def test_pages_do_not_move_while_events_come_in(store: SqliteStore) -> None:
    first = ask(store, "limit=4").tables[0]
    assert first.next is not None
    second = ask(store, f"limit=4&after={cursor(first.next)}").tables[0]
    assert [row[4] for row in second.rows] == ["Start:level 1", "page_view"]
    assert second.next is None
    assert ask(store, "limit=6").tables[0].next is None


def test_rejected_events_with_their_reasons(store: SqliteStore) -> None:
    _, rejected, reasons = ask(store, "limit=2").tables
    assert rejected.rows == [[NOW + 2, "invalid", "2", "/v1/events"], [NOW + 1, "invalid", "1", "/v1/events"]]
    assert rejected.total == 43
    assert reasons.rows == [["bot", 40], ["invalid", 3]]


def test_an_hour(store: SqliteStore) -> None:
    hour = names(store, "hour=2026-11-18T03:00Z")
    assert hour == ["page_view"]  # of three days ago
    assert names(store, "hour=2026-11-18T04:00%2B01:00") == hour
    assert names(store, "hour=2026-11-18T02:00Z") == names(store, "hour=2026-11-18T04:00Z") == []
    assert len(names(store, "hour=2026-11-21T03:00Z")) == len(EVENTS) - 1


@pytest.mark.parametrize("hour", ["soon", "2026-11-18T03:00", "2026-11-18", "0001-01-01T00:00Z", "3"])
def test_what_is_no_hour(store: SqliteStore, hour: str) -> None:
    with pytest.raises(Invalid, match="hour: expected a time with its zone"):
        names(store, f"hour={hour}")
