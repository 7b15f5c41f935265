"""The report on paths equals a plain walk through the raw events."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.web.charts.flow import diagram
from saastracker_paths import PARAMETERS, load, taggers
from tests.asking import blocks, scope
from tests.index.visiting import FILTERS, FOREIGN, LAST, SPAN, Session, expected, made
from tests.indexed import ZONES, at, reading, stores

TAGGERS = taggers(None)  # type: ignore[arg-type]
NOON = at("2026-10-28 12:00")


def ask(reader: Reader, query: str, zone: str = "UTC") -> dict[str, Any]:
    asked = scope(query, zone, declared=PARAMETERS)
    return blocks(load(reader, asked), asked)


def mixed(events: Sequence[Event]) -> list[Event]:
    """The same, but vitals and other events share names, one of them longer than a key."""
    names = ["open", "LCP", "n" * 210 + "1", "n" * 210 + "2"]
    for place, event in enumerate(events):
        if event.name in {"open", "LCP"}:
            event.name = names[place % 4]
    return list(events)


# --- A plain walk ---


def steps(session: Session, zone: str) -> list[str]:
    labels: list[str] = []
    for event in session.events:
        late = datetime.fromtimestamp((event.time or 0) / 1000, ZoneInfo(zone)).date() > LAST + timedelta(days=1)
        if late or event.name == "$pageleave" or event.type == "vital":
            continue
        label = event.path if event.type == "pageview" and event.path else event.name
        if labels[-1:] != [label]:
            labels.append(label)
    return labels


def walk(sessions: list[list[str]], start: str, direction: str) -> Counter[tuple[str, str]]:
    """How many sessions go from one node to the next, with no more than eight nodes and the rest per step."""
    ways = []
    for labels in sessions:
        if start in labels:
            first = labels.index(start)
            way = labels[first : first + 6] if direction == "after" else labels[: first + 1][::-1][:6]
            over = "(end)" if direction == "after" else "(start)"
            ways.append([f":{label}" for label in way] + [over] * (len(way) < 6))
    sign = "" if direction == "after" else "-"
    found: Counter[tuple[str, str]] = Counter()
    named: list[list[str]] = [["0" + way[0]] for way in ways]
    for step in range(1, 6):
        counts = Counter(way[step] for way in ways if len(way) > step and way[step][0] == ":")
        top = sorted(counts, key=lambda label: (-counts[label], label))[:8]
        for way, nodes in zip(ways, named, strict=True):
            if len(way) > step:
                label = way[step] if way[step] in top or way[step][0] == "(" else "(other)"
                nodes.append(f"{sign}{step}{label}")
    for nodes in named:
        for one, other in pairwise(nodes):
            found[(one, other) if direction == "after" else (other, one)] += 1
    return found


def check(flow: dict[str, Any], ways: Counter[tuple[str, str]]) -> None:
    links = [(link["from"], link["to"]) for link in flow["links"]]
    assert len(links) == len(set(links))
    assert {(link["from"], link["to"]): link["sessions"] for link in flow["links"]} == ways
    assert {node.id for node in flow["nodes"]} == {node for way in ways for node in way}


@stores
@given(
    queries=st.permutations(list(FILTERS)),
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
    rebuilt=st.booleans(),
    mixing=st.booleans(),
    followed=st.booleans(),
)
def test_equals_a_plain_walk(
    tmp_path_factory: pytest.TempPathFactory,
    queries: list[str],
    seed: int,
    sizes: list[int],
    zone: str,
    rebuilt: bool,
    mixing: bool,
    followed: bool,
) -> None:
    batches = [made(seed + number, size) for number, size in enumerate(sizes)]
    batches = [mixed(batch) for batch in batches] if mixing else batches
    sent = [event for batch in batches for event in batch]
    folder = tmp_path_factory.mktemp("paths")
    more = {"foreign": FOREIGN, "rebuilt": rebuilt, "taggers": TAGGERS if followed else ()}
    with reading(folder, zone, *batches, **more) as reader:  # type: ignore[arg-type]
        for query in queries[:3]:
            sessions = expected(sent, zone, query)
            walked = [steps(session, zone) for session in sessions]
            for direction in ("after", "before"):
                asked = f"{SPAN}&{query}&direction={direction}"
                for start in ("/a", "open", "n" * 210 + "1", "nothing"):
                    check(ask(reader, f"{asked}&start={start}", zone)["flow"], walk(walked, start, direction))
                default = most_common([session.pages[0].path for session in sessions if session.pages], walked)
                flow = ask(reader, asked, zone)["flow"]
                check(flow, walk(walked, default, direction))


def most_common(entries: Sequence[str | None], walked: list[list[str]]) -> str:
    counts = Counter(path for path in entries if path) or Counter(labels[0] for labels in walked if labels)
    return min(counts, key=lambda label: (-counts[label], label), default="")


# --- By hand ---


def session(number: int, *labels: str, **more: Any) -> list[Event]:
    """Ten seconds from one event to the next; what begins with a slash is a page view."""
    return [
        Event(
            name="page_view" if label[0] == "/" else label,
            type="pageview" if label[0] == "/" else "vital" if label == "LCP" else "custom",
            path=label if label[0] == "/" else "/elsewhere",
            time=NOON + number * 3_600_000 + place * 10_000,
            **{"user": "u1", "session": f"s{number}", **more},
        )
        for place, label in enumerate(labels)
    ]


SESSIONS = [
    *session(1, "/", "/pricing", "/pricing", "signup", "/home", "/pricing", "/a", "/b", "/c"),
    *session(2, "/", "$pageleave", "/pricing", "LCP", "signup", "signup"),
    # one id of two persons is two sessions, and what has no session takes no part
    *session(3, "/pricing", user="u2"),
    *session(3, "/", "/docs", "/pricing", user="u3"),
    *session(4, "/pricing", "/", user=None, session=None),
]


def links(reader: Reader, query: str) -> list[tuple[str, str, int]]:
    found = ask(reader, f"{SPAN}&{query}")["flow"]["links"]
    return [(link["from"], link["to"], link["sessions"]) for link in found]


def test_by_hand(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SESSIONS[7:], SESSIONS[:7], foreign=FOREIGN, taggers=TAGGERS) as reader:
        assert links(reader, "start=/pricing") == [
            ("0:/pricing", "1:signup", 2),
            ("0:/pricing", "1(end)", 2),
            ("1:signup", "2:/home", 1),
            ("1:signup", "2(end)", 1),
            ("2:/home", "3:/pricing", 1),
            ("3:/pricing", "4:/a", 1),
            ("4:/a", "5:/b", 1),
        ]
        assert links(reader, "start=/pricing&direction=before") == [
            ("-1:/", "0:/pricing", 2),
            ("-1:/docs", "0:/pricing", 1),
            ("-1(start)", "0:/pricing", 1),
            ("-2(start)", "-1:/", 2),
            ("-2:/", "-1:/docs", 1),
            ("-3(start)", "-2:/", 1),
        ]
        assert links(reader, "start=signup&user=u1") == [
            ("0:signup", "1:/home", 1),
            ("0:signup", "1(end)", 1),
            ("1:/home", "2:/pricing", 1),
            ("2:/pricing", "3:/a", 1),
            ("3:/a", "4:/b", 1),
            ("4:/b", "5:/c", 1),
        ]
        assert links(reader, "")[0] == ("0:/", "1:/pricing", 2)  # three sessions entered at /


def test_a_step_has_eight_nodes_and_others(tmp_path: Path) -> None:
    events = [each for number in range(10) for each in session(number, "open", f"/{number}", f"/{number % 5}", "done")]
    # Events with the names that stand for others and the end are told from them.
    events += session(20, "open", "(other)", "(end)") + session(21, "open", "(other)")
    with reading(tmp_path, "UTC", events) as reader:
        found = ask(reader, f"{SPAN}&start=open")["flow"]
        nodes = [node.id for node in found["nodes"]]
        assert nodes[:10] == ["0:open", "1:(other)", *(f"1:/{number}" for number in range(7)), "1(other)"]
        ways = {(link["from"], link["to"]): link["sessions"] for link in found["links"]}
        assert ways["0:open", "1(other)"] == 3
        assert ways["1(other)", "2:/2"] == 1
        assert (ways["1:(other)", "2:(end)"], ways["1:(other)", "2(end)"]) == (1, 1)
        assert "</svg>" in diagram(load(reader, scope(f"{SPAN}&start=open", declared=PARAMETERS)).blocks[0])  # type: ignore[arg-type]


def test_without_page_views_most_begin_with_an_event(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", session(1, "play", "win") + session(2, "play") + session(3, "win")) as reader:
        assert links(reader, "")[0] == ("0:play", "1:win", 1)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("start=/none", "No session that began in this span came to /none. A page is asked for by its path, such as"),
        ("user=nobody", "No session began in this span."),
    ],
)
def test_an_empty_flow_says_why(tmp_path: Path, query: str, text: str) -> None:
    with reading(tmp_path, "UTC", SESSIONS) as reader:
        answer = ask(reader, f"{SPAN}&{query}")
        assert (answer["flow"]["nodes"], answer["flow"]["links"]) == ((), [])
        assert answer["empty"]["text"].startswith(text)


def test_a_session_is_followed_into_the_day_after(tmp_path: Path) -> None:
    evening, zone = at("2026-11-01 23:59", "America/New_York"), "America/New_York"
    events = session(1, "/", "/a", "/b", "/c")
    for each, hours in zip(events, (0, 1, 24, 25), strict=True):
        each.time = evening + hours * 3_600_000
    with reading(tmp_path, zone, events) as reader:
        found = ask(reader, SPAN, zone)["flow"]["links"]
        assert [link["to"] for link in found] == ["1:/a", "2:/b", "3(end)"]
        assert ask(reader, "from=2026-11-02&to=2026-11-03", zone)["flow"]["links"] == []


def test_at_the_same_time_arrival_is_the_order(tmp_path: Path) -> None:
    orders = list(permutations(("/m", "alpha", "zeta")))
    events = [each for number, order in enumerate(orders) for each in session(number, *order, user=f"u{number}")]
    for each in events:
        each.time = NOON
    with reading(tmp_path, "UTC", events) as reader:
        for number, (first, second, third) in enumerate(orders):
            assert links(reader, f"start={first}&user=u{number}")[:2] == [
                (f"0:{first}", f"1:{second}", 1),
                (f"1:{second}", f"2:{third}", 1),
            ]
