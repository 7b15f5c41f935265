"""Taggers: their keys in the index equal a slow count, however events and definitions arrive."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.contracts import Group, Submission
from saastracker.event import Event
from saastracker.index_store import Unit
from saastracker.indexer import Indexer
from saastracker.tagger import VALUED, Tagger, Tagging
from saastracker.testing import OTHER_PROJECT, PROJECT, InMemoryDefinitions
from saastracker.wire import Reply
from saastracker_sqlite.store import SqliteStore
from tests.indexed import DAY, at, reading

START = at("2026-03-01 12:00")


class Kind(msgspec.Struct, frozen=True):
    name: str


def of_definition(value: Kind) -> Tagging:
    return Tagging(
        columns=("country",),
        wanted={"name": frozenset({value.name})},
        keys=lambda country: ["", *([country] if country else [])],
    )


def of_events(_: None) -> Tagging:
    return Tagging(columns=("properties",), keys=lambda text: msgspec.json.decode(text)["tags"] if text else ())


BY_KIND = Tagger(namespace="chosen", version=1, tagging=of_definition, kind="kind")
BY_TAGS = Tagger(namespace="tags", version=1, tagging=of_events, distribution=True)


def event(day: int, name: str, **fields: Any) -> Event:
    return Event(name=name, time=START + day * DAY, user=fields.pop("user", "u1"), session="s", **fields)


def counted(reader: Any, namespace: str) -> dict[tuple[int, str], int]:
    counts: Counter[tuple[int, str]] = Counter()
    for day, key, cell in reader.days(PROJECT.id, namespace, 0, 100_000):
        counts[day, key] += cell.events
    return dict(counts)


EVENTS = [
    event(0, "save", country="DE"),
    event(0, "save"),
    event(0, "open", country="DE"),
    event(1, "save", country="NL", user="u2"),
    event(1, "open", properties='{"tags":["a","b","a"]}', value=2.5),
    event(1, "open", properties='{"tags":["a"]}', value=1.0),
]
FIRST = at("2026-03-01 00:00") // DAY


def test_keys_of_definitions_stand_behind_their_ids(tmp_path: Path) -> None:
    definitions = InMemoryDefinitions({"kind": [Kind("save"), Kind("nothing")]})
    with reading(tmp_path, "UTC", EVENTS[:2], EVENTS[2:], taggers=[BY_KIND], definitions=definitions) as reader:
        assert counted(reader, "chosen") == {
            (FIRST, "1"): 2,
            (FIRST, "1/DE"): 1,
            (FIRST + 1, "1"): 1,
            (FIRST + 1, "1/NL"): 1,
        }
        assert reader.tagged(PROJECT.id, "chosen", "1") == 1
        assert reader.tagged(PROJECT.id, "chosen", "3") == 0
        assert reader.tagged(OTHER_PROJECT.id, "chosen", "1") == 1  # which has no events
        seen = {each.key: each for each in reader.seen(PROJECT.id, "chosen")}
        assert seen["1"] == ("1", START, START + DAY, 1, 4)
        assert seen["1/DE"] == ("1/DE", START, START, 1, 1)


@pytest.mark.parametrize("rebuilt", [False, True])
def test_several_keys_of_an_event_and_its_value(tmp_path: Path, rebuilt: bool) -> None:
    with reading(tmp_path, "UTC", EVENTS[:5], EVENTS[5:], taggers=[BY_TAGS], rebuilt=rebuilt) as reader:
        assert counted(reader, "tags") == {(FIRST + 1, "a"): 2, (FIRST + 1, "b"): 1}
        [(_, _, cell)] = reader.days(PROJECT.id, "tags", 0, 100_000, ["a"])
        assert cell.values is not None
        assert sorted(cell.values.tolist()) == [1.0, 2.5]
        assert len(cell.actors) == 1


def test_only_properties_with_some_names_are_read(tmp_path: Path) -> None:
    def keys(properties: str | None, valued: str | None) -> list[str]:
        return [f"{properties} {valued}"]

    some = Tagging(columns=("properties", VALUED), keys=keys, named=("tags", "labels"))
    tagger = Tagger(namespace="some", version=1, tagging=lambda _: some)
    more = [event(2, "open", properties='{"other":"tags"}'), event(2, "open", value=0.0)]
    with reading(tmp_path, "UTC", EVENTS, more, taggers=[tagger]) as reader:
        assert counted(reader, "some") == {
            (FIRST, "None None"): 3,
            (FIRST + 1, "None None"): 1,
            (FIRST + 1, '{"tags":["a","b","a"]} valued'): 1,
            (FIRST + 1, '{"tags":["a"]} valued'): 1,
            (FIRST + 2, '{"other":"tags"} None'): 1,  # holds the name, so it may have one
            (FIRST + 2, "None valued"): 1,
        }


def fails(name: str) -> list[str]:
    raise ValueError(name)


def test_a_tagger_that_fails_does_not_stop_the_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = Tagger(namespace="broken", version=1, tagging=lambda _: Tagging(columns=("name",), keys=fails))
    with reading(tmp_path, "UTC", EVENTS, taggers=[broken, BY_TAGS]) as reader:
        assert counted(reader, "broken") == {}
        assert counted(reader, "all")[FIRST, ""] == 3
        assert counted(reader, "tags")
    assert "The tagger broken fails" in caplog.text


def test_a_changed_definition_is_followed_from_the_first_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.indexer.STEP_EVENTS", 2)
    definitions = InMemoryDefinitions({"kind": [Kind("save")]})
    store = SqliteStore(tmp_path / "events.db")
    store.claim()
    indexer = Indexer(
        store.index, lambda: {PROJECT.id: "UTC"}, lambda work: work(), taggers=[BY_KIND], definitions=definitions
    )
    indexer.begin()
    store.append(Group([Submission(PROJECT, list(EVENTS), 0, Reply(202, b"{}"))]))
    while any(indexer.step()):
        pass
    [kept] = definitions.defined["kind"]
    new = msgspec.structs.replace(kept, id="2", value=Kind("open"))
    definitions.defined["kind"] = (msgspec.structs.replace(kept, version=2, value=Kind("open")), new)
    shares = []
    while any(indexer.step()):
        with store.reader() as reader:
            shares.append(reader.tagged(PROJECT.id, "chosen", "1"))
            if shares[-1] < 1:
                store.index.mark([(PROJECT.id, FIRST)])  # a day that is made again has no more of it than the rest
                indexer.step()
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1
    assert shares[-1] == 1
    with store.reader() as reader:
        expected = {(FIRST, ""): 1, (FIRST, "/DE"): 1, (FIRST + 1, ""): 2}
        assert counted(reader, "chosen") == {
            (day, unit + key): count for (day, key), count in expected.items() for unit in ("1", "2")
        }
    definitions.defined["kind"] = (new,)
    while any(indexer.step()):
        pass
    assert set(store.index.units()) == {Unit(PROJECT.id, "chosen", "2")}
    with store.reader() as reader:
        assert {key[0] for _, key in counted(reader, "chosen")} == {"2"}
        assert {each.key for each in reader.seen(PROJECT.id, "chosen")} == {"2", "2/DE"}
    store.close()
