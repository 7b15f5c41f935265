"""Usage follows what is committed, and budgets are held against it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from saastracker.config import load_config
from saastracker.contracts import Group, RecordStore, Store, Submission
from saastracker.event import Event
from saastracker.months import month_of
from saastracker.plugins import Plugins
from saastracker.quota import Usage
from saastracker.records import Snapshot, Workspace
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.wire import Policy, Reply


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


SECOND = msgspec.structs.replace(PROJECT, id="another of the same workspace")
NOVEMBER, DECEMBER = ms(2026, 11, 30, 23, 59, 59), ms(2026, 12, 1)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[RecordStore, Store]]:
    plugins = Plugins(load_config(None, tmp_path))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    yield records, store
    store.close()
    records.close()


def sent(at: int, count: int, *, project: object = PROJECT, ids: str = "") -> Submission:
    events = [
        Event(name="x", time=at, received_at=at, id=(ids + str(number)).encode().ljust(16) if ids else None)
        for number in range(count)
    ]
    return Submission(PROJECT if project is PROJECT else OTHER_PROJECT, events, at, Reply(202, b""))


def commit(stores: tuple[RecordStore, Store], usage: Usage, *submissions: Submission) -> None:
    usage.committed(stores[1].append(Group(submissions)))


def test_it_counts_what_the_store_counts(stores: tuple[RecordStore, Store]) -> None:
    usage = Usage(stores[0], Snapshot, NOVEMBER)
    commit(stores, usage, sent(NOVEMBER, 3, ids="a"), sent(NOVEMBER, 2, project=OTHER_PROJECT))
    commit(stores, usage, sent(NOVEMBER, 3, ids="a"), sent(NOVEMBER, 1))  # the three are repeats
    assert usage.used([PROJECT.id], "2026-11") == 4
    assert usage.used([PROJECT.id, OTHER_PROJECT.id], "2026-11") == 6
    assert stores[0].usage("2026-11") == {PROJECT.id: 4, OTHER_PROJECT.id: 2}
    assert Usage(stores[0], Snapshot, NOVEMBER).used([PROJECT.id], "2026-11") == 4


def test_a_new_month_begins_at_nothing(stores: tuple[RecordStore, Store]) -> None:
    usage = Usage(stores[0], Snapshot, NOVEMBER)
    commit(stores, usage, sent(NOVEMBER, 3))
    commit(stores, usage, sent(DECEMBER, 2))
    assert usage.used([PROJECT.id], "2026-12") == 2
    commit(stores, usage, sent(NOVEMBER, 1))  # what was received before midnight and committed after it
    assert usage.used([PROJECT.id], "2026-12") == 2
    assert usage.used([PROJECT.id], "2026-11") == 4
    assert stores[0].usage("2026-11") == {PROJECT.id: 4}
    assert stores[0].usage("2026-12") == {PROJECT.id: 2}


def test_months() -> None:
    assert month_of(NOVEMBER) == "2026-11"
    assert month_of(DECEMBER) == "2026-12"


def limited(budget: int, policy: Policy | None = "drop") -> Snapshot:
    workspace = Workspace(id=PROJECT.workspace, name="Shops", budget=budget, policy=policy)
    projects = {each.id: each for each in (PROJECT, SECOND, OTHER_PROJECT)}
    return Snapshot(workspaces={workspace.id: workspace}, projects=projects)


def asked(count: int, at: int = NOVEMBER, habit: Policy | None = "accept", **more: str) -> Submission:
    return msgspec.structs.replace(sent(at, count, **more), over_budget=habit)


@pytest.mark.parametrize(
    ("policy", "habit", "dropped"),
    [
        ("drop", "accept", True),
        ("drop", "drop", True),
        ("accept", "drop", False),
        (None, "drop", True),
        (None, "accept", False),
        ("drop", None, False),  # what a command hands over
    ],
)
def test_policies(
    stores: tuple[RecordStore, Store], policy: Policy | None, habit: Policy | None, *, dropped: bool
) -> None:
    facts = limited(3, policy)
    usage = Usage(stores[0], lambda: facts, NOVEMBER)
    commit(stores, usage, *usage.admit([asked(3, habit=habit)]))
    late = asked(1, habit=habit)
    assert usage.admit([late]) == ([] if dropped else [late])
    assert late.dropped is dropped


def test_a_group_that_may_cross_a_budget_is_told(stores: tuple[RecordStore, Store]) -> None:
    facts = limited(10)
    usage = Usage(stores[0], lambda: facts, NOVEMBER)
    assert not usage.crosses([asked(4), asked(5)])
    assert not usage.crosses([asked(4), asked(6)])
    assert usage.crosses([asked(4), asked(6), asked(1)])
    assert usage.crosses([asked(4), sent(NOVEMBER, 6), asked(1)])  # what a command hands over is used, too
    assert not usage.crosses([asked(4), asked(6), sent(NOVEMBER, 1)])
    assert not usage.crosses([asked(9), asked(9, DECEMBER)])  # each month has its own
    assert not usage.crosses([sent(NOVEMBER, 20)])
    usage.committed({(SECOND.id, "2026-11"): 8})
    assert usage.crosses([asked(2), asked(1)])  # the projects of a workspace share it
    usage.committed({(SECOND.id, "2026-11"): 10})
    assert not usage.crosses([asked(2), asked(1)])  # all are dropped: they may go together
    facts = limited(20)
    assert usage.crosses([asked(10), asked(1)])
    assert usage.admit([asked(1)])
