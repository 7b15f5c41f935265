"""The report on resources equals a plain count over the raw events."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker_runs import load_resources as resources
from saastracker_runs import taggers
from tests.asking import FIRST, LAST, SPAN, START, Row, blocks, inside, keys, prop, rows, scope
from tests.indexed import DAY, HOUR, Arriving, arriving, at, reading, stores

COLUMNS = ["name", "sourced", "sunk", "net", "persons", "per_person"]
NOON = at("2026-10-24 12:00")
TAGGERS = taggers(None)  # type: ignore[arg-type]
QUERIES: dict[str, Callable[[Event], bool]] = {
    "": lambda event: True,
    "environment=staging": lambda event: event.environment == "staging",
    "name=Sink:gold": lambda event: event.name == "Sink:gold",
    "type=custom": lambda event: event.type == "custom",
    "type=resource&type=custom": lambda event: event.type in {"resource", "custom"},
    "f=type:is_not:resource": lambda event: event.type != "resource",
    "org=x&environment=production": lambda event: event.org == "x" and event.environment == "production",
    "f=prop.dim01:exists": lambda event: prop(event, "dim01") is not None,
}


def ask(reader: Reader, query: str, zone: str = "UTC") -> dict[str, Any]:
    asked = scope(query, zone)
    return blocks(resources(reader, asked), asked)


def made(seed: int, count: int) -> list[Event]:
    pick = random.Random(seed)
    return [
        Event(
            name=pick.choice(["Source:gold", "Sink:gold", "Source:gems", "Sink:wood", "Sink:", "jump"]),
            type=pick.choice(["resource", "resource", "resource", "custom", "progression"]),
            time=START + pick.randrange(18 * 24 * 4) * HOUR // 4,
            user=pick.choice([None, "u1", "u2"]),
            anonymous=pick.choice([None, "a1", "u1"]),
            org=pick.choice([None, "x"]),
            environment=pick.choice(["production", "production", "staging"]),
            value=pick.choice([None, 1.5, 2.0, 100.0, -3.0]),
            properties=pick.choice([None, '{"dim01":"shop"}']),
        )
        for _ in range(count)
    ]


# --- Against a slow count ---


def total(of: list[Row], name: str) -> float:
    return sum(row.event.value or 0.0 for row in of if row.event.name == name)


def slow(of: list[Row]) -> list[list[Any]]:
    names = {row.event.name.partition(":")[2] for row in of} - {""}
    answer = []
    for name in names:
        sourced, sunk = total(of, f"Source:{name}"), total(of, f"Sink:{name}")
        persons = {row.person for row in of if row.person and row.event.name.endswith(f":{name}")}
        net = sourced - sunk
        answer.append([name, sourced, sunk, net, len(persons), net / len(persons) if persons else None])
    return answer


@stores
@given(arrived=arriving(made, 40))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    found, zone = rows(arrived.events, arrived.zone), arrived.zone
    with arrived.reading(tmp_path_factory, foreign=made(arrived.seed, 20), taggers=TAGGERS) as reader:
        for query, chosen in QUERIES.items():
            counted = [row for row in found if row.event.type == "resource" and chosen(row.event)]
            answer = ask(reader, f"{SPAN}&{query}", zone)
            expected = slow(inside(counted, chosen))
            assert sorted(answer["resources"]["rows"]) == sorted(expected), query
            for point in answer["balance"]["points"]:
                until = [row for row in counted if row.local.date() <= point["at"]]
                assert point["values"] == {
                    name: total(until, f"Source:{name}") - total(until, f"Sink:{name}") for name, *_ in expected
                }


# --- Worked out by hand ---


def resource(name: str, value: float, user: str | None = "ann", time: int = NOON) -> Event:
    return Event(name=name, type="resource", value=value, user=user, time=time)


def test_by_hand(tmp_path: Path) -> None:
    sent = [
        resource("Source:gold", 50, time=NOON - 30 * DAY),
        resource("Source:gold", 10),
        resource("Sink:gold", 4, "bob"),
        resource("Sink:gold", 1, "bob", time=NOON + DAY),
        resource("Source:gems", 1, None),
        resource("Sink:gold", 30, time=NOON + 20 * DAY),
    ]
    with reading(tmp_path, "UTC", sent[::2], sent[1::2], taggers=TAGGERS) as reader:
        answer = ask(reader, SPAN)
        assert list(answer) == ["balance", "resources"]
        assert keys(answer["resources"]) == COLUMNS
        assert answer["resources"]["rows"] == [["gold", 10, 5, 5, 2, 2.5], ["gems", 1, 0, 1, 0, None]]
        points = answer["balance"]["points"]
        assert [point["values"] for point in points[:3]] == [
            {"gold": 50, "gems": 0},
            {"gold": 56, "gems": 1},
            {"gold": 55, "gems": 1},
        ]
        assert [point["at"] for point in points] == [FIRST + timedelta(days=place) for place in range(12)]
        assert points[-1]["at"] == LAST


def test_the_balance_of_the_busiest_is_drawn(tmp_path: Path) -> None:
    sent = [resource(f"Source:{number}", number) for number in range(1, 8)]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        answer = ask(reader, SPAN)
        assert [row[0] for row in answer["resources"]["rows"]] == ["7", "6", "5", "4", "3", "2", "1"]
        assert [*answer["balance"]["points"][1]["values"]] == ["7", "6", "5", "4", "3"]


def test_more_names_than_the_index_tells_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 2)
    sent = [resource(f"{verb}:{number}", 1) for number in range(4) for verb in ("Source", "Sink")]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        assert ask(reader, SPAN)["resources"]["rows"] == [[str(number), 1, 1, 0, 1, 0] for number in range(4)]


def test_what_is_still_counted_is_told(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [resource("Source:gold", 1)]) as reader:  # nobody follows the tagger
        assert "0%" in ask(reader, SPAN)["counting"]["text"]


def test_nothing_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=[resource("Source:gold", 1)], taggers=TAGGERS) as reader:
        answer = ask(reader, SPAN)
        assert answer["resources"]["rows"] == []
        assert {len(point["values"]) for point in answer["balance"]["points"]} == {0}
