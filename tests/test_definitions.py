"""Definitions are versioned, seen by every process at its next refresh, and every change of them is in the trail."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest

from saastracker.config import load_config
from saastracker.contracts import RecordStore
from saastracker.definition import Definition
from saastracker.definitions import Definitions
from saastracker.errors import Conflict, Invalid, NotFound, Stale
from saastracker.plugins import Plugins


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    per_day: int = 1


class Stricter(msgspec.Struct, frozen=True):
    name: int


KINDS = {"goal": Definition(kind="goal", title="Goals", struct=Goal)}


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    return Plugins(load_config(None, tmp_path))


@pytest.fixture
def store(plugins: Plugins) -> Iterator[RecordStore]:
    with closing(plugins.open_records()) as store:
        yield store


@pytest.fixture
def definitions(store: RecordStore) -> Definitions:
    return Definitions(store, KINDS)


def test_each_edit_is_one_write_with_its_entry(definitions: Definitions, store: RecordStore) -> None:
    before = store.change()
    made = definitions.create("p1", "goal", value=Goal("a"), who="ada")
    changed = definitions.replace("p1", "goal", made.id, version=1, value=Goal("b"), who="bob")
    assert (changed.version, changed.created_at) == (2, made.created_at)
    assert definitions.of("p1", "goal") == (changed,)
    definitions.delete("p1", "goal", made.id, version=2, who="eve")
    assert definitions.of("p1", "goal") == ()
    assert store.change() == before + 3
    history = definitions.history("p1", "goal", made.id)
    assert [(entry.who, entry.action, entry.version) for entry in history] == [
        ("ada", "create", 1),
        ("bob", "change", 2),
        ("eve", "delete", 2),
    ]
    values = [msgspec.json.decode(entry.value) for entry in history]
    assert values == [{"name": "a", "per_day": 1}, {"name": "b", "per_day": 1}, None]
    assert [entry.at for entry in history[:2]] == [made.created_at, changed.updated_at]


def test_a_restored_one_keeps_its_id_and_its_versions_go_on(definitions: Definitions, store: RecordStore) -> None:
    made = definitions.create("p1", "goal", value=Goal("a"), who="ada")
    definitions.replace("p1", "goal", made.id, version=1, value=Goal("b"), who="ada")
    with pytest.raises(Stale):
        definitions.restore("p1", "goal", made.id, value=Goal("a"), who="ada")  # it is there
    definitions.delete("p1", "goal", made.id, version=2, who="ada")
    back = definitions.restore("p1", "goal", made.id, value=Goal("a"), who="bob")
    assert (back.id, back.version, back.created_at) == (made.id, 3, made.created_at)
    assert Definitions(store, KINDS).of("p1", "goal") == definitions.of("p1", "goal") == (back,)
    for version in (1, 2):
        with pytest.raises(Stale):
            definitions.replace("p1", "goal", made.id, version=version, value=Goal("c"), who="ada")
    assert definitions.replace("p1", "goal", made.id, version=3, value=Goal("c"), who="ada").version == 4
    definitions.delete("p1", "goal", made.id, version=4, who="ada")
    assert definitions.restore("p1", "goal", made.id, value=Goal("d"), who="ada").version == 5
    definitions.delete("p1", "goal", made.id, version=None, who="ada")
    versions = [(entry.action, entry.version) for entry in definitions.history("p1", "goal", made.id)]
    assert versions == [
        *[("create", 1), ("change", 2), ("delete", 2)],
        *[("create", 3), ("change", 4), ("delete", 4)],
        *[("create", 5), ("delete", 5)],
    ]
    with pytest.raises(NotFound):
        definitions.restore("p1", "goal", "never", value=Goal("a"), who="ada")


def test_definitions_of_a_project_are_its_own_and_oldest_first(definitions: Definitions) -> None:
    made = [definitions.create("p1", "goal", value=Goal(name), who="ada") for name in "cab"]
    other = definitions.create("p2", "goal", value=Goal("x"), who="ada")
    assert sorted(definitions.of("p1", "goal"), key=made.index) == made
    assert [one.created_at for one in definitions.of("p1", "goal")] == sorted(one.created_at for one in made)
    assert definitions.of("p2", "goal") == (other,)
    for project, kind in (("p2", "goal"), ("p1", "other")):
        with pytest.raises(NotFound):
            definitions.find(project, kind, made[0].id)
        with pytest.raises(NotFound):
            definitions.history(project, kind, made[0].id)


def test_a_change_of_another_process_is_seen_and_not_undone(
    definitions: Definitions, store: RecordStore, plugins: Plugins
) -> None:
    with closing(plugins.open_records()) as file:
        other = Definitions(file, KINDS)
        made = definitions.create("p1", "goal", value=Goal("a"), who="ada")
        assert other.of("p1", "goal") == ()
        other.refresh()
        assert other.of("p1", "goal") == (made,)
        newer = other.replace("p1", "goal", made.id, version=1, value=Goal("b"), who="bob")
    for version in (1, 3):
        with pytest.raises(Stale):
            definitions.replace("p1", "goal", made.id, version=version, value=Goal("c"), who="ada")
        with pytest.raises(Stale):
            definitions.delete("p1", "goal", made.id, version=version, who="ada")
    assert definitions.of("p1", "goal") == (newer,)
    assert len(definitions.history("p1", "goal", made.id)) == 2


def test_they_survive_a_restart(definitions: Definitions, store: RecordStore) -> None:
    made = definitions.create("p1", "goal", value=Goal("a", 3), who="ada")
    assert Definitions(store, KINDS).of("p1", "goal") == (made,)


def test_one_that_a_newer_plugin_cannot_read_is_left_out_and_told_once(
    definitions: Definitions, store: RecordStore, caplog: pytest.LogCaptureFixture
) -> None:
    made = definitions.create("p1", "goal", value=Goal("a"), who="ada")
    with caplog.at_level(logging.ERROR):
        newer = Definitions(store, {"goal": Definition(kind="goal", title="Goals", struct=Stricter)})
        kept = newer.create("p1", "goal", value=Stricter(3), who="ada")
    assert newer.of("p1", "goal") == (kept,)
    assert [record.getMessage() for record in caplog.records] == [
        f"The goal {made.id} is left out, its plugin no longer reads it: Expected `int`, got `str` - at `$.name`"
    ]


def test_a_value_is_read_strictly_but_for_what_the_api_adds(definitions: Definitions) -> None:
    sent = b'{"id": "x", "version": 7, "created_at": "y", "updated_at": null, "name": "a"}'
    assert definitions.read("goal", sent) == Goal("a")
    for body, said in ((b'{"name": "a", "per_dya": 2}', "per_dya"), (b'{"name": "a\\u0000"}', r"\$\.name")):
        with pytest.raises(Invalid, match=said):
            definitions.read("goal", body)
    with pytest.raises(NotFound, match="there are goal"):
        definitions.read("gaol", b"{}")


def test_there_are_not_too_many(store: RecordStore) -> None:
    definitions = Definitions(store, {"goal": msgspec.structs.replace(KINDS["goal"], most=2)})
    for name in "ab":
        definitions.create("p1", "goal", value=Goal(name), who="ada")
    with pytest.raises(Conflict, match="at most 2"):
        definitions.create("p1", "goal", value=Goal("c"), who="ada")
    definitions.create("p2", "goal", value=Goal("c"), who="ada")


def test_there_are_not_too_many_where_several_are_made_at_once(store: RecordStore) -> None:
    kinds = {
        "one": Definition(kind="one", title="One", struct=Goal, most=1),
        "two": Definition(kind="two", title="Two", struct=Goal, most=2),
    }
    process, other = Definitions(store, kinds), Definitions(store, kinds)
    every = 8
    together = threading.Barrier(every)

    def make(kind: str, project: str, definitions: Definitions) -> bool:
        together.wait()
        try:
            definitions.create(project, kind, value=Goal("a"), who="ada")
        except Conflict as refusal:
            assert "at most" in refusal.detail  # noqa: PT017
            return False
        return True

    with ThreadPoolExecutor(every) as threads:
        for place in range(5):
            made = threads.map(partial(make, "one", f"p{place}"), [process, other] * (every // 2))
            assert sum(made) == 1
            assert sum(threads.map(partial(make, "two", f"p{place}"), [process] * every)) == 2


class Versioned(msgspec.Struct):
    version: int


@pytest.mark.parametrize(("kind", "struct"), [("Goal", Goal), ("", Goal), ("a/b", Goal), ("goal", Versioned)])
def test_a_kind_that_could_have_no_address_is_refused(kind: str, struct: type[msgspec.Struct]) -> None:
    with pytest.raises(ValueError, match="kind"):
        Definition(kind=kind, title="Goals", struct=struct)
