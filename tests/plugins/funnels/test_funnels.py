"""The funnels report equals going through everyone's raw events in turn."""

import json
import random
from collections import Counter
from collections.abc import Callable
from statistics import median
from typing import Any

import msgspec
import pytest
from hypothesis import given

from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.report import Series
from saastracker.rules import Rule
from saastracker.testing import InMemoryDefinitions
from saastracker.web.faces import iso
from saastracker_funnels import PARAMETERS, detail, load
from saastracker_funnels.definition import Funnel, Step
from saastracker_funnels.follow import Rules
from tests.asking import FIRST, FOREIGN, LAST, QUERIES, SPAN, Row, blocks, made, prop, rows, scope
from tests.indexed import DAY, HOUR, Arriving, arriving, at, stores
from tests.plugins.funnels.walking import Event as Step_
from tests.plugins.funnels.walking import slow

FUNNELS = [
    Funnel(name="Plain", steps=(Step("open"), Step("save"), Step("export")), window_days=2),
    Funnel(
        name="Conditions",
        steps=(Step("open", "/a"), Step("save", optional=True), Step("export", None, {"n": 1}), Step("open")),
        window_days=0,
        per="organization",
        exclude=(Rule("save", "/c"), Rule("export", "/a/b", {"category": "a"})),
    ),
    Funnel(
        name="Strict",
        steps=(Step("open"), Step("open", "/a", optional=True), Step("save"), Step("export")),
        order="strict",
        window_days=5,
        per="session",
    ),
    Funnel(
        name="Any",
        steps=(Step("open"), Step("open", "/a"), Step("save", None, {"category": "b"}), Step("export")),
        order="any",
        window_days=3,
    ),
]


def ask(reader: Reader, query: str, zone: str = "UTC", funnel: str | None = None, *values: Funnel) -> dict[str, Any]:
    """The blocks by their keys; of one funnel those of its comparison too, as `days before`."""
    definitions = InMemoryDefinitions({"funnel": values or FUNNELS})
    if funnel is None:
        asked = scope(query, zone)
        return blocks(load(definitions, reader, asked), asked)
    asked = scope(query, zone, declared=PARAMETERS)
    report = detail(definitions, reader, asked, funnel)
    compared = {
        f"{block.key} before": [point.values for point in block.previous]
        for block in report.blocks
        if isinstance(block, Series)
    }
    return blocks(report, asked) | compared


def sent(seed: int, count: int) -> list[Event]:
    """Made-up events of which many are at the same moment, and some are page views."""
    pick = random.Random(seed)
    return [
        msgspec.structs.replace(
            event,
            time=(event.time or 0) // (3 * HOUR) * 3 * HOUR,
            type=pick.choice(["pageview", "custom"]),
        )
        for event in made(seed, count)
    ]


# --- The plain way ---


def fits(rule: Rule, event: Event) -> bool:
    def text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    return (
        event.name == rule.name
        and (not rule.path_prefix or (event.path or "").startswith(rule.path_prefix))
        and all(text(prop(event, key)) == text(value) for key, value in (rule.properties or {}).items())
    )


def entity(funnel: Funnel, row: Row) -> object:
    if funnel.per == "organization":
        return row.event.org
    if funnel.per == "session":
        return row.person and row.event.session and (row.person, row.event.session)
    return row.person


class Slow:
    """What became of those who entered a funnel on the days from `first` to `last`."""

    def __init__(self, funnel: Funnel, found: list[Row], start: int, end: int) -> None:
        events = [
            Step_(
                entity(funnel, row),
                row.event.time or 0,
                frozenset(number for number, step in enumerate(funnel.steps) if fits(step, row.event)),
                any(fits(rule, row.event) for rule in funnel.exclude),
            )
            for row in found
        ]
        optional = tuple(step.optional for step in funnel.steps)
        rules = Rules(funnel.order, optional, funnel.window_days * DAY, start, end)
        self.attempts = slow(events, rules, {event.entity for event in events if event.entity})
        self.entries = {who: found[place] for who, (place, _) in self.attempts.items()}
        self.reached = {who: times for who, (_, times) in self.attempts.items()}
        self.funnel = funnel

    def totals(self) -> list[Any]:
        whole = [times[-1] - (times[0] or 0) for times in self.reached.values() if times[-1] is not None]
        total = len(self.reached)
        return [total, len(whole), len(whole) / total if total else None, median(whole) / 1000 if whole else None]

    def before(self, step: int) -> int:
        return max((other for other in range(step) if not self.funnel.steps[other].optional), default=0)

    def step(self, step: int) -> list[Any]:
        """All cells but the name."""
        there = [times for times in self.reached.values() if times[step] is not None]
        share = len(there) / len(self.reached) if self.reached else None
        if step == 0:
            return [len(there), share, None, None, None]
        previous = [times for times in self.reached.values() if times[self.before(step)] is not None]
        waited = sorted((times[step] or 0) - (times[self.before(step)] or 0) for times in there)
        tenths = next((wait for rank, wait in enumerate(waited, 1) if rank * 10 >= len(waited) * 9), None)
        return [
            len(there),
            share,
            len(there) / len(previous) if previous else None,
            median(waited) / 1000 if waited else None,
            None if tenths is None else tenths / 1000,
        ]

    def days(self, first: Any, days: int) -> list[dict[str, Any]]:
        points = []
        for number in range(days):
            mine = [who for who, row in self.entries.items() if (row.local.date() - first).days == number]
            converted = sum(self.reached[who][-1] is not None for who in mine)
            points.append(
                {
                    "entered": len(mine),
                    "converted": converted,
                    "conversion": converted / len(mine) if mine else None,
                }
            )
        return points

    def dropped(self, step: int) -> set[tuple[Any, ...]]:
        gone = set()
        for who, times in self.reached.items():
            if times[self.before(step)] is not None and times[step] is None:
                last = max(time for time in times if time is not None)
                row = self.entries[who]
                name = {
                    "organization": (row.event.org,),
                    "person": (row.person[1] if row.person else None,),
                    "session": (row.person[1] if row.person else None, row.event.session),
                }[self.funnel.per]
                gone.add((*name, iso(times[0] or 0), iso(last)))
        return gone

    def by(self, value_of: Callable[[Event], Any]) -> set[tuple[Any, ...]]:
        entered = Counter(value_of(row.event) for row in self.entries.values())
        converted = Counter(
            value_of(row.event) for who, row in self.entries.items() if self.reached[who][-1] is not None
        )
        return {(value, count, converted[value], converted[value] / count) for value, count in entered.items()}


BY: dict[str, Callable[[Event], Any]] = {
    "plan": lambda event: event.plan,
    "org": lambda event: event.org,
    "prop.n": lambda event: None if prop(event, "n") is None else str(prop(event, "n")),
}


@stores
@given(arrived=arriving(sent))
def test_equals_a_slow_walk(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    found, zone = rows(arrived.events, arrived.zone), arrived.zone
    with arrived.reading(tmp_path_factory, foreign=FOREIGN) as reader:
        for query, chosen in QUERIES.items():
            seen = [row for row in found if chosen(row.event)]
            listed = ask(reader, f"{SPAN}&{query}", zone)["funnels"]["rows"]
            for number, funnel in enumerate(FUNNELS):
                now = Slow(funnel, seen, at(f"{FIRST} 00:00", zone), at("2026-11-04 00:00", zone))
                assert listed[number] == [str(number + 1), funnel.name, funnel.path, *now.totals()[:3]]
                if arrived.seed % len(QUERIES) == list(QUERIES).index(query):
                    before = Slow(funnel, seen, at("2026-10-11 00:00", zone), at(f"{FIRST} 00:00", zone))
                    check_detail(reader, f"{SPAN}&{query}", zone, str(number + 1), now, before)


def check_detail(reader: Reader, query: str, zone: str, funnel: str, now: Slow, before: Slow) -> None:
    for number, (by, value_of) in enumerate(BY.items(), 1):
        step = min(number, len(now.funnel.steps) - 1)
        answer = ask(reader, f"{query}&by={by}&dropped={step + 1}", zone, funnel)
        assert {tuple(row) for row in answer["breakdown"]["rows"]} == now.by(value_of)
        assert {tuple(row) for row in answer["dropped"]["rows"]} == now.dropped(step)
        assert len(answer["dropped"]["rows"]) == len(now.dropped(step))
    assert [row[1:] for row in answer["steps"]["rows"]] == [now.step(step) for step in range(len(now.funnel.steps))]
    assert [figure["value"] for figure in answer["totals"]["figures"]] == now.totals()
    assert [figure["previous"] for figure in answer["totals"]["figures"]] == before.totals()
    days = (LAST - FIRST).days + 1
    assert [point["values"] for point in answer["days"]["points"]] == now.days(FIRST, days)
    assert answer["days before"] == before.days(FIRST.replace(day=11), days)
