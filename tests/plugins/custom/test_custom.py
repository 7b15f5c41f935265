"""The report on custom events equals a plain count over the raw events."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker_custom import load, taggers
from tests.asking import FOREIGN, QUERIES, SPAN, START, Row, blocks, inside, keys, made, prop, rows, scope
from tests.indexed import HOUR, Arriving, arriving, reading, stores

COLUMNS = ["name", "category", "label", "events", "persons", "value_sum", "value_mean"]
NOON = START + 100 * HOUR
TAGGERS = taggers(None)  # type: ignore[arg-type]
LABELLED: dict[str, Callable[[Event], bool]] = {  # what a click on a value of the table asks for
    "f=prop.category:is:a": lambda event: prop(event, "category") == "a",
    "f=prop.category:is:a&f=prop.category:is:b&f=prop.label:is:m&name=open": lambda event: (
        prop(event, "category") in {"a", "b"} and prop(event, "label") == "m" and event.name == "open"
    ),
    "f=prop.label:is_not:m": lambda event: prop(event, "label") != "m",
}
ASKED = QUERIES | LABELLED


def counting(
    folder: Path, zone: str, *batches: Sequence[Event], rebuilt: bool = False
) -> AbstractContextManager[Reader]:
    return reading(folder, zone, *batches, foreign=FOREIGN, rebuilt=rebuilt, taggers=TAGGERS)


def ask(reader: Reader, query: str, zone: str = "UTC") -> dict[str, Any]:
    asked = scope(query, zone)
    answer: dict[str, Any] = blocks(load(reader, asked), asked)["events"]
    return answer


def slow(found: list[Row], query: str) -> list[list[Any]]:
    groups = defaultdict(list)
    for row in inside(found, ASKED[query]):
        key = row.event.name, prop(row.event, "category"), prop(row.event, "label")
        if key[1:] != (None, None) or row.event.value is not None:
            groups[key].append(row)
    answer = []
    for key, of in groups.items():
        values = [row.event.value for row in of if row.event.value is not None]
        total = sum(values) if values else None
        persons = {row.person for row in of if row.person}
        answer.append([*key, len(of), len(persons), total, total / len(values) if total is not None else None])
    last = "\U0010ffff"  # what has none stands last
    return sorted(answer, key=lambda row: (row[1] or last, row[2] or last, -row[3], row[0]))


@stores
@given(arrived=arriving(made, 40))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    found, zone = rows(arrived.events, arrived.zone), arrived.zone
    with arrived.reading(tmp_path_factory, foreign=FOREIGN, taggers=TAGGERS) as reader:
        for query in ASKED:
            assert ask(reader, f"{SPAN}&{query}", zone)["rows"] == slow(found, query)


def test_by_hand(tmp_path: Path) -> None:
    sent = [
        Event(name="play", time=NOON, user="u1", value=2.0, properties='{"category": "video", "label": "intro"}'),
        Event(name="play", time=NOON, anonymous="a1", value=1.0, properties='{"category": "video", "label": "intro"}'),
        Event(name="play", time=NOON, user="u1", anonymous="a1", properties='{"category": "video", "label": "intro"}'),
        Event(name="play", time=NOON, user="u2", properties='{"category": "audio"}'),
        Event(name="score", time=NOON, value=-3.0),
        Event(name="plain", time=NOON, properties='{"other": 1}'),
    ]
    with counting(tmp_path, "UTC", sent) as reader:
        answer = ask(reader, SPAN)
        assert keys(answer) == COLUMNS
        assert answer["rows"] == [
            ["play", "audio", None, 1, 1, None, None],
            ["play", "video", "intro", 3, 1, 3.0, 1.5],
            ["score", None, None, 1, 0, -3.0, -3.0],
        ]


def test_too_many_groups_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker_custom.totals.GROUPS_MAX", 1)
    sent = [Event(name=name, time=NOON, value=1.0, path="/a") for name in ("a", "b")]
    with counting(tmp_path, "UTC", sent) as reader:
        assert len(ask(reader, SPAN)["rows"]) == 2
        with pytest.raises(Invalid, match="shorter span"):
            ask(reader, f"{SPAN}&f=path:is:/a")


ODD = [
    ("5", "true"),  # numbers and booleans are texts, too
    ('{"a":[1]}', None),
    ("x" * 300, "y" * 300),  # longer than a key of the index may be
    ("x" * 300, "z" * 300),
    ('ä"\\,[#', "(other)"),
    ("(other)", "\u2028"),
]


def test_odd_labels(tmp_path: Path) -> None:
    """Beside nested names that only look like labels, and nulls."""
    sent = [
        Event(name="odd", time=NOON, user=f"u{number}", properties=json.dumps({"category": category, "label": label}))
        for number, (category, label) in enumerate(ODD)
    ]
    sent += [
        Event(name="odd", time=NOON, user="u0", properties='{"category": 5, "label": true}'),
        Event(name="odd", time=NOON, user="u1", properties='{"category": {"a": [1]}, "label": null}'),
        Event(name="nested", time=NOON, user="u1", properties='{"a": {"category": "c"}, "b": "\\"label\\""}'),
        Event(name="nothing", time=NOON, user="u1", properties='{"category": null}'),
    ]
    with counting(tmp_path, "UTC", sent) as reader:
        for query in (SPAN, f"{SPAN}&f=type:is:custom"):  # from the index, and from raw events
            rows = {tuple(row[:3]): row[3] for row in ask(reader, query)["rows"]}
            assert rows == {("odd", *of): 1 + (number < 2) for number, of in enumerate(ODD)}


def test_more_labels_than_a_day_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 2)
    sent = [Event(name=name, time=NOON, user="u1", value=1.0) for name in ("a", "b", "c", "d")]
    with counting(tmp_path, "UTC", sent) as reader:
        assert [row[0] for row in ask(reader, SPAN)["rows"]] == ["a", "b", "c", "d"]


def test_still_counting(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [Event(name="a", time=NOON, value=1.0)]) as reader:
        asked = scope(SPAN, "UTC")
        assert "0%" in blocks(load(reader, asked), asked)["counting"]["text"]


def test_nothing_yet(tmp_path: Path) -> None:
    with counting(tmp_path, "UTC") as reader:
        assert ask(reader, SPAN)["rows"] == []
