"""The report on pages equals a plain count over the raw events."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.errors import NotFound
from saastracker.event import Event
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker_pages import detail, load
from tests.asking import blocks, keys, scope
from tests.index.visiting import FILTERS, FIRST, FOREIGN, LAST, SPAN, Session, every, made
from tests.indexed import DAY, Arriving, arriving, at, people, reading, stores

COLUMNS = ["path", "views", "persons", "organizations", "entries", "exits", "bounce", "median_seconds"]
QUERIES: dict[str, Callable[[Event], bool]] = {
    **FILTERS,
    "f=path:is:/a": lambda event: event.path == "/a",
    "type=pageview": lambda event: event.type == "pageview",
}
NOON = at("2026-10-28 12:00")


def opened(reader: Reader, asked: Scope, path: str) -> Report:
    """What `pages/detail?path=` shows."""
    return detail(reader, msgspec.structs.replace(asked, parameters={"path": path}), "detail")


def ask(reader: Reader, query: str, zone: str = "UTC", path: str | None = None) -> dict[str, Any]:
    asked = scope(query, zone)
    return blocks(load(reader, asked) if path is None else opened(reader, asked, path), asked)


def environment(query: str) -> str | None:
    return query.rpartition("environment=")[2] if "environment=" in query else None


class Sent:
    """Raw events, and what a query asks of them."""

    def __init__(self, events: list[Event], zone: str, query: str, first: date = FIRST, last: date = LAST) -> None:
        self.zone, self.chosen, self.first, self.last = zone, QUERIES[query], first, last
        self.persons: dict[int, Any] = {id(event): person for event, person in zip(events, people(events), strict=True)}
        self.all = every(events, environment(query))
        self.sessions = [
            session
            for session in self.all
            if first <= self.local(session.events[0]) <= last
            and session.pages
            and any(self.chosen(event) for event in session.events)
        ]
        self.views = [
            event
            for event in events
            if self.viewed(event) and event.path and environment(query) in {None, event.environment}
        ]

    def local(self, event: Event) -> date:
        return datetime.fromtimestamp((event.time or 0) / 1000, ZoneInfo(self.zone)).date()

    def viewed(self, event: Event) -> bool:
        return event.type == "pageview" and self.chosen(event) and self.first <= self.local(event) <= self.last

    def who(self, views: Iterable[Event]) -> set[Any]:
        return {self.persons[id(event)] for event in views} - {None}

    def stays(self, path: str) -> list[float]:
        return [
            min((after.time or 0) - (event.time or 0), 1_800_000) / 1000
            for session in self.all
            for event, after in zip(session.events, session.events[1:], strict=False)
            if event.path == path and self.viewed(event)
        ]

    def median(self, path: str) -> float | None:
        return median(self.stays(path)) if self.stays(path) else None

    def entered(self, path: str) -> list[Session]:
        return [session for session in self.sessions if session.pages[0].path == path]

    def row(self, path: str) -> list[Any]:
        views = [event for event in self.views if event.path == path]
        return [
            path,
            len(views),
            len(self.who(views)),
            len({event.org for event in views} - {None}),
            len(self.entered(path)),
            len([session for session in self.sessions if session.pages[-1].path == path]),
            bounce(self.entered(path)),
            self.median(path),
        ]

    def points(self, path: str | None = None) -> list[dict[str, int]]:
        days = [self.first + timedelta(days=place) for place in range((self.last - self.first).days + 1)]
        views = [event for event in self.views if path in {None, event.path}]
        today = [[event for event in views if self.local(event) == day] for day in days]
        return [{"views": len(each), "persons": len(self.who(each))} for each in today]

    def neighbours(self, path: str, step: int) -> list[list[Any]]:
        """What was viewed `step` views after those of the path, but not further than a day from the span."""
        found: Counter[str] = Counter()
        for session in self.all:
            near = [
                event
                for event in session.pages
                if event.path and self.first <= self.local(event) + timedelta(days=1)
                and self.local(event) - timedelta(days=1) <= self.last
            ]  # fmt: skip
            for place, event in enumerate(near):
                if event.path == path and self.viewed(event) and 0 <= place + step < len(near):
                    found[near[place + step].path or ""] += 1
        return ranked(found)


def bounce(found: list[Session]) -> float | None:
    return sum(session.bounced for session in found) / len(found) if found else None


def ranked(found: Counter[str]) -> list[list[Any]]:
    return sorted(([text, count] for text, count in found.items()), key=lambda row: (-row[1], row[0]))


def figures(block: dict[str, Any], field: str = "value") -> dict[str, Any]:
    return {figure["key"]: figure[field] for figure in block["figures"]}


@stores
@given(queries=st.permutations(list(QUERIES)), arrived=arriving(made))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, queries: list[str], arrived: Arriving) -> None:
    events, zone = arrived.events, arrived.zone
    with arrived.reading(tmp_path_factory, foreign=FOREIGN) as reader:
        for query in queries[:3]:
            answer = ask(reader, f"{SPAN}&{query}", zone)
            sent = Sent(events, zone, query)
            before = Sent(events, zone, query, FIRST - (LAST - FIRST) - timedelta(days=1), FIRST - timedelta(days=1))
            rows = [sent.row(path or "") for path in {event.path for event in sent.views}]
            assert answer["paths"]["rows"] == sorted(rows, key=lambda row: (-row[1], row[0]))
            for field, asked in (("value", sent), ("previous", before)):
                assert figures(answer["totals"], field) == {
                    "views": len(asked.views),
                    "persons": len(asked.who(asked.views)),
                    "sessions": len(asked.sessions),
                    "bounce": bounce(asked.sessions),
                }
            assert [point["values"] for point in answer["views"]["points"]] == sent.points()
            for path in {event.path or "" for event in sent.views}:
                check_detail(ask(reader, f"{SPAN}&{query}", zone, path), sent, before, path)


def check_detail(answer: dict[str, Any], sent: Sent, before: Sent, path: str) -> None:
    for field, asked in (("value", sent), ("previous", before)):
        row = asked.row(path)
        assert list(figures(answer["totals"], field).values()) == [row[1], row[2], row[4], row[6], row[7]]
    assert [point["values"] for point in answer["views"]["points"]] == sent.points(path)
    referrers = Counter(session.pages[0].referrer or "(direct)" for session in sent.entered(path))
    assert answer["referrers"]["rows"] == ranked(referrers)
    assert answer["previous"]["rows"] == sent.neighbours(path, -1)
    assert answer["next"]["rows"] == sent.neighbours(path, 1)
    views = [event for event in sent.views if event.path == path]
    persons = Counter(person for person in (sent.persons[id(event)] for event in views) if person)
    assert sorted(answer["persons"]["rows"]) == sorted([person[1], count] for person, count in persons.items())
    assert answer["organizations"]["rows"] == ranked(Counter(event.org for event in views if event.org))


# --- By hand ---


def view(minute: float, path: str | None, session: str = "s1", **more: Any) -> Event:
    time = NOON + round(minute * 60_000)
    return Event(
        **{"name": "page_view", "type": "pageview", "time": time, "path": path, "user": "u1", **more}, session=session
    )


def leave(minute: float, session: str = "s1", **more: Any) -> Event:
    return view(minute, "/a", session, name="$pageleave", type="custom", **more)


def test_by_hand(tmp_path: Path) -> None:
    events = [
        # u1 as a1: /a for 1 minute, /b for 2, an event, /a again for 40 (counted as 30)
        *[view(0, "/a", user=None, anonymous="a1", org="acme", referrer="example.org"), view(1, "/b")],
        *[view(3, None, name="click", type="custom", anonymous="a1"), view(4, "/a"), leave(44)],
        # u2: /a bounced, since a vital, after a quarter of a minute, and leaving are not counted
        *[view(0, "/a", "s2", user="u2"), leave(0.5, "s2", user="u2")],
        view(0.25, "/a", "s2", user="u2", name="LCP", type="vital"),
        # another person's session of the same id ends with /c at once
        view(2, "/c", "s1", user="u3", org="acme"),
        view(0, "/gone", "s4", time=NOON - 90 * DAY),
    ]
    with reading(tmp_path, "UTC", events[4:], events[:4], foreign=FOREIGN) as reader:
        answer = ask(reader, SPAN)
        assert keys(answer["paths"]) == COLUMNS
        assert answer["paths"]["rows"] == [
            ["/a", 3, 2, 1, 2, 2, 0.5, 60.0],
            ["/b", 1, 1, 0, 0, 0, None, 120.0],
            ["/c", 1, 1, 1, 1, 1, 1.0, None],
        ]
        assert figures(answer["totals"]) == {"views": 5, "persons": 3, "sessions": 3, "bounce": 2 / 3}
        assert figures(answer["totals"], "previous") == {"views": 0, "persons": 0, "sessions": 0, "bounce": None}
        one = ask(reader, SPAN, path="/a")
        assert list(figures(one["totals"]).values()) == [3, 2, 2, 0.5, 60.0]
        assert one["referrers"]["rows"] == [["(direct)", 1], ["example.org", 1]]
        assert (one["previous"]["rows"], one["next"]["rows"]) == ([["/b", 1]], [["/b", 1]])
        assert one["persons"]["rows"] == [["u1", 2], ["u2", 1]]
        assert one["organizations"]["rows"] == [["acme", 1]]
        assert opened(reader, scope(SPAN), "/gone").title == "/gone"
        assert figures(ask(reader, SPAN, path="/gone")["totals"])["views"] == 0
        for path in ("/A", "a", "(other)", ""):
            with pytest.raises(NotFound):
                opened(reader, scope(SPAN), path)


@pytest.mark.parametrize(("days", "seconds"), [(0, 600.0), (1, 1800.0), (2, 1800.0), (40, 1800.0)])
def test_what_follows_after_the_span_counts(tmp_path: Path, days: int, seconds: float) -> None:
    evening = at("2026-11-01 23:55", "America/New_York")  # the day the clocks were put back
    events = [view(0, "/a", time=evening), view(0, "/b", time=evening + days * DAY + 10 * 60_000)]
    with reading(tmp_path, "America/New_York", events) as reader:
        for query in ("", "&user=u1", "&f=path:is:/a"):
            [row] = ask(reader, SPAN + query, "America/New_York")["paths"]["rows"]
            assert row == ["/a", 1, 1, 0, 1, 0, 0.0, seconds]
        [row] = ask(reader, SPAN + "&environment=production", "America/New_York")["paths"]["rows"]
        assert row[-1] == seconds


def test_nothing_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=FOREIGN) as reader:
        answer = ask(reader, SPAN)
        assert answer["paths"]["rows"] == []
        assert figures(answer["totals"]) == {"views": 0, "persons": 0, "sessions": 0, "bounce": None}
        with pytest.raises(NotFound):
            opened(reader, scope(SPAN), "/a")


def test_at_the_same_time_arrival_is_the_order(tmp_path: Path) -> None:
    events = [
        *[view(0, "/a"), view(0, None, name="alpha", type="custom"), view(1, "/b"), leave(3)],
        *[view(0, None, "s2", name="zeta", type="custom"), view(0, "/c", "s2"), leave(4, "s2")],
        *[view(0, None, "s3", name="alpha", type="custom"), view(0, "/d", "s3"), leave(5, "s3")],
    ]
    with reading(tmp_path, "UTC", events) as reader:
        rows = ask(reader, SPAN)["paths"]["rows"]
        assert {row[0]: row[-1] for row in rows} == {"/a": 0.0, "/b": 120.0, "/c": 240.0, "/d": 300.0}


def test_other_addresses_are_no_pages(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [view(0, "/a")]) as reader:
        asked = msgspec.structs.replace(scope(SPAN), parameters={"path": "/a"})
        for item in ("/a", "a", "details"):
            with pytest.raises(NotFound, match=r"pages/detail\?path="):
                detail(reader, asked, item)
