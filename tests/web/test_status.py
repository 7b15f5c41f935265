"""The page Status and its twin: how the server is, for admins, and nothing of other workspaces' projects."""

import time

import msgspec
import pytest

from saastracker.backups import Backup
from saastracker.following import BackFill
from saastracker.job_runs import JobRuns, Run

from .conftest import NOW, STATUS, Flag, Running
from .settling import look
from .test_sign_in import join

STATUS_PAGE, STATUS_TWIN = "/settings/status", "/api/v1/status"


def serving(running: Running, **changed: object) -> None:
    """The server is as STATUS says, but for what is `changed`."""
    told = msgspec.structs.replace(STATUS, **changed)
    object.__setattr__(running.site, "status", lambda: told)


def test_the_twin_tells_how_the_server_is(running: Running) -> None:
    answer = running.get(STATUS_TWIN, token=running.token("admin")).json()
    assert answer["version"] == "1.2.3"
    assert answer["store"] == "ok"
    assert answer["started_at"] == "2026-11-18T03:00:00.000Z"
    assert answer["queue"] == {"events": 12, "most": 5000, "seconds": 0.25}
    # 600 + 0 + 1800 events in three minutes are 2400 in 180 s.
    assert answer["stored"] == {"per_second": 13.333, "per_minute": [600, 0, 1800]}
    assert answer["disk"] == {"database": 3 * 2**30, "free": 50 * 2**30, "daily": 2**30, "days_left": 50}
    assert answer["index"]["seconds_behind"] == 1.5
    assert answer["index"]["events_behind"] == 50
    assert answer["messages"] == {"waiting": 3, "oldest_at": "2026-11-21T02:59:00.000Z", "failed": 1}
    assert answer["failed_jobs"] == []


def test_the_page_says_it_in_words(running: Running) -> None:
    page = look(running, STATUS_PAGE, join(running, role="admin")).text
    for text in (
        "takes events",
        "13.3",
        "3.22 GB",
        "53.7 GB free",
        "1 message not sent",
        "1.2.3",
        "3.0 d",
        "full in 50 days",
    ):
        assert text in page, text


def test_an_index_that_is_not_well_says_so(running: Running) -> None:
    index = msgspec.structs.replace(STATUS.index, doing="failing", error="KeyError: 4711")
    serving(running, index=index, index_told_at=NOW - 3_600_000)
    page = look(running, STATUS_PAGE, join(running, role="admin")).text
    assert "The index is not well" in page
    assert "KeyError: 4711" in page
    twin = running.get(STATUS_TWIN, token=running.token("admin")).json()["index"]
    assert (twin["told_at"], twin["error"]) == ("2026-11-21T02:00:00.000Z", "KeyError: 4711")


def test_backups_are_told_of(running: Running) -> None:
    cookies, token = join(running, role="admin"), running.token("admin")
    assert "none that went well yet" in look(running, STATUS_PAGE, cookies).text
    answer = running.get(STATUS_TWIN, token=token).json()
    assert (answer["backup"], answer["good_backup"]) == (None, None)
    good = Backup(started_at=NOW - 3_600_000, seconds=12.5, place="/backups/a.db", bytes=5_000_000)
    serving(running, backup=good, good_backup=good)
    page = look(running, STATUS_PAGE, cookies).text
    assert "5.00 MB in 12.5 s to <code>/backups/a.db</code>" in page
    assert "The last backup failed" not in page
    bad = Backup(started_at=NOW, seconds=1, place="/backups/b.db", error="The disk is full")
    serving(running, backup=bad, good_backup=good)
    page = look(running, STATUS_PAGE, cookies).text
    assert ("The last backup failed" in page, "The disk is full" in page, "/backups/a.db" in page) == (True, True, True)
    told = running.get(STATUS_TWIN, token=token).json()["backup"]
    assert told == {
        "at": "2026-11-21T03:00:00.000Z",
        "seconds": 1.0,
        "place": "/backups/b.db",
        "bytes": 0,
        "error": "The disk is full",
    }


def test_a_store_that_refuses_says_why(running: Running) -> None:
    serving(running, store="The disk is full; nothing was stored.")
    cookies = join(running, role="admin")
    page = look(running, STATUS_PAGE, cookies).text
    assert "The disk is full; nothing was stored." in page
    assert "takes events" not in page


@pytest.mark.parametrize("path", [STATUS_PAGE, "/settings/jobs"])
def test_back_fills_name_no_projects_of_others(running: Running, path: str) -> None:
    flag = running.site.definitions.create(running.shop.id, "flag", value=Flag("Exports"), who="ada")
    mine = BackFill(project=running.shop.id, namespace="flag", kind="flag", definition=flag.id, share=0.25)
    theirs = BackFill(project=running.foreign.id, namespace="flag", kind="flag", definition="4711", share=0.5)
    index = msgspec.structs.replace(STATUS.index, back_fills=(mine, theirs))
    serving(running, index=index)
    page = look(running, path, join(running, role="admin")).text
    assert "Exports" in page
    assert "25.0%" in page
    assert "4711" not in page
    assert "1 more of projects in other workspaces" in page
    twin = running.get(STATUS_TWIN, token=running.token("admin")).json()["index"]
    assert [(each["project"], each["title"], each["done"]) for each in twin["back_fills"]] == [
        ("shop", "Exports", 0.25)
    ]
    assert twin["other_back_fills"] == 1


def test_a_job_that_failed_needs_a_look_until_it_succeeds(running: Running) -> None:
    cookies = join(running, role="admin")
    assert "Nothing: no job" not in look(running, STATUS_PAGE, cookies).text  # a message was not sent
    runs = JobRuns(running.records)
    runs.add("greet", Run(started_at=NOW, seconds=1, result="failed", error="ValueError: no greeting"))
    assert "ValueError: no greeting" in look(running, STATUS_PAGE, cookies).text
    running.site.scheduler.run_now("greet")
    while running.site.scheduler.states()[0].running:
        time.sleep(0.01)
    assert "ValueError: no greeting" not in look(running, STATUS_PAGE, cookies).text
