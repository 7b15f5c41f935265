"""The report on web vitals equals a plain count over the raw events."""

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker_vitals import PARAMETERS, TAGGING, load, taggers
from saastracker_vitals.metrics import METRICS, parse
from tests.asking import FIRST, LAST, QUERIES, SPAN, START, Row, blocks, inside, keys, rows, scope
from tests.indexed import DAY, HOUR, Arriving, arriving, at, reading, stores

NOON = at("2026-10-24 12:00")
TAGGERS = taggers(None)  # type: ignore[arg-type]
LIMITS = {  # good up to, poor above; ms
    "LCP": (2500, 4000),
    "INP": (200, 500),
    "FID": (100, 300),
    "CLS": (0.1, 0.25),
    "TTFB": (800, 1800),
    "FCP": (1800, 3000),
}
TIMINGS = [
    *("dns_lookup", "tcp_connection", "server_response"),
    *("dom_interactive", "dom_complete", "page_load", "total_page_load"),
]
LONG = "/" + "x" * 300


def ask(reader: Reader, query: str, zone: str = "UTC") -> dict[str, Any]:
    asked = scope(query, zone, declared=PARAMETERS)
    return blocks(load(reader, asked), asked)


def vital(name: str, value: float | None, path: str | None = "/a", **more: Any) -> Event:
    return Event(**{"name": name, "type": "vital", "value": value, "path": path, "time": NOON, **more})


def made(seed: int, count: int) -> list[Event]:
    pick = random.Random(seed)
    return [
        vital(
            pick.choice(["LCP", "LCP", "INP", "CLS", "page_load", "FPS"]),
            pick.choice([None, round(pick.uniform(0, 5000)), 2500, 0.1]),
            pick.choice([None, "/a", "/a/b", "/c d", LONG]),
            type=pick.choice(["vital", "vital", "vital", "custom"]),
            time=START + pick.randrange(18 * 24 * 4) * HOUR // 4,
            user=pick.choice([None, "u1"]),
            org=pick.choice([None, "x"]),
            plan=pick.choice([None, "pro"]),
            environment=pick.choice(["production", "production", "staging"]),
            properties=pick.choice([None, '{"n":2}']),
        )
        for _ in range(count)
    ]


# --- Against a slow count ---


def nearest(values: Sequence[float]) -> float | None:
    return sorted(values)[math.ceil(0.75 * len(values)) - 1] if values else None


def rating(metric: str, value: float) -> str | None:
    if metric not in LIMITS:
        return None
    good, poor = LIMITS[metric]
    return "good" if value <= good else "poor" if value > poor else "needs improvement"


def measured(found: Sequence[Row]) -> list[Row]:
    known = {*LIMITS, *TIMINGS}
    return [
        row for row in found if row.event.type == "vital" and row.event.value is not None and row.event.name in known
    ]


def values(found: Sequence[Row], metric: str) -> list[float]:
    return [row.event.value or 0.0 for row in found if row.event.name == metric]


def slow_table(found: Sequence[Row]) -> list[list[Any]]:
    groups = defaultdict(list)
    for row in found:
        path = row.event.path and (row.event.path if len(row.event.path) <= 180 else row.event.path[:179] + "…")
        groups[path, row.event.name].append(row.event.value or 0.0)
    answer = []
    for (path, metric), of in groups.items():
        value = nearest(of) or 0.0
        answer.append([path, metric, value, len(of), rating(metric, value)])
    return answer


@stores
@given(arrived=arriving(made))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    found, zone = rows(arrived.events, arrived.zone), arrived.zone
    with arrived.reading(tmp_path_factory, foreign=made(arrived.seed, 20), taggers=TAGGERS) as reader:
        for query, chosen in QUERIES.items():
            mine = measured(inside(found, chosen))
            answer = ask(reader, f"{SPAN}&{query}", zone)
            assert sorted(answer["vitals"]["rows"], key=str) == sorted(slow_table(mine), key=str), query
            figures = {figure["key"]: figure["value"] for figure in answer["totals"]["figures"]}
            assert figures == {metric: nearest(values(mine, metric)) for metric in ("LCP", "INP", "CLS", "TTFB", "FCP")}
            one = ask(reader, f"{SPAN}&{query}&metric=INP", zone)
            assert all(row[1] == "INP" for row in one["vitals"]["rows"])
            days = {point["at"]: point["values"]["INP"] for point in one["days"]["points"]}
            assert days == {
                day: nearest(values([row for row in mine if row.local.date() == day], "INP"))
                for day in span(FIRST, LAST)
            }


def span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=place) for place in range((last - first).days + 1)]


# --- Worked out by hand ---


def test_by_hand(tmp_path: Path) -> None:
    sent = [
        *(vital("LCP", value) for value in (1000, 2000, 2500, 9000)),
        vital("LCP", 4000.5, "/b"),
        vital("CLS", 0.25),
        vital("page_load", 10_000),
        vital("LCP", 7000, None, time=NOON - 12 * DAY),
        vital("LCP", 1),
    ]
    with reading(tmp_path, "UTC", sent[:5], sent[5:], taggers=TAGGERS) as reader:
        answer = ask(reader, SPAN)
        assert list(answer) == ["totals", "days", "vitals"]
        assert keys(answer["vitals"]) == ["path", "metric", "p75", "samples", "rating"]
        assert answer["vitals"]["rows"] == [
            ["/a", "LCP", 2500.0, 5, "good"],
            ["/b", "LCP", 4000.5, 1, "poor"],
            ["/a", "CLS", 0.25, 1, "needs improvement"],
            ["/a", "page_load", 10_000.0, 1, None],
        ]
        figures = {figure["key"]: (figure["value"], figure["previous"]) for figure in answer["totals"]["figures"]}
        assert figures == {
            "LCP": (4000.5, 7000.0),
            "INP": (None, None),
            "CLS": (0.25, None),
            "TTFB": (None, None),
            "FCP": (None, None),
        }
        assert answer["days"]["points"][1] == {"at": NOON_DAY, "values": {"LCP": 4000.5}}
        assert ask(reader, f"{SPAN}&metric=CLS")["days"]["points"][1]["values"] == {"CLS": 0.25}
        assert ask(reader, f"{SPAN}&metric=CLS")["vitals"]["rows"] == [["/a", "CLS", 0.25, 1, "needs improvement"]]


NOON_DAY = date(2026, 10, 24)


def test_the_older_metric_of_answering_stands_in_where_only_it_was_sent(tmp_path: Path) -> None:
    with reading(
        tmp_path, "UTC", [vital("FID", 99)], [vital("INP", 300, time=NOON + 20 * DAY)], taggers=TAGGERS
    ) as reader:
        assert [figure["key"] for figure in ask(reader, SPAN)["totals"]["figures"]][1] == "FID"
        later = ask(reader, "from=2026-10-23&to=2026-11-20")
        assert [figure["key"] for figure in later["totals"]["figures"]][1] == "INP"


def test_no_key_is_longer_than_the_index_takes() -> None:
    for name in METRICS:
        [key] = TAGGING.keys(name, "/" + "x" * 2047)
        assert len(key) <= 200
        assert parse(key) == (name, "/" + "x" * 178 + "…")
    assert parse(*TAGGING.keys("LCP", None)) == ("LCP", None)
    assert parse(*TAGGING.keys("LCP", "/a b c")) == ("LCP", "/a b c")


def test_more_keys_than_the_index_tells_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 2)
    sent = [vital("LCP", number, f"/{number}") for number in range(5)]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        assert len(ask(reader, SPAN)["vitals"]["rows"]) == 5


def test_what_is_still_counted_is_told(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [vital("LCP", 1)]) as reader:  # nobody follows the tagger
        assert "0%" in ask(reader, SPAN)["counting"]["text"]
        assert "counting" not in ask(reader, f"{SPAN}&f=name:is:LCP")


def test_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker_vitals.samples.VALUES_MAX", 1)
    with reading(tmp_path, "UTC", [vital("LCP", 1), vital("LCP", 2)], taggers=TAGGERS) as reader:
        with pytest.raises(Invalid, match="shorter span"):
            ask(reader, f"{SPAN}&f=path:is:/a")
        assert ask(reader, SPAN)["vitals"]["rows"] == [["/a", "LCP", 2.0, 2, "good"]]


def test_nothing_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", taggers=TAGGERS) as reader:
        answer = ask(reader, SPAN)
        assert answer["vitals"]["rows"] == []
        assert {point["values"]["LCP"] for point in answer["days"]["points"]} == {None}
