"""The report on sessions equals a plain count over the raw events."""

from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from saastracker.contracts import Reader
from saastracker.errors import NotFound
from saastracker.event import Event
from saastracker.web.faces import iso
from saastracker_sessions import detail, load
from tests.asking import blocks, keys, scope
from tests.index.visiting import FILTERS, FIRST, FOREIGN, LAST, SPAN, Session, every, expected, made
from tests.indexed import HOUR, Arriving, arriving, at, people, reading, stores

COLUMNS = ["session", "person", "org", "start", "seconds", "events", "release"]
BEFORE = date(2026, 10, 15), date(2026, 10, 23)  # the days before FIRST, as many as there are up to LAST
NOON = at("2026-10-28 12:00")


def ask(reader: Reader, query: str, zone: str = "UTC", session: str | None = None) -> dict[str, Any]:
    asked = scope(query, zone)
    return blocks(load(reader, asked) if session is None else detail(reader, asked, session), asked)


def totals(found: list[Session]) -> dict[str, float | None]:
    seconds = [session.seconds for session in found]
    return {
        "sessions": len(found),
        "median_seconds": median(seconds) if seconds else None,
        "mean_seconds": sum(seconds) / len(seconds) if seconds else None,
        "events_per_session": sum(len(session.events) for session in found) / len(found) if found else None,
        "bounce": sum(session.bounced for session in found) / len(found) if found else None,
    }


def listed(found: list[Session], sent: list[Event]) -> list[list[Any]]:
    places = {id(event): place for place, event in enumerate(sent)}
    newest = sorted(found, key=lambda session: (session.start, places[id(session.events[0])]), reverse=True)
    return [
        [
            session.id,
            session.person and session.person[1],
            session.org,
            iso(session.start),
            session.seconds,
            len(session.events),
            session.events[0].release,
        ]
        for session in newest
    ]


def releases(found: list[Session]) -> list[list[Any]]:
    groups = defaultdict(list)
    for session in found:
        if session.events[0].release:
            groups[session.events[0].release].append(session)
    rows = []
    for release, of in groups.items():
        values = totals(of)
        rows.append([release, values["sessions"], values["median_seconds"], values["bounce"]])
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def days(found: list[Session], zone: str) -> Counter[date]:
    return Counter(datetime.fromtimestamp(session.start / 1000, ZoneInfo(zone)).date() for session in found)


@stores
@given(arrived=arriving(made))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    sent, zone = arrived.events, arrived.zone
    with arrived.reading(tmp_path_factory, foreign=FOREIGN) as reader:
        for query in FILTERS:
            answer = ask(reader, f"{SPAN}&{query}", zone)
            found, before = expected(sent, zone, query), expected(sent, zone, query, *BEFORE)
            for name, wanted in (("value", totals(found)), ("previous", totals(before))):
                assert {figure["key"]: figure[name] for figure in answer["totals"]["figures"]} == pytest.approx(wanted)
            points = {point["at"]: point["values"]["sessions"] for point in answer["days"]["points"]}
            assert (min(points), max(points), len(points)) == (FIRST, LAST, 9)
            assert Counter(points) == days(found, zone)
            assert answer["sessions"]["rows"] == listed(found, sent)
            assert answer["releases"]["rows"] == releases(found)
        for name in {event.session for event in sent if event.session}:
            check_timeline(reader, sent, zone, name)


def check_timeline(reader: Reader, sent: list[Event], zone: str, name: str) -> None:
    """Of a session of any days, also outside the span."""
    person = dict(zip(map(id, sent), people(sent), strict=True))
    answer = ask(reader, f"{SPAN}&name=open", zone, name)
    same = [session for session in every(sent) if session.id == name]
    began: dict[Any, int] = {session.person: session.start for session in same}
    own = {"time", "after", "person", "properties"}
    events = sorted((event for event in sent if event.session == name), key=lambda event: event.time or 0)
    who: list[Any] = [person[id(event)] for event in events]
    assert [dict(zip(keys(answer["events"]), row, strict=True)) for row in answer["events"]["rows"]] == [
        {
            "time": iso(event.time or 0),
            "after": ((event.time or 0) - began[one]) / 1000,
            "person": one and one[1],
            "properties": answer["events"]["rows"][place][-1],
            **{key: getattr(event, key) for key in keys(answer["events"]) if key not in own},
        }
        for place, (event, one) in enumerate(zip(events, who, strict=True))
    ]
    assert {figure["key"]: figure["value"] for figure in answer["totals"]["figures"]} == {
        "events": len(events),
        "pages": sum(len(session.pages) for session in same),
        "seconds": max(session.seconds for session in same),
    }


SENT = [
    Event(name="open", time=NOON, user="u1", session="s1", release="1"),
    Event(name="save", time=NOON + 10_000, user="u1", org="x", session="s1", release="2"),
    Event(name="page_view", type="pageview", path="/a", time=NOON + 1000, anonymous="a1", session="s2", release="1"),
    Event(name="$pageleave", time=NOON + 4000, anonymous="a1", session="s2", properties='{"depth": 0.5}'),
    Event(name="Session:Start", time=NOON + 2000, user="u2", session="s2"),
    Event(name="open", time=NOON + 3000, user="u2", session="s2", environment="staging"),
    Event(name="Session:End", time=NOON + 32_000, user="u2", session="s2"),
    Event(name="open", time=NOON + 50_000, user="u2", session="s2"),
    Event(name="open", time=NOON + 9 * HOUR, session="s3"),
    Event(name="open", time=NOON - 24 * HOUR, user="u1", session="s0"),
    Event(name="open", time=NOON, user="u1"),
]
DAY = "from=2026-10-28&to=2026-10-28"


def test_by_hand(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SENT, foreign=FOREIGN) as reader:
        answer = ask(reader, DAY)
        assert [(figure["key"], figure["value"], figure["previous"]) for figure in answer["totals"]["figures"]] == [
            ("sessions", 4, 1),
            ("median_seconds", 6.5, 0.0),
            ("mean_seconds", 10.75, 0.0),
            ("events_per_session", 2.25, 1.0),
            ("bounce", 0.5, 1.0),
        ]
        assert answer["days"]["points"] == [{"at": date(2026, 10, 28), "values": {"sessions": 4}}]
        assert load(reader, scope(DAY)).blocks[1].previous[0].values == {"sessions": 1}  # type: ignore[union-attr]
        assert keys(answer["sessions"]) == COLUMNS
        assert answer["sessions"]["rows"] == [
            ["s3", None, None, iso(NOON + 9 * HOUR), 0.0, 1, None],
            ["s2", "u2", None, iso(NOON + 2000), 30.0, 4, None],
            ["s2", "a1", None, iso(NOON + 1000), 3.0, 2, "1"],
            ["s1", "u1", "x", iso(NOON), 10.0, 2, "1"],
        ]
        assert keys(answer["releases"]) == ["release", "sessions", "median_seconds", "bounce"]
        assert answer["releases"]["rows"] == [["1", 2, 6.5, 0.5]]
        uncompared = ask(reader, f"{DAY}&compare=none")
        assert {figure["previous"] for figure in uncompared["totals"]["figures"]} == {None}


def test_one_session(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SENT, foreign=FOREIGN) as reader:
        rows = ask(reader, DAY, session="s2")["events"]["rows"]
        assert [(row[1], row[3], row[4]) for row in rows] == [
            (0.0, "page_view", "a1"),
            (0.0, "Session:Start", "u2"),
            (1.0, "open", "u2"),
            (3.0, "$pageleave", "a1"),
            (30.0, "Session:End", "u2"),
            (48.0, "open", "u2"),
        ]
        assert bytes(rows[3][-1]) == b'{"depth": 0.5}'
        assert detail(reader, scope(DAY), "s2").title == "s2"
        assert len(ask(reader, f"{DAY}&environment=production", session="s2")["events"]["rows"]) == 5
        assert len(ask(reader, "from=2020-01-01&to=2020-01-02", session="s0")["events"]["rows"]) == 1
        for stranger in ("s9", "open", "u1"):
            with pytest.raises(NotFound):
                detail(reader, scope(DAY), stranger)
        with pytest.raises(NotFound):
            detail(reader, scope(f"{DAY}&environment=staging"), "s1")


def test_long_lists_come_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker_sessions.listing.SESSIONS_MAX", 4)
    monkeypatch.setattr("saastracker_sessions.timeline.EVENTS_MAX", 4)
    sent = [Event(name="open", time=NOON + place % 2, user="u1", session=f"s{place}") for place in range(5)]
    long = [
        Event(name=f"e{place}", time=NOON - HOUR * 48 + place // 2, user="u1", session="long") for place in range(5)
    ]
    with reading(tmp_path, "UTC", [*sent, *long]) as reader:
        pages = [load(reader, scope(f"{DAY}&limit=2"))]
        while (more := pages[-1].tables[0].next) is not None:
            pages.append(load(reader, scope_after(f"{DAY}&limit=2", more)))
        assert [[row[0] for row in page.tables[0].rows] for page in pages] == [["s3", "s1"], ["s4", "s2"], ["s0"]]
        assert {(page.tables[0].whole, page.tables[0].total) for page in pages} == {(False, 5)}
        assert len(load(reader, scope_after(f"{DAY}&limit=2", 2**62)).tables[0].rows) == 0
        pages = [detail(reader, scope(f"{DAY}&limit=3"), "long")]
        pages.append(detail(reader, scope_after(f"{DAY}&limit=3", pages[0].tables[0].next or 0), "long"))
        assert [[row[3] for row in page.tables[0].rows] for page in pages] == [["e0", "e1", "e2"], ["e3", "e4"]]
        assert [page.tables[0].next for page in pages] == [3, None]
        monkeypatch.undo()
        whole = load(reader, scope(f"{DAY}&limit=2")).tables[0]
        assert (whole.whole, whole.total, len(whole.rows), whole.next) == (True, 5, 5, None)


def scope_after(query: str, position: int) -> Any:
    from saastracker.scope import cursor

    return scope(f"{query}&after={cursor(position)}")


def test_nobody_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=FOREIGN) as reader:
        answer = ask(reader, SPAN)
        assert {figure["key"]: figure["value"] for figure in answer["totals"]["figures"]} == totals([])
        assert answer["sessions"]["rows"] == answer["releases"]["rows"] == []
        with pytest.raises(NotFound):
            detail(reader, scope(SPAN), "s1")
