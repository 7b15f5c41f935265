"""A disk that fills up is told of in time, and not again and again."""

import asyncio
import logging
from pathlib import Path

import pytest

from saastracker import disk
from saastracker.alarms import Alarms
from saastracker.disk import ENOUGH, FREE_MIN, DiskWatch
from saastracker.errors import Unavailable
from saastracker.facts import Facts
from saastracker.notify import Notices
from saastracker.secrets import Secrets
from saastracker_sqlite.records import SqliteRecords
from tests.writing import until


class Disk:
    """A folder on a disk with as much free as is said."""

    def __init__(self, folder: Path) -> None:
        self.records = SqliteRecords(folder / "saastracker.db")
        facts = Facts(self.records, Secrets.open(folder))
        self.workspace = facts.default_workspace().id
        self.free = FREE_MIN
        self.watch = DiskWatch(folder, Alarms(self.records, facts), lambda _: self.free)

    def look(self, free: int) -> None:
        self.free = free
        self.watch.look()


def levels(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.levelname for record in caplog.records if record.name == "saastracker.disk"]


def test_it_warns_once_and_tells_those_who_look_after_the_server_once_a_day(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    found = Disk(tmp_path)
    found.look(FREE_MIN)
    assert levels(caplog) == []
    for free in (FREE_MIN - 1, FREE_MIN - 2, FREE_MIN + 1, FREE_MIN - 3):  # near the limit it is one trouble
        found.look(free)
    assert levels(caplog) == ["WARNING"]
    assert caplog.records[0].getMessage() == f"Only 511 MB are free on the disk of {tmp_path}"
    [noted] = Notices(found.records).all()
    assert (noted.queued.job, noted.queued.notice.workspace) == ("failures", found.workspace)
    assert "Only 511 MB are free" in noted.queued.notice.text
    assert noted.queued.notice.link == "settings/status"
    found.look(ENOUGH)
    found.look(FREE_MIN - 1)
    assert levels(caplog) == ["WARNING", "INFO", "WARNING"]
    assert len(Notices(found.records).all()) == 1  # the same day
    found.records.close()


def test_it_warns_again_after_an_hour(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Disk(tmp_path)
    found.look(0)
    found.look(0)
    monkeypatch.setattr(disk, "REPEAT_SECONDS", 0.0)
    found.look(0)
    assert levels(caplog) == ["WARNING", "WARNING"]
    found.records.close()


def test_a_store_that_cannot_keep_the_notice_does_not_end_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Disk(tmp_path)

    def full(*_: object) -> None:
        raise Unavailable("The disk is full; nothing was stored.")

    monkeypatch.setattr(SqliteRecords, "write", full)
    found.look(0)
    assert "Nobody could be told" in caplog.text
    found.records.close()


def test_it_looks_at_once_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOOK_SECONDS", 0.001)
    found, looked = Disk(tmp_path), []

    def free(_: Path) -> int:
        looked.append(1)
        if len(looked) == 1:
            raise OSError(5, "Input/output error")
        return FREE_MIN

    async def test() -> None:
        running = asyncio.create_task(DiskWatch(tmp_path, Alarms(found.records, None), free).run())  # type: ignore[arg-type]
        await until(lambda: len(looked) > 2)
        running.cancel()

    asyncio.run(test())
    found.records.close()
