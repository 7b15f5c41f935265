"""Signals are told once each, and stay away once dismissed until their condition has ended and returned."""

import contextlib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.event import Event
from saastracker.job import JobContext, Notice
from saastracker.testing import OTHER_PROJECT, PROJECT, InMemoryDefinitions
from saastracker.wire import Project
from saastracker_health import definitions as kinds
from saastracker_health import jobs, tell
from saastracker_health.kinds import Dismissal, Kind
from saastracker_health.signalling import report
from tests.asking import blocks, scope
from tests.indexed import HOUR, at, reading

BEGUN = date(2026, 6, 15)  # inactive since two weeks after the first of June
RETURNED = date(2026, 7, 4)  # and again since two weeks after the twentieth
COMPANY = '{"company":{"name":"Acme Ltd"}}'
EVENTS = [
    Event(name="open", time=at(f"{day} 12:00"), org="acme", traits=COMPANY)
    for day in ("2026-01-01", "2026-05-31", "2026-06-01", "2026-06-20")
]


def dismissed(*days: date, signal: Kind = "inactive", org: str = "acme") -> Definitions:
    return InMemoryDefinitions({"dismissal": [Dismissal(org=org, signal=signal, since=day) for day in days]})


def shown(reader: Reader, day: date, definitions: Definitions) -> tuple[list[date], bool]:
    """Since when the organization is shown as inactive, and whether a dismissal is told of."""
    asked = scope(f"from={day}&to={day}")
    found = blocks(report(reader, asked, definitions), asked)
    return [row[2] for row in found["signals"]["rows"] if row[1] == "inactive"], "dismissed" in found


def test_a_dismissed_signal_comes_back_when_it_has_ended_and_returned(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", EVENTS) as reader:
        for definitions in (dismissed(BEGUN), dismissed(BEGUN + timedelta(3))):
            assert shown(reader, BEGUN + timedelta(4), definitions) == ([], True)
            assert shown(reader, RETURNED, definitions) == ([RETURNED], False)
            assert shown(reader, RETURNED + timedelta(9), definitions) == ([RETURNED], False)
        both = dismissed(BEGUN, RETURNED)
        assert shown(reader, RETURNED + timedelta(9), both) == ([], True)
        # Another signal or organization, what ended before, and what is yet to come.
        for definitions in (
            dismissed(BEGUN, signal="usage_drop"),
            dismissed(BEGUN, org="other"),
            dismissed(BEGUN - timedelta(1)),
            dismissed(BEGUN + timedelta(5)),
        ):
            assert shown(reader, BEGUN + timedelta(4), definitions) == ([BEGUN], False)


def run(reader: Reader, now: int, definitions: Definitions, cancelled: bool = False) -> Sequence[Notice]:
    amsterdam = Project(id=PROJECT.id, slug="shop", name="Shop", workspace="w1", timezone="Europe/Amsterdam")
    progress: list[tuple[int, int]] = []
    context = JobContext(
        now=now,
        projects=[amsterdam, OTHER_PROJECT],
        definitions=definitions,
        reader=lambda: contextlib.nullcontext(reader),
        progress=lambda done, total: progress.append((done, total)),
        cancelled=lambda: cancelled,
    )
    found = tell(context)
    assert progress == ([(0, 2)] if cancelled else [(0, 2), (1, 2)])
    return found


def test_the_job_tells_each_signal_under_one_key(tmp_path: Path) -> None:
    nothing = InMemoryDefinitions()
    with reading(tmp_path, "Europe/Amsterdam", EVENTS) as reader:
        midnight = at(f"{BEGUN + timedelta(1)} 00:00", "Europe/Amsterdam")  # the first day is whole
        assert run(reader, midnight - 1, nothing) == []
        [first] = run(reader, midnight, nothing)
        assert first.project == PROJECT.id
        assert first.title == "Acme Ltd: inactive"
        assert first.text == "No event for 14 days. Since 2026-06-15, priority high."
        [later] = run(reader, midnight + 80 * HOUR, nothing)
        assert (later.key, later.text) == (first.key, "No event for 17 days. Since 2026-06-15, priority high.")
        assert run(reader, midnight + 80 * HOUR, dismissed(BEGUN)) == []
        [again] = run(reader, at(f"{RETURNED + timedelta(3)} 06:00"), nothing)
        assert again.key != first.key
        assert run(reader, midnight, nothing, cancelled=True) == []


def test_keys_of_long_names_differ(tmp_path: Path) -> None:
    orgs = ["a" * 254 + end for end in "xy"]
    sent = [
        Event(name="open", time=at(f"{day} 12:00"), org=org) for day in ("2026-01-01", "2026-06-01") for org in orgs
    ]
    with reading(tmp_path, "UTC", sent) as reader:
        found = {notice.key for notice in run(reader, at("2026-06-16 06:00"), InMemoryDefinitions())}
        assert len({key[:200] for key in found}) == 2


def test_what_the_plugin_offers() -> None:
    found = {each.kind: each for each in kinds(None)}  # type: ignore[arg-type]
    assert found.keys() == {"health-model", "churn", "dismissal"}
    assert found["health-model"].most == 1
    assert [job.name for job in jobs(None)] == ["signals"]  # type: ignore[arg-type]


@pytest.mark.parametrize(("org", "signal"), [("", "inactive"), ("acme", "gone")])
def test_wrong_dismissals(org: str, signal: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"org": org, "signal": signal, "since": "2026-06-15"}, Dismissal)
