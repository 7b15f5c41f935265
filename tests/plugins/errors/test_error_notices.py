"""The notices about errors, the preview of rules, and what the plugin hands in."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import saastracker_errors
from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.issues.kinds import Grouping, Issue, Match, Rule
from saastracker.job import Every, JobContext, Notice
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker_errors.notices import NEW_MAX
from tests.asking import SPAN, START, blocks, scope
from tests.indexed import DAY, HOUR, reading
from tests.plugins.errors.failing import KEYS, TAGGERS, error

NOW = START + 10 * DAY + 12 * HOUR


def told(reader: Reader, *issues: Issue, cancelled: bool = False) -> Sequence[Notice]:
    [job] = saastracker_errors.jobs(None)  # type: ignore[arg-type]
    assert job.trigger == Every(60)
    context = JobContext(
        now=NOW,
        projects=[PROJECT],
        definitions=InMemoryDefinitions({"issue": issues}),
        reader=lambda: contextlib.nullcontext(reader),
        progress=lambda _done, _total: None,
        cancelled=lambda: cancelled,
    )
    found = job.run(context)
    assert len({notice.key for notice in found}) == len(found)
    return found


def test_new_issues_are_told_unless_they_are_history(tmp_path: Path) -> None:
    sent = [
        error(0, 7, time=NOW - HOUR, release="1.8.0"),
        error(2, time=NOW - 2 * HOUR),
        error(2, time=NOW - 25 * HOUR),
        error(4, time=NOW - 23 * HOUR),
    ]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        found = told(reader)
        assert [(notice.key, notice.title) for notice in found] == [
            (f"new-{KEYS[4]}", "New error: nothing to say"),
            (f"new-{KEYS[0]}", "New error: TypeError: no 7"),
        ]
        assert (found[1].text, found[1].link) == (
            "Seen for the first time in 1.8.0.\nCall: quotes/compare:renderLegs",
            f"errors/{KEYS[0]}",
        )
        assert {notice.project for notice in found} == {PROJECT.id}
        assert [notice.key for notice in told(reader, Issue(keys=(KEYS[0],), status="ignored"))] == [f"new-{KEYS[4]}"]
        # Merged with one that is older, it is not new.
        assert [notice.key for notice in told(reader, Issue(keys=(KEYS[2], KEYS[0])))] == [f"new-{KEYS[4]}"]
        assert told(reader, cancelled=True) == []


def test_regressions_are_told_once_for_each_time_resolved(tmp_path: Path) -> None:
    moment = datetime.fromtimestamp((NOW - 3 * HOUR) / 1000, UTC)
    issue = Issue(keys=(KEYS[0],), status="resolved", resolved_at=moment, resolved_release="1.0")
    sent = [error(0, time=NOW - 9 * DAY, release="1.0"), error(0, 5, time=NOW - HOUR, release="1.1")]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        [notice] = told(reader, issue)
        assert notice.key == f"regressed-{KEYS[0]}-{NOW - 3 * HOUR}"
        assert notice.title == "Seen again: TypeError: no 5"
        assert (notice.text, notice.link) == (
            "It was resolved and came back in 1.1.\nCall: quotes/compare:renderLegs",
            f"errors/{KEYS[0]}",
        )


def test_a_flood_of_new_issues_is_told_in_one(tmp_path: Path) -> None:
    sent = [
        Event(name="error", time=NOW - HOUR + number, properties=f'{{"signature": "s{number}"}}')
        for number in range(NEW_MAX + 5)
    ]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        found = told(reader)
        assert [notice.title for notice in found[:2]] == ["New error: s0", "New error: s1"]
        assert len(found) == NEW_MAX + 1
        assert (found[-1].key, found[-1].title) == ("new-more-2026-10-30", "More than 20 new errors on 2026-10-30")


def test_nothing_is_told_before_all_is_counted(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [error(0, time=NOW - HOUR)]) as reader:
        assert told(reader) == []


# --- Preview of rules ---


def previewed(reader: Reader, grouping: Grouping, current: Grouping | None) -> dict[str, Any]:
    preview = saastracker_errors.definitions(None)[1].preview  # type: ignore[arg-type]
    assert preview
    asked = scope(SPAN)
    return blocks(preview(reader, asked, InMemoryDefinitions(), grouping, current), asked)


def rule(contains: str, fingerprint: str) -> Grouping:
    return Grouping(rules=(Rule(match=Match(message_contains=contains), fingerprint=fingerprint),))


def test_the_preview_says_which_issues_merge_and_split(tmp_path: Path) -> None:
    sent = [error(cause, number, time=NOW) for cause in (0, 1, 2, 4) for number in (5, 6, 6)]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        found = previewed(reader, rule("no ", "one"), None)
        assert [figure["value"] for figure in found["totals"]["figures"]] == [3, 12]
        assert found["totals"]["figures"][0]["previous"] == 4
        [row] = found["changes"]["rows"]
        assert row[:3] == ["merged", "TypeError: no 6", 6]
        assert row[4] == ", ".join(sorted(KEYS[:2]))
        split = previewed(reader, rule("memory", "{message}"), None)["changes"]["rows"]
        assert [row[:3] for row in split] == [
            ["split", "out of memory: 6 KB", 2],
            ["split", "out of memory: 5 KB", 1],
        ]
        both = previewed(reader, rule("o", "{message}"), None)["changes"]["rows"]
        assert ["merged and split", "TypeError: no 6", 4] in [row[:3] for row in both]
        assert [row[0] for row in previewed(reader, rule("nothing", "n"), None)["changes"]["rows"]] == ["new key"]
        assert previewed(reader, rule("no ", "one"), rule("no ", "one"))["changes"]["rows"] == []
        back = previewed(reader, rule("-", "-"), rule("no ", "one"))["changes"]["rows"]
        assert [row[:3] for row in back] == [["split", "TypeError: no 6", 3], ["split", "TypeError: no 6", 3]]


def test_the_preview_looks_at_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker_errors.regrouping.ERRORS_MAX", 2)
    with reading(tmp_path, "UTC", [error(0, time=NOW + number) for number in range(3)], taggers=TAGGERS) as reader:
        found = previewed(reader, rule("no ", "one"), None)
        assert found["newest"]["text"] == "Only the newest 2 errors of the span were looked at."
        assert found["changes"]["rows"][0][2] == 2


# --- What the plugin hands in ---


def test_the_plugin_offers_its_parts() -> None:
    [page] = saastracker_errors.reports(None, InMemoryDefinitions())  # type: ignore[arg-type]
    assert (page.slug, page.section) == ("errors", "Errors")
    assert [kind.kind for kind in saastracker_errors.definitions(None)] == ["issue", "error-grouping"]  # type: ignore[arg-type]
    assert [tagger.namespace for tagger in TAGGERS] == [
        *("issue", "issue-named", "issue-ruled", "issue-ruled-named", "error-name"),
    ]
