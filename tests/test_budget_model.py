"""Budgets are exact: the writer stores and drops what a slow model does, whatever comes, fails and changes between.

The model: in the order of arrival, a request that finds less used than the budget is stored whole, the next is dropped.
"""

import asyncio
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saastracker import writer as writer_module
from saastracker.contracts import Group, Store, Submission
from saastracker.errors import Invalid, Unavailable
from saastracker.event import Event
from saastracker.quota import Usage
from saastracker.records import Snapshot, Workspace
from saastracker.wire import Policy, Project, Reply
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.store import SqliteStore
from tests.writing import outcomes, writing

WORKSPACE_OF = {"a": "one", "b": "one", "c": "two"}
PROJECTS = {name: Project(id=name, slug=name, name=name, workspace=of) for name, of in WORKSPACE_OF.items()}
NOVEMBER, DECEMBER = (int(datetime(2026, month, 1, tzinfo=UTC).timestamp() * 1000) for month in (11, 12))
Outcome = Literal["dropped", "answered", "invalid"]
MONTHS = {DECEMBER - 1: "2026-11", DECEMBER: "2026-12"}  # by the moments at which requests come


class Sent(msgspec.Struct, frozen=True):
    """One request."""

    project: str
    at: int
    habit: Policy | None
    ids: tuple[int | None, ...]  # of its events, from a few so that there are duplicates
    key: int | None = None  # its Idempotency-Key
    broken: bool = False  # the store cannot hold one of its events

    def submission(self) -> Submission:
        events = [
            Event(name="x", time=self.at, received_at=self.at, id=None if one is None else one.to_bytes(16))
            for one in self.ids
        ]
        if self.broken:
            events.append(Event(name="\ud800", time=self.at, received_at=self.at))
        key = None if self.key is None else f"{self.project}{self.key}".encode().ljust(16)
        return Submission(PROJECTS[self.project], events, self.at, Reply(202, b""), key, self.habit)


class Limit(msgspec.Struct, frozen=True):
    """A workspace gets another budget, of so many more than it used in a month, and another policy."""

    workspace: str
    month: str
    more: int | None  # None: it gets none
    policy: Policy | None


class Model:
    """Slow and plain."""

    def __init__(self) -> None:
        self.places = {name: Workspace(id=name, name=name) for name in ("one", "two")}
        self.used: Counter[tuple[str, str]] = Counter()  # by project and month
        self.ids: defaultdict[str, set[int]] = defaultdict(set)
        self.keys: set[tuple[str, int]] = set()

    def expect(self, sent: Sent, *, refused: bool) -> Outcome:
        """What becomes of the request that came next; one that is `refused`, as the disk was full, changes nothing."""
        place, month = self.places[WORKSPACE_OF[sent.project]], MONTHS[sent.at]
        drops = sent.habit is not None and (place.policy or sent.habit) == "drop"
        if drops and place.budget is not None and self.used_by(place.id, month) >= place.budget:
            return "dropped"
        if sent.key is not None and (sent.project, sent.key) in self.keys:
            return "answered"  # as the first was
        if sent.broken:
            return "invalid"
        if not refused:
            self._store(sent, month)
        return "answered"

    def limit(self, limit: Limit) -> None:
        place = self.places[limit.workspace]
        budget = None if limit.more is None else self.used_by(limit.workspace, limit.month) + limit.more
        self.places[limit.workspace] = msgspec.structs.replace(place, budget=budget, policy=limit.policy)

    def used_by(self, workspace: str, month: str) -> int:
        return sum(self.used[project, month] for project, of in WORKSPACE_OF.items() if of == workspace)

    def _store(self, sent: Sent, month: str) -> None:
        if sent.key is not None:
            self.keys.add((sent.project, sent.key))
        for one in sent.ids:
            if one is None or one not in self.ids[sent.project]:
                self.used[sent.project, month] += 1
            if one is not None:
                self.ids[sent.project].add(one)


class FullDisk:
    """Refuses some of the groups, as a disk does that is full for a while."""

    def __init__(self, store: Store, refused: Sequence[bool]) -> None:
        self._store = store
        self._refused: Iterator[bool] = iter(refused)

    def append(self, group: Group) -> Mapping[tuple[str, str], int]:
        refuses = next(self._refused, False) if group.submissions else False
        if refuses:
            raise Unavailable("The disk is full.")
        return self._store.append(group)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


_sent = st.builds(
    Sent,
    project=st.sampled_from("aabbc"),
    at=st.sampled_from(list(MONTHS)),
    habit=st.sampled_from(["drop"] * 6 + ["accept", None]),
    ids=st.lists(st.none() | st.integers(0, 9), max_size=4).map(tuple),
    key=st.sampled_from([None] * 6 + [0, 1]),
    broken=st.sampled_from([False] * 19 + [True]),
)
_limit = st.builds(
    Limit,
    workspace=st.sampled_from(["one", "two"]),
    month=st.sampled_from(list(MONTHS.values())),
    more=st.sampled_from([None, *range(12)]),
    policy=st.sampled_from(["drop", "drop", None, "accept"]),
)
_steps = st.lists(st.tuples(_limit, st.lists(_sent, min_size=1, max_size=12)), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to begin with: making one takes most of a try's time."""
    path = tmp_path_factory.mktemp("empty") / "events.db"
    with closing(SqliteRecords(path)), closing(SqliteStore(path)):
        pass
    return path


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps, refused=st.lists(st.sampled_from([False, False, True]), max_size=8), most=st.integers(2, 40))
def test_the_writer_does_what_the_model_does(
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[tuple[Limit, list[Sent]]],
    refused: list[bool],
    most: int,
) -> None:
    folder = tmp_path_factory.mktemp("tried")
    shutil.copy(empty, folder)
    monkeypatch.setattr(writer_module, "GROUP_EVENTS", most)  # so that what comes at once makes several groups
    asyncio.run(_try(folder, steps, refused))


async def _try(folder: Path, steps: list[tuple[Limit, list[Sent]]], refused: list[bool]) -> None:
    model = Model()
    facts = Snapshot(projects=PROJECTS, workspaces=model.places)

    def guarded(store: Store) -> Store:
        return cast("Store", FullDisk(store, refused))

    async with writing(folder, snapshot=lambda: facts, guarded=guarded) as running:
        for limit, requests in steps:
            model.limit(limit)
            facts = Snapshot(projects=PROJECTS, workspaces=dict(model.places))
            submissions = [sent.submission() for sent in requests]
            answers = await outcomes([running.writer.submit(each, 1) for each in submissions])
            for sent, submission, answer in zip(requests, submissions, answers, strict=True):
                refusal = isinstance(answer, Unavailable)
                expected = model.expect(sent, refused=refusal)
                if not refusal:  # of a refused group clients are told nothing else
                    invalid = isinstance(answer, Invalid)
                    found = "dropped" if submission.dropped else "invalid" if invalid else "answered"
                    assert (found, answer is None) == (expected, not invalid), (sent, answer)
    with closing(SqliteRecords(folder / "events.db")) as records, closing(SqliteStore(folder / "events.db")) as store:
        for month in MONTHS.values():
            used = {project: count for (project, of), count in model.used.items() if of == month and count}
            assert records.usage(month) == used
            again = Usage(records, lambda: facts, NOVEMBER if month == "2026-11" else DECEMBER)
            assert {each: again.used([each], month) for each in PROJECTS} == {
                each: used.get(each, 0) for each in PROJECTS
            }
        assert len(store.read_after(0, 10_000)) == sum(model.used.values())
