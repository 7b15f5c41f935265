"""A notice is queued once, and the queue is bounded."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from saastracker import notify
from saastracker.config import load_config
from saastracker.contracts import RecordStore
from saastracker.job import Notice
from saastracker.notify import Notices, Queued
from saastracker.plugins import Plugins
from saastracker.records import HOUR_MS
from saastracker.testing.opened import in_threads
from saastracker.upkeep import NOTICES_KEPT_MS


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordStore]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    with closing(Plugins(load_config(None, tmp_path)).open_records()) as store:
        yield store


def notice(key: str, project: str = "p1", text: str = "") -> Notice:
    return Notice(project=project, key=key, title=f"About {key}", text=text)


def waiting(notices: Notices) -> list[Queued]:
    return [noted.queued for noted in notices.all()]


def test_a_notice_is_queued_once_by_job_project_and_key(store: RecordStore) -> None:
    notices = Notices(store)
    assert notices.add("goals", [notice("a"), notice("a"), notice("a", "p2")], now=1) == 2
    assert notices.add("goals", [notice("a", text="again"), notice("b")], now=2) == 1
    assert notices.add("signals", [notice("a")], now=3) == 1
    assert notices.add("goals", [], now=4) == 0
    assert [(each.at, each.job, each.notice.project, each.notice.key) for each in waiting(notices)] == [
        (1, "goals", "p1", "a"),
        (1, "goals", "p2", "a"),
        (2, "goals", "p1", "b"),
        (3, "signals", "p1", "a"),
    ]


def test_the_oldest_give_way(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "QUEUE_MAX", 3)
    notices = Notices(store)
    notices.add("goals", [notice("a"), notice("b")], now=1)
    notices.add("goals", [notice("c"), notice("d")], now=2)
    assert [each.notice.key for each in waiting(notices)] == ["b", "c", "d"]
    notices.add("goals", [notice(key) for key in "defghi"], now=3)
    assert [each.notice.key for each in waiting(notices)] == ["d", "e", "f", "g", "h", "i"]


def test_what_goes_on_is_told_once_however_much_it_is(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As signals of thousands of organizations, handed in every day while they last, the urgent ones first."""
    monkeypatch.setattr(notify, "QUEUE_MAX", 3)
    notices, told = Notices(store), []
    for day, keys in enumerate(("abcdef", "xabcdef", "yxabcde", "zy", "zyx")):
        told.append(notices.add("signals", [notice(key) for key in keys], now=day))
    assert told == [6, 1, 1, 1, 0]
    assert [each.notice.key for each in waiting(notices)] == ["x", "y", "z"]
    monkeypatch.setattr(notify, "ADDED_MAX", 2)
    assert notices.add("others", [notice(key) for key in "123"], now=9) == 2
    assert [each.notice.key for each in waiting(notices)][-2:] == ["1", "2"]


def test_long_texts_are_cut(store: RecordStore) -> None:
    notices = Notices(store)
    notices.add("goals", [notice("k" * 10_000, text="x" * 10_000)], now=1)
    assert notices.add("goals", [notice("k" * 10_000)], now=1) == 0
    [queued] = waiting(notices)
    assert (len(queued.notice.title), len(queued.notice.text)) == (200, 4000)


def test_old_ones_are_removed(store: RecordStore) -> None:
    notices = Notices(store)
    for now in (1, 2, 3):
        notices.add("goals", [notice(f"at {now}")], now=now)
    notices.expire(3)
    assert [each.at for each in waiting(notices)] == [3]
    notices.expire(3)


def test_what_goes_on_for_months_is_told_once(store: RecordStore) -> None:
    notices, day = Notices(store), 24 * HOUR_MS
    told = 0
    for today in range(150):
        told += notices.add("signals", [notice("a")], now=today * day)
        notices.expire(today * day - NOTICES_KEPT_MS)
    assert told == 1
    notices.expire(149 * day)
    assert waiting(notices) == []


def test_none_is_lost_between_threads(store: RecordStore) -> None:
    notices = Notices(store)
    added: list[int] = []

    def add() -> None:
        added.extend(notices.add("goals", [notice(f"{number}")], now=1) for number in range(10))

    assert in_threads([add, add]) == []
    assert (sum(added), len(waiting(notices))) == (10, 10)
