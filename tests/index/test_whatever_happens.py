"""Whatever happens in whatever order, the index is in the end what a slow count over the raw events says."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from saastracker.contracts import Group, Submission
from saastracker.definition import Defined
from saastracker.erasable import Of, Subject
from saastracker.erasure import Work, erase
from saastracker.errors import Conflict
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.wire import Reply
from saastracker_sqlite.store import SqliteStore
from tests.index import slow_index, slow_sums
from tests.index.slow_index import Rule
from tests.indexed import HOUR, at

PROJECTS = (PROJECT, OTHER_PROJECT)
ZONES = ["UTC", "Europe/Amsterdam", "Pacific/Kiritimati", "Etc/GMT+12", "Australia/Lord_Howe"]
START = at("2026-10-24 00:00")  # clocks change on 25 October in Amsterdam
KEYS_MAX = 3
EXAMPLES = int(os.environ.get("INDEX_EXAMPLES", "8"))  # 600 take five minutes

times = st.one_of(
    st.integers(0, 5 * 48).map(lambda half: START + half * HOUR // 2),
    st.sampled_from([START, START + 1, 0, 1, START + 300 * 24 * HOUR]),
)
events = st.builds(
    Event,
    name=st.sampled_from(["open", "save", "page_view", "$pageleave", "Session:Start", "Session:End", "(other)"]),
    type=st.sampled_from(["custom", "pageview", "vital"]),
    time=times,
    user=st.sampled_from([None, None, "u1", "u2"]),
    anonymous=st.sampled_from([None, "a1", "a2", "u1"]),
    org=st.sampled_from([None, "x", "y"]),
    session=st.sampled_from([None, "s1", "s2"]),
    path=st.sampled_from([None, "/a", "/b", "/c", "/d", "/e"]),
    environment=st.sampled_from(slow_index.ENVIRONMENTS),
    country=st.sampled_from([None, "DE", "NL", "BE", "FR", "(other)"]),
    value=st.sampled_from([None, 1.5, -2.0]),
    referrer=st.sampled_from([None, "www.google.com", "example.org"]),
    properties=st.sampled_from([None, '{"tags":["a","b","a"]}', '{"tags":["c","d","e"]}', '{"tags":["f",""]}']),
)


class Live:
    """Definitions of each project, changed at will."""

    def __init__(self) -> None:
        self.rules: dict[str, tuple[Defined, ...]] = {project.id: () for project in PROJECTS}

    def of(self, project: str, kind: str) -> tuple[Defined, ...]:
        return self.rules[project] if kind == "rule" else ()


def without(sent: list[Event], of: Of, who: str) -> list[Event]:
    """The events as they would be had somebody never been there."""
    if of == "org":
        return [event for event in sent if event.org != who]
    joined: dict[str, str] = {}
    for event in sent:
        if event.user and event.anonymous:
            joined.setdefault(event.anonymous, event.user)
    user = who if who in {event.user for event in sent} else joined.get(who)
    devices = {each for each, owner in joined.items() if owner == user} | ({who} - {*joined})
    left = []
    for event in sent:
        if event.user == user if event.user else event.anonymous in devices:
            continue
        left.append(msgspec.structs.replace(event, anonymous=None) if event.anonymous in devices else event)
    return left


class KilledError(Exception):
    pass


class WhateverHappens(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "events.db"
        self.store = SqliteStore(self.file)
        self.store.claim()
        self.sent: dict[str, list[Event]] = {project.id: [] for project in PROJECTS}
        self.zones = {project.id: "UTC" for project in PROJECTS}
        self.definitions = Live()
        self.tagging: int | None = 1
        self.write: Callable[[Callable[[], None]], None] = lambda work: work()

    @initialize()
    def start(self) -> None:
        taggers = slow_index.taggers(self.tagging) if self.tagging else ()
        self.indexer = Indexer(
            self.store.index,
            lambda: self.zones,
            self._run,
            taggers=taggers,
            definitions=self.definitions,
        )
        self.indexer.begin()

    def _run(self, work: Callable[[], None]) -> None:
        self.write(work)

    @rule(project=st.sampled_from(PROJECTS), batch=st.lists(events, min_size=1, max_size=12))
    def append(self, project: Any, batch: list[Event]) -> None:
        batch = [msgspec.structs.replace(event) for event in batch]
        self.store.append(Group([Submission(project, batch, 0, Reply(202, b""))]))
        self.sent[project.id] += batch

    @rule(count=st.integers(1, 3))
    def step(self, count: int) -> None:
        for _ in range(count):
            self.indexer.step()

    @rule(after=st.booleans())
    def killed(self, after: bool) -> None:
        def write(work: Callable[[], None]) -> None:
            if after:
                work()
            raise KilledError

        self.write = write
        with contextlib.suppress(KilledError):
            self.indexer.step()
        self.write = lambda work: work()

    @rule(shift=st.sampled_from([-1, 0, 1]), project=st.sampled_from(PROJECTS))
    def marked_in_the_middle(self, shift: int, project: Any) -> None:
        """What a step has read is out of date when it writes."""

        def write(work: Callable[[], None]) -> None:
            self.store.index.mark([(project.id, START // (24 * HOUR) + shift)])
            work()

        self.write = write
        with contextlib.suppress(Conflict):
            self.indexer.step()
        self.write = lambda work: work()

    @rule(version=st.sampled_from([None, 1, 2]))
    def restarted(self, version: int | None) -> None:
        self.tagging = version
        self.start()

    @rule(
        project=st.sampled_from(PROJECTS), name=st.sampled_from(["open", "save"]), number=st.sampled_from(["1", "10"])
    )
    def defined(self, project: Any, name: str, number: str) -> None:
        known = {each.id: each for each in self.definitions.rules[project.id]}
        version = known[number].version + 1 if number in known else 1 + 100 * len(self.sent[project.id])
        known[number] = Defined(id=number, version=version, value=Rule(name), created_at=0, updated_at=0)
        self.definitions.rules[project.id] = tuple(known.values())

    @rule(project=st.sampled_from(PROJECTS))
    def undefined(self, project: Any) -> None:
        self.definitions.rules[project.id] = self.definitions.rules[project.id][1:]

    @rule(project=st.sampled_from(PROJECTS), days=st.lists(st.integers(-1, 6), max_size=3))
    def marked(self, project: Any, days: list[int]) -> None:
        self.store.index.mark([(project.id, START // (24 * HOUR) + day) for day in days])

    @rule(project=st.sampled_from(PROJECTS), zone=st.sampled_from(ZONES))
    def moved(self, project: Any, zone: str) -> None:
        self.zones[project.id] = zone

    @rule(followed=st.integers(0, 2))
    def reset(self, followed: int) -> None:
        self.indexer.reset()
        for _ in range(followed):
            self.indexer.follow()

    @rule(count=st.integers(1, 3))
    def erased_before_it_was_followed(self, count: int) -> None:
        watermark = self.store.index.state().watermark
        gone = sorted(event.sequence for sent in self.sent.values() for event in sent if event.sequence > watermark)[
            :count
        ]
        with contextlib.closing(sqlite3.connect(self.file)) as connection, connection:
            connection.executemany("DELETE FROM event_rows WHERE sequence = ?", [(each,) for each in gone])
        for project, sent in self.sent.items():
            self.sent[project] = [event for event in sent if event.sequence not in gone]

    @rule(project=st.sampled_from(PROJECTS), who=st.sampled_from(["u1", "u2", "a1", "a2", "x", "y"]))
    def erased(self, project: Any, who: str) -> None:
        of: Of = "org" if who in {"x", "y"} else "person"
        work = Work(self.store, self._run, lambda: self.indexer.step() and None, lambda done, total: None)
        _, ids = erase(work, Subject(project.id, of, who))
        self.store.sweep(project.id, sorted(ids), self._run, lambda done, total: None)
        self.sent[project.id] = without(self.sent[project.id], of, who)

    @invariant()
    def looked_at(self) -> None:
        """Who is known then is not read again, and is the same as for somebody who knew nobody."""
        with (
            contextlib.closing(SqliteStore(self.file)) as fresh,
            fresh.reader() as everything,
            self.store.reader() as reader,
        ):
            for project in PROJECTS:
                found, expected = reader.actors(project.id), everything.actors(project.id)
                assert (sorted(found.rows), found.aliases) == (sorted(expected.rows), expected.aliases)

    @rule()
    def compared(self) -> None:
        for _ in range(2000):
            if not any(self.indexer.step()):
                break
        else:
            raise AssertionError("never done")
        self.check()

    def check(self) -> None:
        with self.store.reader() as reader:
            for project in PROJECTS:
                found = slow_index.read(reader, project.id, self.zones[project.id])
                rules = self.definitions.rules[project.id]
                sent = self.sent[project.id]
                expected = slow_index.counted(sent, self.zones[project.id], rules, bool(self.tagging), KEYS_MAX)
                for name in found._fields:
                    assert getattr(found, name) == getattr(expected, name), (name, self.sent, self.zones, rules)
                for environment in (None, *slow_index.ENVIRONMENTS):
                    for between in (slow_sums.EVER, (date(2026, 10, 25), date(2026, 10, 26))):
                        asked = self.zones[project.id], environment, between
                        assert slow_sums.read(reader, project.id, *asked) == slow_sums.counted(sent, *asked)
                if sent and self.tagging:
                    assert reader.tagged(project.id, "tags") == 1
                    for each in rules:
                        assert reader.tagged(project.id, "rule", each.id) == 1

    def teardown(self) -> None:
        self.compared()
        self.indexer.rebuild(lambda done, total: None)
        self.check()
        self.store.close()
        self.folder.cleanup()


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", KEYS_MAX)
    monkeypatch.setattr("saastracker.chunks.CHUNK_ROWS", 3)
    monkeypatch.setattr("saastracker.indexer.STEP_EVENTS", 5)
    monkeypatch.setattr("saastracker.tagging.PROPERTIES_ROWS", 2)


def test_whatever_happens() -> None:
    run_state_machine_as_test(
        WhateverHappens,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
