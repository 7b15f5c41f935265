"""What is remembered of traits between reports equals what reading all of them again would tell."""

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from saastracker import told
from saastracker.contracts import Group, Reader, Submission
from saastracker.customers import facts
from saastracker.event import NAME_MAX, Event
from saastracker.persons import Joining, Person, joining
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.testing.indexing import follow
from saastracker.told import Facts, Memory
from saastracker.wire import Project, Reply
from saastracker_sqlite.store import SqliteStore
from tests.indexed import people

USERS: list[Any] = [
    None,
    {},
    "ada",
    {"email": "a"},
    {"email": "b", "city": "Rome"},
    {"city": "Oslo"},
    {"first_name": "A"},
]
COMPANIES: list[Any] = [None, 7, {}, {"name": "A"}, {"name": ""}, {"custom": {"mrr": 5}}, {"custom": {"mrr": True}}]


def made(seed: int, count: int) -> list[Event]:
    pick = random.Random(seed)
    return [
        Event(
            name="identify",
            time=pick.randrange(10**12),
            user=pick.choice([None, None, "u1", "u2"]),
            anonymous=pick.choice([None, "a1", "a2", "u1"]),
            org=pick.choice([None, "x", "y"]),
            traits=pick.choice([None, json.dumps({"user": pick.choice(USERS), "company": pick.choice(COMPANIES)})]),
        )
        for _ in range(count)
    ]


def append(store: SqliteStore, sent: list[Event], project: Project = PROJECT) -> None:
    for event in sent:
        event.received_at = event.time or 0
    store.append(Group([Submission(project, sent, 0, Reply(202, b"{}"))]))
    follow(store)


def check(reader: Reader, memory: Memory, sent: list[Event]) -> None:
    persons: dict[Any, dict[str, Any]] = {}
    organizations: dict[str, Facts] = {}
    for event, person in zip(sent, people(sent), strict=True):
        traits = json.loads(event.traits or "{}")
        if person and isinstance(traits.get("user"), dict):
            persons.setdefault(person, {}).update(traits["user"])
        company = traits.get("company")
        if event.org and isinstance(company, dict):
            before = organizations.get(event.org, Facts())
            mrr = company.get("custom", {}).get("mrr")
            organizations[event.org] = Facts(
                company.get("name") or before.name, before.mrr if mrr in {None, True} else mrr
            )
    found = memory.told(reader, PROJECT.id)
    traits_of = found.traits(joining(reader, reader.actors(PROJECT.id)))
    everybody: Any = {*people(sent)} - {None}
    for person in everybody:
        assert traits_of(Person(person[0] == "anonymous", person[1])) == persons.get(person, {})
    for every in (found.organizations, facts(reader, PROJECT.id)):
        assert {org: each for org, each in every.items() if each != Facts()} == {
            org: each for org, each in organizations.items() if each != Facts()
        }


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4), kept=st.booleans())
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int], kept: bool) -> None:
    path, memory, sent = tmp_path_factory.mktemp("told") / "events.db", Memory(), list[Event]()
    store = SqliteStore(path)
    store.claim()
    with pytest.MonkeyPatch.context() as patch:
        if not kept:
            patch.setattr(told, "KEPT_MAX", 0)
        try:
            append(store, made(seed - 1, 5), OTHER_PROJECT)
            for number, size in enumerate(sizes):
                sent += (batch := made(seed + number, size))
                append(store, batch)
                with store.reader() as reader:
                    check(reader, memory, sent)
        finally:
            store.close()


def test_what_was_erased_is_forgotten(tmp_path: Path) -> None:
    """Of a reader that still sees it, too."""
    store, memory = SqliteStore(tmp_path / "events.db"), Memory()
    store.claim()
    try:
        sent = [
            Event(name="identify", time=1, user="u1", org="x", traits='{"company": {"name": "Old"}}'),
            Event(name="identify", time=2, user="u1", org="x", traits='{"company": {"name": "New"}}'),
        ]
        append(store, sent)
        with store.reader() as before:
            assert memory.told(before, PROJECT.id).organizations == {"x": Facts("New")}
            with sqlite3.connect(tmp_path / "events.db") as connection:
                connection.execute("DELETE FROM event_rows WHERE sequence = 2")
            connection.close()
            with store.reader() as reader:
                assert memory.told(reader, PROJECT.id).organizations == {"x": Facts("Old")}
            assert memory.told(before, PROJECT.id).organizations == {"x": Facts("New")}
    finally:
        store.close()


def test_full_names(tmp_path: Path) -> None:
    """Also of who told one before signing in; only then it matters who became whom."""
    store, memory = SqliteStore(tmp_path / "events.db"), Memory()
    store.claim()

    def names(reader: Reader) -> tuple[dict[str, str], int]:
        asked: list[Joining] = []

        def joined() -> Joining:
            asked.append(joining(reader, reader.actors(PROJECT.id)))
            return asked[-1]

        ids = ["u1", "u2", "u3", "v1", "v2", "nobody"]
        return memory.told(reader, PROJECT.id, whole=False).full_names(ids, joined), len(asked)

    def event(name: str, **more: Any) -> Event:
        return Event(name="a", time=1, traits=json.dumps({"user": {"first_name": name} if name else {"x": 1}}), **more)

    try:
        append(store, [event("Ada", user="u1"), event("", user="u2"), event("", anonymous="v1")])
        with store.reader() as reader:
            assert names(reader) == ({"u1": "Ada"}, 0)
        append(store, [event("Eve", anonymous="v3"), event("", user="u3", anonymous="v3"), event("Vi", anonymous="v2")])
        with store.reader() as reader:
            assert names(reader) == ({"u1": "Ada", "u3": "Eve", "v2": "Vi"}, 1)
    finally:
        store.close()


def test_people_who_are_too_many_are_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "KEPT_MAX", 0)
    store, memory = SqliteStore(tmp_path / "events.db"), Memory()
    store.claim()
    traits = '{"company": {"name": "X"}, "user": {"email": "e"}}'
    try:
        append(store, [Event(name="identify", time=1, user="u1", org="x", traits=traits)])
        with store.reader() as reader:
            assert memory.told(reader, PROJECT.id).persons
            few = memory.told(reader, PROJECT.id, whole=False)
            assert (few.persons, few.name("x")) == ({}, "X")
            assert memory.told(reader, PROJECT.id, whole=False) is few
            assert memory.told(reader, PROJECT.id).persons
        append(store, [Event(name="identify", time=2, user="u2", org="y", traits=traits)])
        with store.reader() as reader:
            few = memory.told(reader, PROJECT.id, whole=False)
            assert (few.persons, few.name("y")) == ({}, "X")
    finally:
        store.close()


def test_few_projects_are_remembered(tmp_path: Path) -> None:
    store, memory = SqliteStore(tmp_path / "events.db"), Memory()
    store.claim()
    try:
        others = [replace(OTHER_PROJECT, id=str(number)) for number in range(told.PROJECTS_MAX)]
        for project in (PROJECT, *others):
            append(store, [Event(name="identify", time=1, org="x", traits='{"company": {"name": "X"}}')], project)
        with store.reader() as reader:
            first = memory.told(reader, PROJECT.id)
            assert memory.told(reader, PROJECT.id) is first
            for project in others:
                memory.told(reader, project.id)
            again = memory.told(reader, PROJECT.id)
            assert again is not first
            assert again == first
    finally:
        store.close()


def test_names_fit_into_pages() -> None:
    """Traits may be as long as an event; a table of a hundred such names would be a page of megabytes."""
    long = "x" * 30_000
    assert told.facts(Facts(), {"name": long}).name == "x" * NAME_MAX
    assert told.email({"email": long}) == "x" * NAME_MAX
    assert told.full_name({"first_name": long, "last_name": "y"}) == f"{'x' * NAME_MAX} y"
