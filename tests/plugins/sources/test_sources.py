"""The report on sources equals a plain count over the raw events."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.channels import channel
from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.web.arranging import Arrangement
from saastracker.web.linking import Links
from saastracker_sources import load
from tests.asking import blocks, keys, scope
from tests.index.visiting import FILTERS, FOREIGN, SPAN, Session, expected, made
from tests.indexed import HOUR, Arriving, arriving, at, reading, stores

TABLES: dict[str, Callable[[Session], str | None]] = {
    "referrers": lambda session: session.origin.referrer,
    "channels": lambda session: channel(session.origin.referrer, session.origin.source, session.origin.medium),
    "utm_sources": lambda session: session.origin.source,
    "mediums": lambda session: session.origin.medium,
    "campaigns": lambda session: session.origin.campaign,
    "countries": lambda session: session.events[0].country,
    "browsers": lambda session: session.events[0].browser,
    "systems": lambda session: session.events[0].os,
    "devices": lambda session: session.events[0].device,
}
NOON = at("2026-10-28 12:00")


def ask(reader: Reader, query: str, zone: str = "UTC") -> dict[str, Any]:
    asked = scope(query, zone)
    return blocks(load(reader, asked), asked)


def slow(found: list[Session], table: str) -> list[list[Any]]:
    groups = defaultdict(list)
    for session in found:
        name = TABLES[table](session)
        if name is not None:
            groups[name].append(session)
    rows = [[name, len(of), len({one.person for one in of if one.person})] for name, of in groups.items()]
    return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))


@stores
@given(arrived=arriving(made), marks=st.sampled_from([0, 2**26]))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving, marks: int) -> None:
    sent, zone = arrived.events, arrived.zone
    with (
        pytest.MonkeyPatch.context() as patch,
        arrived.reading(tmp_path_factory, foreign=FOREIGN) as reader,
    ):
        patch.setattr("saastracker_sources.tables.MARKS_MAX", marks)
        for query in FILTERS:
            answer = ask(reader, f"{SPAN}&{query}", zone)
            assert {table: block["rows"] for table, block in answer.items()} == {
                table: slow(expected(sent, zone, query), table) for table in TABLES
            }


SENT = [
    # The first page view says where a session came from, whatever came before or after it.
    Event(name="open", time=NOON, user="u1", session="s1", referrer="b.com", country="DE"),
    Event(
        name="page_view",
        type="pageview",
        time=NOON + 1,
        user="u1",
        session="s1",
        referrer="www.google.com",
        country="NL",
        browser="Firefox",
    ),
    Event(name="page_view", type="pageview", time=NOON + 2, user="u1", session="s1", referrer="c.com", source="x"),
    # The same person on another device, by then still anonymous.
    Event(
        name="page_view",
        type="pageview",
        time=NOON,
        anonymous="a1",
        session="s2",
        source="letter",
        medium="email",
        campaign="spring",
        country="DE",
        browser="Firefox",
        os="iOS",
        device="mobile",
    ),
    Event(name="identify", time=NOON + HOUR, user="u1", anonymous="a1"),
    Event(name="job", time=NOON, session="s3", country="DE"),
    Event(name="page_view", type="pageview", time=NOON, user="u2", session="s4", referrer="www.google.com"),
]
DAY = "from=2026-10-28&to=2026-10-28"


def test_by_hand(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SENT, foreign=FOREIGN) as reader:
        answer = ask(reader, DAY)
        assert {tuple(keys(block)) for block in answer.values()} == {("name", "sessions", "persons")}
        assert {table: block["rows"] for table, block in answer.items()} == {
            "referrers": [["www.google.com", 2, 2]],
            "channels": [["organic search", 2, 2], ["e-mail", 1, 1], ["direct", 1, 0]],
            "utm_sources": [["letter", 1, 1]],
            "mediums": [["email", 1, 1]],
            "campaigns": [["spring", 1, 1]],
            "countries": [["DE", 3, 1]],
            "browsers": [["Firefox", 1, 1]],
            "systems": [["iOS", 1, 1]],
            "devices": [["mobile", 1, 1]],
        }


def test_values_filter_where_there_is_a_dimension(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SENT) as reader:
        asked = scope(f"{DAY}&org=x")
        links = Links("/p/shop/sources", "shop", asked, Arrangement())
        tables = load(reader, asked).tables
    own = {"referrers": "referrer", "utm_sources": "source", "mediums": "medium", "campaigns": "campaign"}
    wanted = {"countries": "country", "browsers": "browser", "systems": "os", "devices": "device"}
    asks = {table: f"{name}=" for table, name in own.items()}
    asks |= {table: f"f={name}:is:" for table, name in wanted.items()}
    assert {table.key: links.filtered(table.columns[0].dimension, "a b") for table in tables} == {
        table: f"?{DAY}&org=x&f={wanted[table]}%3Ais%3Aa+b" if table in wanted else None for table in TABLES
    }
    assert {table.key: links.to(table.columns[1].link, {"name": "a b"}) for table in tables} == {
        table: f"/p/shop/sessions?{asks[table]}a%20b&{DAY}&org=x" if table in asks else None for table in TABLES
    }


def test_of_a_long_list_the_top_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [
        Event(name="open", time=NOON, user="u1", session=f"s{place}", referrer=f"{place % 4}.com") for place in range(7)
    ]
    with reading(tmp_path, "UTC", sent) as reader:
        whole = load(reader, scope(f"{DAY}&limit=2")).tables[0]
        assert (whole.whole, whole.total, len(whole.rows)) == (True, 4, 4)
        monkeypatch.setattr("saastracker_sources.tables.ROWS_MAX", 3)
        top = load(reader, scope(f"{DAY}&limit=2")).tables[0]
        assert (top.whole, top.total, len(top.rows)) == (False, 4, 2)
        assert {row[1] for row in top.rows} == {2}


def test_nothing_there(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [Event(name="open", time=NOON, user="u1")], foreign=FOREIGN) as reader:
        assert {table: block["rows"] for table, block in ask(reader, DAY).items()} == {table: [] for table in TABLES}
