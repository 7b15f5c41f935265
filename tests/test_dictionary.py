"""Texts and their numbers: what was used lately is not looked up again, however much else was."""

from typing import NoReturn

import pytest

from saastracker import dictionary
from saastracker.dictionary import NO_TEXT, Dictionary


class Database:
    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self._numbers: dict[str, int] = {}

    def find(self, texts: list[str]) -> dict[str, int]:
        self.asked.append(sorted(texts))
        return {text: self._numbers.setdefault(text, len(self._numbers) + 1) for text in texts}


class Unread(dict[str | None, int]):
    """Not to be gone through: it holds as much as all of the last minutes."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("all of the older generation was looked at")


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def known(database: Database, monkeypatch: pytest.MonkeyPatch) -> Dictionary:
    """Room for two generations of some ten texts."""
    monkeypatch.setattr(dictionary, "CACHE_BYTES", 20 * (dictionary.ENTRY_BYTES + 60))
    return Dictionary(database.find)


def test_a_text_has_one_number_and_none_has_none(known: Dictionary, database: Database) -> None:
    codes = known.codes(["a", "b", None, "a"])
    assert (codes["a"] != codes["b"], codes[None]) == (True, NO_TEXT)
    assert known.codes(["b"])["b"] == codes["b"]
    assert database.asked == [["a", "b"]]


def test_what_is_used_again_moves_to_the_younger_generation(known: Dictionary, database: Database) -> None:
    first = known.codes(["often"])["often"]
    for number in range(100):
        assert known.codes([f"once {number}", "often"])["often"] == first
    assert [each for each in database.asked if "often" in each] == [["often"]]
    known.codes(["once 0"])
    assert database.asked.count(["once 0"]) == 2  # it was dropped


def test_the_older_generation_is_not_gone_through(known: Dictionary) -> None:
    known.codes([f"text {number}" for number in range(20)])
    known.codes(["makes it the older one"])
    known._old = Unread(known._old)
    assert known.codes(["text 3", "new"])["text 3"] == known._old["text 3"]


def test_what_was_deleted_is_asked_for_again(known: Dictionary, database: Database) -> None:
    known.codes(["a", "b"])
    known.forget(["a", "never seen"])
    known.codes(["a", "b"])
    assert database.asked[-1] == ["a"]
