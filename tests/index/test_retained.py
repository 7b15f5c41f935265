"""Whatever happens, what was first seen before the days that are kept is known, also after the index is made again."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from saastracker.contracts import Group, Submission
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.retention import erase_day
from saastracker.testing import OTHER_PROJECT, PROJECT, InMemoryDefinitions
from saastracker.wire import Reply
from saastracker_sqlite.store import SqliteStore
from tests.index import slow_index
from tests.index.slow_index import Rule
from tests.indexed import DAY, HOUR, at

ZONE = "Europe/Amsterdam"
START = at("2026-10-22 00:00", ZONE)  # the clocks change on the fourth day
FIRST = at("2026-10-22 12:00") // DAY  # as a local day
DAYS = 8

events = st.builds(
    Event,
    name=st.sampled_from(["open", "save"]),
    user=st.sampled_from([None, "u1", "u2", "u3"]),
    anonymous=st.sampled_from([None, "a1", "a2"]),
    org=st.sampled_from([None, "x"]),
    session=st.sampled_from([None, "s1"]),
    time=st.integers(0, DAYS * 24 - 1).map(lambda hour: START + hour * HOUR),
    country=st.sampled_from(["DE", "NL"]),
    properties=st.sampled_from([None, '{"tags":["a","b"]}']),
)


class Retained(RuleBasedStateMachine):
    """Days go from the oldest on, and nothing comes for them any more."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = SqliteStore(Path(self.folder.name) / "events.db")
        self.store.claim()
        self.ever: list[Event] = []  # in the order in which they came
        self.others: list[Event] = []  # of a project that keeps all
        self.kept_from = FIRST
        self.version = 1

    @initialize()
    def start(self) -> None:
        self.indexer = Indexer(
            self.store.index,
            lambda: {PROJECT.id: ZONE, OTHER_PROJECT.id: ZONE},
            lambda work: work(),
            taggers=slow_index.taggers(self.version),
            definitions=InMemoryDefinitions({"rule": [Rule("open")]}),
        )
        self.indexer.begin()

    @rule(batch=st.lists(events, min_size=1, max_size=10), other=st.booleans())
    def append(self, batch: list[Event], other: bool) -> None:
        sent = [msgspec.structs.replace(each) for each in batch]
        if not other:
            sent = [each for each in sent if slow_index.day(each, ZONE) >= self.kept_from]
        project = OTHER_PROJECT if other else PROJECT
        self.store.append(Group([Submission(project, sent, 0, Reply(202, b""))]))
        (self.others if other else self.ever).extend(sent)

    @rule(count=st.integers(1, 3))
    def step(self, count: int) -> None:
        for _ in range(count):
            self.indexer.step()

    @rule(days=st.integers(1, 3))
    def a_night_later(self, days: int) -> None:
        self.caught_up()  # what has not come into the index yet stays until the next night
        for _ in range(days if self.ever else 0):
            erase_day(
                self.store,
                PROJECT.id,
                self.kept_from,
                lambda work: work(),
                lambda: self.indexer.step() and None,
                lambda _: None,
            )
            self.kept_from += 1
        self.store.sweep("", (), lambda work: work(), lambda _done, _total: None)

    @rule(followed=st.integers(0, 2))
    def made_again(self, followed: int) -> None:
        self.indexer.reset()
        for _ in range(followed):
            self.indexer.follow()

    @rule()
    def compared(self) -> None:
        self.caught_up()
        self.check()

    def caught_up(self) -> None:
        while any(self.indexer.step()):
            pass

    def check(self) -> None:
        left = [each for each in self.ever if slow_index.day(each, ZONE) >= self.kept_from]
        with self.store.reader() as reader:
            for project, ever, kept in ((PROJECT, self.ever, left), (OTHER_PROJECT, self.others, self.others)):
                actors = reader.actors(project.id)
                texts = reader.texts([code for row in actors.rows for code in row[2:4]])
                found = {(row[1], texts.get(row[2]), texts.get(row[3])): tuple(row[4:]) for row in actors.rows}
                assert found == firsts(ever)
                codes = [code for pair in actors.aliases.items() for code in pair]
                names = reader.texts(codes)
                assert {names[each]: names[user] for each, user in actors.aliases.items()} == joined(ever)
                tags = {each.key: (each.first, each.last) for each in reader.seen(project.id, "tags")}
                tagged = [each.time or 0 for each in ever if each.properties]
                assert tags == (dict.fromkeys(("a", "b"), (min(tagged), max(tagged))) if tagged else {})
                cells = reader.days(project.id, "all", 0, 100_000)
                assert sum(each.cell.events for each in cells) == len(kept)

    def teardown(self) -> None:
        self.compared()
        self.indexer.rebuild(lambda _done, _total: None)
        self.compared()
        self.store.close()
        self.folder.cleanup()


def firsts(ever: list[Event]) -> dict[Any, tuple[int, int]]:
    """When each pair of person and organization was first and last there."""
    found: dict[Any, tuple[int, int]] = {}
    for each in ever:
        key = (int(not each.user and each.anonymous is not None), each.user or each.anonymous, each.org)
        if key[1] or key[2]:
            first, last = found.get(key, (each.time or 0, each.time or 0))
            found[key] = min(first, each.time or 0), max(last, each.time or 0)
    return found


def joined(ever: list[Event]) -> dict[str, str]:
    """The first user of each anonymous id."""
    found: dict[str, str] = {}
    for each in ever:
        if each.user and each.anonymous:
            found.setdefault(each.anonymous, each.user)
    return found


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.indexer.STEP_EVENTS", 5)


def test_what_was_first_seen_before_stays_known() -> None:
    run_state_machine_as_test(
        Retained,
        settings=settings(
            max_examples=5, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
