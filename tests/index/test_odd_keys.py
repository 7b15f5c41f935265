"""Keys that no plugin should give, and more than a day may have, neither stop the index nor spoil it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from saastracker.contracts import Group, Submission
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.tagger import Tagger, Tagging
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker.wire import Reply
from saastracker_sqlite.store import SqliteStore
from tests.index.slow_index import Rule, taggers
from tests.indexed import at, reading

NOON = at("2026-03-01 12:00")


def sent(*countries: str) -> list[Event]:
    return [Event(name="open", time=NOON, country=country) for country in countries]


def lazily(name: str) -> Iterator[str]:
    yield "before"
    raise ValueError(name)


def test_odd_keys(tmp_path: Path) -> None:
    odd = ["a", "a\0", "a\0b", "'\"%_", "ä" * 300, "\ud800", "(other)", "", '["\\\\u0000"]']
    tagger = Tagger(namespace="odd", version=1, tagging=lambda _: Tagging(columns=("name",), keys=lambda _: odd))
    with reading(tmp_path, "UTC", sent("DE"), sent("NL"), taggers=[tagger]) as reader:
        expected = {"a", "a?", "a?b", "'\"%_", "ä" * 200, "?", "(other)", "", '["\\\\ufffd"]'}
        assert {day.key: day.cell.events for day in reader.days(PROJECT.id, "odd", 0, 100_000)} == dict.fromkeys(
            expected, 2
        )
        assert {seen.key for seen in reader.seen(PROJECT.id, "odd")} == expected
        for key in expected:
            assert [day.key for day in reader.days(PROJECT.id, "odd", 0, 100_000, [key])] == [key]


@pytest.mark.parametrize("keys", [lazily, lambda _: None, lambda _: [3]], ids=["raises late", "none", "no text"])
def test_a_tagger_that_breaks_its_word_is_logged_once(
    tmp_path: Path, keys: object, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Tagger(namespace="odd", version=1, tagging=lambda _: Tagging(columns=("country",), keys=keys))  # type: ignore[arg-type]
    with reading(tmp_path, "UTC", sent("DE", "NL", "FR"), taggers=[broken]) as reader:
        assert reader.days(PROJECT.id, "odd", 0, 100_000) == []
        assert len(reader.days(PROJECT.id, "country", 0, 100_000)) == 3
    assert caplog.text.count("The tagger odd fails") == 1


def test_properties_cannot_be_wanted() -> None:
    with pytest.raises(ValueError, match="look at them in keys"):
        Tagging(columns=("name",), keys=lambda _: (), wanted={"properties": frozenset({"{}"})})


def test_keys_beyond_the_limit_go_with_their_definition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 2)
    definitions = InMemoryDefinitions({"rule": [Rule("open"), Rule("open")]})
    store = SqliteStore(tmp_path / "events.db")
    store.claim()
    indexer = Indexer(store.index, dict, lambda work: work(), taggers=taggers(1), definitions=definitions)
    indexer.begin()

    def counted() -> dict[str, int]:
        while any(indexer.step()):
            pass
        with store.reader() as reader:
            return {day.key: day.cell.events for day in reader.days(PROJECT.id, "rule", 0, 100_000)}

    # The codes of texts are in the order BE, DE, FR, NL; what arrives first has a cell of its own.
    store.append(Group([Submission(PROJECT, sent("BE", "DE"), 0, Reply(202, b""))]))
    of_one = {"": 4, "/BE": 1, "/DE": 1, "/(other)": 2}
    store.append(Group([Submission(PROJECT, sent("FR", "NL"), 0, Reply(202, b""))]))
    assert counted() == {unit + key: count for unit in "12" for key, count in of_one.items()}
    first, second = definitions.defined["rule"]
    definitions.defined["rule"] = (msgspec.structs.replace(first, version=2), second)
    assert counted() == {unit + key: count for unit in "12" for key, count in of_one.items()}
    definitions.defined["rule"] = (second,)
    assert counted() == {f"2{key}": count for key, count in of_one.items()}
    store.close()
