"""What reports say while the index is being made."""

from dataclasses import replace
from pathlib import Path

import pytest

import saastracker_activity
from saastracker.config import load_config
from saastracker.event import Event

from .conftest import Running
from .erased import follow


@pytest.fixture
def running(running: Running, tmp_path: Path) -> Running:
    """With a report from the index."""
    reports = {page.slug: page for page in saastracker_activity.reports(load_config(None, tmp_path, {}))}
    return replace(running, site=replace(running.site, reports=reports))


def test_reports_say_how_much_is_counted(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.sql_index_reads.NEWEST", 1)
    monkeypatch.setattr("saastracker.indexer.STEP_EVENTS", 3)
    token = running.token("read")
    running.add(*(Event(name="open") for _ in range(4)))
    with running.writing:
        running.indexer.begin()
        running.indexer.follow()

    def told() -> list[str]:
        blocks = running.get("/p/shop/activity.json", token=token).json()["blocks"]
        return [block["text"] for block in blocks if block["type"] == "note"]

    said = "Still counting: the index has gone through 75% of the events."
    assert told() == [said]
    assert said in running.get("/p/shop/activity", token=token).text
    follow(running)
    assert told() == []
    assert "Still counting" not in running.get("/p/shop/activity", token=token).text


def test_reports_on_the_index_of_another_release_ask_to_wait(running: Running) -> None:
    token = running.token("read")
    running.add(Event(name="open"))
    follow(running)
    running.store.index.reset("of another release")
    answer = running.get("/p/shop/activity.json", token=token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "after an upgrade" in answer.json()["detail"]
