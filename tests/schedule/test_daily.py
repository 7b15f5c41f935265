"""Daily jobs by the clocks of the server and of projects, also on days on which those change."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.config import load_config
from saastracker.contracts import RecordStore
from saastracker.daily import DailyTrigger, last_time, next_time
from saastracker.errors import OperatorError
from saastracker.facts import Facts
from saastracker.job import Daily, JobContext, Notice
from saastracker.job_runs import JobRuns, Run
from saastracker.records import HOUR_MS, now_ms
from saastracker.timing import JITTER_SECONDS
from tests.schedule.conftest import Make, ended, job, run

NIGHT = Daily(hour=2, minute=40)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "after", "times"),
    [
        # Clocks leap from 2:00 to 3:00: 2:40 is a moment at which they show 3:40.
        ("Europe/Berlin", "2026-03-28 00:00", ["2026-03-28 01:40", "2026-03-29 01:40", "2026-03-30 00:40"]),
        # Clocks go back from 3:00 to 2:00: of two times 2:40 the first.
        ("Europe/Berlin", "2026-10-24 00:00", ["2026-10-24 00:40", "2026-10-25 00:40", "2026-10-26 01:40"]),
        ("America/New_York", "2026-03-07 12:00", ["2026-03-08 07:40", "2026-03-09 06:40"]),
        # Samoa had no 30 December 2011.
        ("Pacific/Apia", "2011-12-29 00:00", ["2011-12-29 12:40", "2011-12-30 12:40", "2011-12-31 12:40"]),
    ],
)
def test_each_local_day_has_its_time_once(zone: str, after: str, times: list[str]) -> None:
    found, now = [], at(after)
    for _ in times:
        now = next_time(NIGHT, zone, now)
        found.append(f"{now:%Y-%m-%d %H:%M}")
        assert last_time(NIGHT, zone, now) == now
    assert found == times


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    st.builds(Daily, hour=st.integers(0, 23), minute=st.integers(0, 59)),
)
def test_the_next_is_the_first_that_is_not_over(zone: str, now: datetime, daily: Daily) -> None:
    following, before = next_time(daily, zone, now), last_time(daily, zone, now)
    assert before <= now < following
    assert next_time(daily, zone, before) == following
    assert following - before <= timedelta(hours=26)
    local = following.astimezone(ZoneInfo(zone))
    leapt = (following - timedelta(hours=2)).astimezone(ZoneInfo(zone)).utcoffset() != local.utcoffset()
    assert (local.hour, local.minute) == (daily.hour, daily.minute) or leapt


def test_a_trigger_fires_in_the_first_of_its_zones() -> None:
    zones = {"Asia/Tokyo"}
    trigger = DailyTrigger(Daily(hour=6), lambda: zones, JITTER_SECONDS)
    now = at("2026-05-06 12:00")
    fires = []
    for _ in range(3):
        now = trigger.get_next_fire_time(now, now)
        assert now.minute < 2
        fires.append(f"{now:%d %H}")
        zones.add("America/New_York")  # from now on 6:00 comes there, too, at 10:00 UTC
    assert fires == ["06 21", "07 10", "07 21"]


def test_nightly_jobs_run_by_the_servers_clock(make: Make) -> None:
    scheduler = make(job(trigger=Daily(hour=2, minute=40)), timezone="Asia/Kathmandu")  # 5:45 ahead of UTC
    scheduler.start()
    following = scheduler.states()[0].next_run
    assert following is not None
    assert 0 <= (following - (20 * 60 + 55) * 60_000) % (24 * HOUR_MS) <= (JITTER_SECONDS + 1) * 1000


def test_each_project_has_its_own_time(make: Make, facts: Facts, records: RecordStore) -> None:
    """Now it is 6 o'clock in one zone, and was or will be in others."""
    workspace = facts.default_workspace().id
    now = datetime.now(UTC)
    early, late = (facts.add_project(f"Zone {hours}", workspace, timezone=f"Etc/GMT{hours:+}").id for hours in (0, -6))
    given: list[list[str]] = []

    def work(context: JobContext) -> Sequence[Notice]:
        given.append([project.id for project in context.projects])
        return ()

    passed = now - timedelta(hours=3)  # it was this time 3 h ago for one, and 9 h ago for the other
    each = Daily(hour=passed.hour, minute=passed.minute, each_project=True)
    for hours_ago, expected in ((2, []), (5, [early]), (10, [early, late])):
        JobRuns(records).expire(now_ms() + 1)
        JobRuns(records).add("work", Run(started_at=now_ms() - hours_ago * HOUR_MS, seconds=1, result="done"))
        scheduler = make(job(work, trigger=each))
        scheduler.start()
        if expected:
            ended(scheduler, count=2)
            assert given.pop() == expected
        assert given == []
        following = scheduler.states()[0].next_run
        assert following is not None
        assert 14 <= (following - now_ms()) / HOUR_MS <= 15.1  # for the one who is ahead
        scheduler.stop()
    assert run(make(job(work, trigger=each))).result == "done"
    assert given == [[early, late]]  # who asks is given all


def test_an_unknown_zone_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[scheduler]\ntimezone = "Berlin"\n')
    with pytest.raises(OperatorError, match="scheduler: timezone: found 'Berlin'; use a name such as"):
        load_config(file, tmp_path)
