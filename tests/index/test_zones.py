"""A project that gets another time zone gets its days anew."""

from pathlib import Path

import msgspec
import pytest

from saastracker.contracts import Group, Submission
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.wire import Reply
from saastracker_sqlite.store import SqliteStore
from tests.index import slow_index
from tests.indexed import HOUR, at


def event(time: int, session: str = "s") -> Event:
    return Event(name="open", time=time, user="u1", session=session, value=1.0)


@pytest.mark.parametrize(("before", "after"), [("Etc/GMT+12", "Pacific/Kiritimati"), ("Pacific/Kiritimati", "UTC")])
def test_days_are_those_of_the_new_zone(tmp_path: Path, before: str, after: str) -> None:
    store = SqliteStore(tmp_path / "events.db")
    store.claim()
    zones = {PROJECT.id: before, OTHER_PROJECT.id: "UTC"}
    indexer = Indexer(store.index, lambda: zones, lambda work: work(), taggers=slow_index.taggers(1))
    indexer.begin()
    sent = [event(at("2026-10-24 00:00") + hour * HOUR, f"s{hour // 30}") for hour in range(0, 90, 5)]
    others = [msgspec.structs.replace(each) for each in sent[:9]]
    store.append(Group([Submission(PROJECT, sent[:9], 0, Reply(202, b""))]))
    store.append(Group([Submission(OTHER_PROJECT, others, 0, Reply(202, b""))]))
    assert indexer.step().events == 18
    untouched = slow_index.counted(others, "UTC", (), True, 100).cells
    zones[PROJECT.id] = after
    store.append(Group([Submission(PROJECT, sent[9:], 0, Reply(202, b""))]))
    assert indexer.step() == (9, True)  # new events first, by the new zone
    while any(indexer.step()):
        assert all(project == PROJECT.id for project, _ in store.index.state().dirty)
    with store.reader() as reader:
        assert slow_index.read(reader, PROJECT.id, after) == slow_index.counted(sent, after, (), True, 100)
        assert slow_index.read(reader, OTHER_PROJECT.id, "UTC").cells == untouched
    del zones[PROJECT.id]  # a project that is gone stays as it is
    assert indexer.step() == (0, False)
    store.close()
