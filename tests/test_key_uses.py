"""When keys were used last is written once a day and key, and seen by other processes."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from saastracker.config import load_config
from saastracker.contracts import RecordStore
from saastracker.key_uses import DAY_MS, KeyUses
from saastracker.plugins import Plugins
from saastracker.testing import NOW, PROJECT
from saastracker.wire import Credential

ONE, TWO = Credential(PROJECT, key="one"), Credential(PROJECT, key="two")
TODAY, TOMORROW = date(2026, 5, 6), date(2026, 5, 7)


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordStore]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    with closing(Plugins(load_config(None, tmp_path)).open_records()) as records:
        yield records


def test_a_day_is_written_once(records: RecordStore) -> None:
    uses = KeyUses(records)
    assert uses.used_on("one") is None
    for at in (NOW, NOW + 1, NOW - 2 * DAY_MS):
        uses.note(ONE, at)
    uses.note(ONE, NOW)
    uses.refresh()
    assert (uses.used_on("one"), uses.used_on("two")) == (TODAY, None)
    change = records.change()
    for _ in range(3):
        uses.note(ONE, NOW + 1000)
        uses.note(ONE, NOW - DAY_MS)
        uses.refresh()
    assert records.change() == change
    uses.note(ONE, NOW + DAY_MS)
    uses.note(TWO, NOW)
    uses.refresh()
    assert (uses.used_on("one"), uses.used_on("two")) == (TOMORROW, TODAY)
    assert records.change() == change + 1


def test_other_processes_see_it_and_the_later_day_wins(records: RecordStore) -> None:
    here, there = KeyUses(records), KeyUses(records)
    here.note(ONE, NOW)
    there.note(ONE, NOW + DAY_MS)
    there.refresh()
    here.refresh()
    assert here.used_on("one") == there.used_on("one") == TOMORROW
