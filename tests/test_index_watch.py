"""An index that fails or stands still is told of once, until it is well again."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from saastracker.alarms import Alarms
from saastracker.facts import Facts
from saastracker.following import IndexProgress
from saastracker.index_watch import FAILING_SECONDS, LOOK_SECONDS, NAME, STILL_SECONDS, IndexWatch
from saastracker.notify import Notices
from saastracker.secrets import Secrets
from saastracker_sqlite.records import SqliteRecords

WELL = IndexProgress(doing="following", step_seconds=0.1, done=100, newest=100)
FAILING = IndexProgress(doing="failing", error="KeyError: 7", done=100, newest=120)
STILL = IndexProgress(doing="following", step_seconds=0.1, done=100, newest=120)


class Watched:
    """An index that is looked at once a minute."""

    def __init__(self, folder: Path) -> None:
        self.records = SqliteRecords(folder / "saastracker.db")
        self.facts = Facts(self.records, Secrets.open(folder))
        self.workspace = self.facts.default_workspace().id
        self.alarms = Alarms(self.records, self.facts)
        self.now = 1000.0
        self.progress = WELL
        self.restart()

    def restart(self) -> None:
        self.watch = IndexWatch(lambda: self.progress, self.alarms, lambda: self.now)

    def look(self, progress: IndexProgress, seconds: float = LOOK_SECONDS) -> list[str]:
        """Look for some time; what was told until then."""
        self.progress = progress
        for _ in range(int(seconds / LOOK_SECONDS)):
            self.now += LOOK_SECONDS
            self.watch.look()
        return [noted.queued.notice.title for noted in Notices(self.records).all()]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    found = Watched(tmp_path)
    yield found
    found.records.close()


def test_a_failing_index_is_told_of_once_until_it_is_well(watched: Watched) -> None:
    assert watched.look(FAILING, FAILING_SECONDS) == []  # the next try may do
    assert watched.look(WELL) == []
    assert watched.look(FAILING, FAILING_SECONDS + LOOK_SECONDS) == ["The index fails"]
    assert watched.look(FAILING, 10 * FAILING_SECONDS) == ["The index fails"]
    [noted] = Notices(watched.records).all()
    assert noted.queued.notice.text.startswith("KeyError: 7\nReports lack")
    assert (noted.queued.job, noted.queued.notice.workspace) == ("failures", watched.workspace)
    assert watched.alarms.since(NAME) is not None
    watched.look(WELL)
    assert watched.alarms.since(NAME) is None
    assert watched.look(FAILING, 2 * FAILING_SECONDS) == ["The index fails"] * 2


def test_a_restart_tells_nothing_again(watched: Watched) -> None:
    watched.look(FAILING, 2 * FAILING_SECONDS)
    watched.restart()
    begun = IndexProgress(doing="following", done=100, newest=120)  # before its first step
    assert watched.look(begun) == ["The index fails"]
    assert watched.look(FAILING, 2 * FAILING_SECONDS) == ["The index fails"]


def test_one_that_stands_still_is_told_of(watched: Watched) -> None:
    watched.look(WELL)
    assert watched.look(STILL, STILL_SECONDS - LOOK_SECONDS) == []
    assert watched.look(STILL, 2 * LOOK_SECONDS) == ["The index stands still"]
    watched.look(msgspec.structs.replace(STILL, done=101))
    assert watched.alarms.since(NAME) is None


def test_one_that_is_slow_is_not(watched: Watched) -> None:
    for done in range(60):
        assert watched.look(msgspec.structs.replace(STILL, done=done)) == []


@pytest.mark.parametrize("doing", ["elsewhere", "waiting", "rebuilding"])
def test_what_does_not_follow_is_left_alone(watched: Watched, doing: str) -> None:
    other = IndexProgress(doing=doing, newest=100)  # type: ignore[arg-type]
    assert watched.look(other, 2 * STILL_SECONDS) == []
    watched.look(FAILING, 2 * FAILING_SECONDS)
    watched.look(other)
    assert watched.alarms.since(NAME) is not None  # whether it is well is not known
