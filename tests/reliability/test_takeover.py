"""One server of several on a store runs the jobs; when it is killed, the next takes over and makes up for the pause."""

import time
from contextlib import closing
from pathlib import Path

import httpx

from saastracker.job_runs import JobRuns, Run
from saastracker.records import HOUR_MS, now_ms
from saastracker_sqlite.records import SqliteRecords
from tests.reliability.conftest import Start
from tests.reliability.load import Keys, Load, stored
from tests.reliability.test_processes import command
from tests.serving import Server

JOB = "expire"  # runs once a day
SOON = 20  # seconds


def runs(data: Path) -> tuple[Run, ...]:
    with closing(SqliteRecords(data / "saastracker.db")) as records:
        return JobRuns(records).all().get(JOB, ())


def last_ran(data: Path, hours_ago: int) -> None:
    with closing(SqliteRecords(data / "saastracker.db")) as records:
        JobRuns(records).expire(now_ms())
        JobRuns(records).add(JOB, Run(started_at=now_ms() - hours_ago * HOUR_MS, seconds=1, result="done"))


def wait_for_runs(server: Server, count: int) -> None:
    end = time.monotonic() + SOON
    while len(runs(server.data)) < count:
        assert time.monotonic() < end, server.output
        time.sleep(0.05)


def test_the_next_server_takes_over_from_one_that_was_killed(
    start: Start, folder: Path, keys: Keys, token: str
) -> None:
    last_ran(folder / "data", hours_ago=1)  # and midnight may have been since
    first = start()
    load = Load(keys)
    with load.running(first.url):
        second = command(folder / "data", "serve", "--port", "0")
        assert (second.returncode, f"kill {first.pid}" in second.stderr) == (1, True)
        first.kill()
    last_ran(folder / "data", hours_ago=49)  # two days pass
    other = start()
    wait_for_runs(other, 2)
    load.finish(other.url)
    assert load.acknowledged <= stored(folder / "data").keys()
    headers = {"authorization": f"Bearer {token}"}
    end = time.monotonic() + SOON
    while True:  # it follows the index, too
        figures = httpx.get(f"{other.url}/p/shop/home.json", headers=headers, timeout=SOON).json()["blocks"]
        totals = next(block for block in figures if block["key"] == "totals")["figures"]
        if next(each["value"] for each in totals if each["key"] == "events") >= 1:
            break
        assert time.monotonic() < end, other.output
        time.sleep(0.1)
    assert other.stop() == 0
    assert [run.result for run in runs(folder / "data")] == ["done", "done"]  # made up for once
