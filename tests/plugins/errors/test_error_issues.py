"""What people decide about issues, and what makes them come back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from saastracker.event import Event
from saastracker.issues.kinds import Grouping, Issue, Match, Rule
from saastracker.testing import InMemoryDefinitions
from tests.asking import SPAN, START
from tests.indexed import DAY, HOUR, reading
from tests.plugins.errors.failing import KEYS, TAGGERS, error, listed, opened

NOON = START + 5 * DAY + 12 * HOUR  # 25 October
MOMENT = datetime.fromtimestamp(NOON / 1000, UTC)


def decided(*issues: Issue) -> InMemoryDefinitions:
    return InMemoryDefinitions({"issue": issues})


def resolved(**more: Any) -> InMemoryDefinitions:
    fields: dict[str, Any] = {"status": "resolved", "resolved_at": MOMENT} | more
    return decided(Issue(keys=(KEYS[0],), **fields))


def seen(*days: float, release: str | None = None) -> list[Event]:
    """Errors of the first cause, so many days after the moment."""
    return [error(0, time=NOON + int(days_after * DAY), release=release) for days_after in days]


def other(day: float, release: str) -> Event:
    return Event(name="open", time=NOON + int(day * DAY), release=release)


def status(folder: Path, sent: Sequence[Event], definitions: InMemoryDefinitions, zone: str = "UTC") -> str:
    with reading(folder, zone, sent, taggers=TAGGERS) as reader:
        return listed(reader, f"{SPAN}&status=all", zone, definitions)[0][KEYS[0]]["status"]  # type: ignore[no-any-return]


REGRESSIONS: dict[str, tuple[list[Event], dict[str, Any], str]] = {
    "not seen since": (seen(-1, 0), {}, "resolved"),
    "seen since, no releases": (seen(-1, 0.1), {}, "regressed"),
    "only in the release it was resolved in": (seen(-1, 1, release="1.0"), {"resolved_release": "1.0"}, "resolved"),
    "in a release known before": (
        [other(-3, "1.0"), *seen(-1, release="1.1"), *seen(1, release="1.0")],
        {"resolved_release": "1.1"},
        "resolved",
    ),
    "in a later release": (
        [*seen(-1, release="1.0"), *seen(1, release="1.1")],
        {"resolved_release": "1.0"},
        "regressed",
    ),
    "in a later release without errors before": (
        [other(-3, "1.0"), other(-2, "1.1"), *seen(-1, release="1.0"), *seen(1, release="1.1")],
        {"resolved_release": "1.0"},
        "regressed",
    ),
    "an earlier release has its first error later": (
        [other(-3, "0.9"), *seen(-2, release="1.0"), *seen(1, release="0.9")],
        {"resolved_release": "1.0"},
        "resolved",
    ),
    "in a release that came after it was resolved": (
        [*seen(-1, release="1.0"), *seen(2, release="1.1")],
        {},
        "regressed",
    ),
    "in a release that was there when it was resolved": (
        [*seen(-1, release="1.0"), *seen(2, release="1.0")],
        {},
        "resolved",
    ),
    "the release it was resolved in was never seen": (
        [*seen(-1, release="1.0"), *seen(2, release="1.1")],
        {"resolved_release": "7.0"},
        "regressed",
    ),
    "next release, not yet there": (seen(-1, 1, release="1.0"), {"status": "resolved-in-next"}, "resolved-in-next"),
    "next release, none known": (seen(-1, 1), {"status": "resolved-in-next"}, "resolved-in-next"),
    "next release has it": (
        [*seen(-1, release="1.0"), *seen(3, release="1.1")],
        {"status": "resolved-in-next", "resolved_release": "1.0"},
        "regressed",
    ),
    "both on one day, by their first errors": (
        [*seen(0.01, release="1.0"), *seen(0.02, release="1.1")],
        {"resolved_release": "1.0"},
        "regressed",
    ),
    "a late error from before": (seen(-1, -9), {}, "resolved"),
}


@pytest.mark.parametrize("case", REGRESSIONS)
def test_resolved_issues_come_back_in_later_releases(tmp_path: Path, case: str) -> None:
    sent, fields, expected = REGRESSIONS[case]
    assert status(tmp_path, sent, resolved(**fields)) == expected


def test_a_regression_is_open_and_says_so(tmp_path: Path) -> None:
    sent = [*seen(-1, release="1.0"), *seen(1, release="1.1"), *seen(2, release="1.2"), error(2, time=NOON)]
    definitions = resolved(resolved_release="1.0")
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        found = listed(reader, SPAN, definitions=definitions)[0]
        assert {key: row["status"] for key, row in found.items()} == {KEYS[0]: "regressed", KEYS[2]: "open"}
        assert found[KEYS[0]]["definition"] == "1"
        note = opened(reader, KEYS[0], SPAN, definitions=definitions)["status"]
        assert note["text"] == "Resolved on 2026-10-25; seen again in 1.1 since then."


def test_the_moment_is_that_of_the_last_change_where_none_is_given(tmp_path: Path) -> None:
    assert status(tmp_path, seen(-1), resolved(resolved_at=None)) == "regressed"  # the definition changed in 1970


@pytest.mark.parametrize(
    ("asked", "expected"), [("open", {5}), ("resolved", {2}), ("ignored", {4}), ("all", {2, 4, 5})]
)
def test_the_list_shows_issues_of_one_status(tmp_path: Path, asked: str, expected: set[int]) -> None:
    sent = [error(cause, time=NOON, user=f"u{cause}", org="x") for cause in (2, 4, 5)]
    definitions = decided(
        Issue(keys=(KEYS[2],), status="resolved", resolved_at=MOMENT), Issue(keys=(KEYS[4],), status="ignored")
    )
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        found, answer = listed(reader, f"{SPAN}&status={asked}", definitions=definitions)
        assert found.keys() == {KEYS[cause] for cause in expected}
        values = [figure["value"] for figure in answer["totals"]["figures"]]
        assert values == [len(expected), len(expected), len(expected), 1]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "Australia/Lord_Howe"])
@pytest.mark.parametrize("days", [[-1, -0.1, 0], [-0.1, 0.1, 0.2, 2, 3], [2, 3]])
def test_ignored_issues_come_back_after_so_many_errors(tmp_path: Path, zone: str, days: list[float]) -> None:
    others = [error(2, time=NOON + HOUR * number) for number in range(5)]
    with reading(tmp_path, zone, [*seen(*days), *others], taggers=TAGGERS) as reader:
        for most in (1, 2, 3, 4, 5, None):
            issue = Issue(keys=(KEYS[0],), status="ignored", ignored_at=MOMENT, ignored_until_events=most)
            found = listed(reader, f"{SPAN}&status=all", zone, decided(issue))[0]
            after = sum(day > 0 for day in days)
            assert found[KEYS[0]]["status"] == ("open" if most and after >= most else "ignored"), most


def test_merged_keys_are_one_issue_and_can_be_split_off(tmp_path: Path) -> None:
    sent = [
        error(0, 1, time=NOON, user="u1", org="x", release="1.0"),
        error(2, 2, time=NOON + DAY, user="u1", org="x", release="1.1"),
        error(2, 3, time=NOON + DAY, user="u2", org="y", release="1.1"),
    ]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        merged = decided(Issue(keys=(KEYS[2], KEYS[0])), Issue(keys=(KEYS[0],), status="ignored"))
        found = listed(reader, f"{SPAN}&status=all", definitions=merged)[0]
        assert [list(row.values())[:6] for row in found.values()] == [
            [KEYS[2], "out of memory: 3 KB", "open", 3, 2, 2],
        ]
        assert (found[KEYS[2]]["first_release"], found[KEYS[2]]["last_release"]) == ("1.0", "1.1")
        for key in (KEYS[0], KEYS[2]):
            page = opened(reader, key, SPAN, definitions=merged)
            assert [row[:2] for row in page["keys"]["rows"]] == sorted(
                [[KEYS[0], "TypeError: no 1"], [KEYS[2], "out of memory: 3 KB"]]
            )
            assert page["issue"]["rows"][0][0] == KEYS[2]
        split = listed(reader, SPAN, definitions=decided(Issue(keys=(KEYS[2],))))[0]
        assert {key: row["events"] for key, row in split.items()} == {KEYS[0]: 1, KEYS[2]: 2}


def test_a_decision_about_what_was_never_seen_changes_nothing(tmp_path: Path) -> None:
    unseen = decided(Issue(keys=(KEYS[1],), status="resolved", resolved_at=MOMENT))
    with reading(tmp_path, "UTC", seen(1), taggers=TAGGERS) as reader:
        assert listed(reader, SPAN, definitions=unseen)[0].keys() == {KEYS[0]}


RULES = Grouping(
    rules=(
        Rule(match=Match(message_contains="no "), fingerprint="all of them"),
        Rule(match=Match(message_contains="out of memory"), fingerprint="{message}"),
    )
)


@pytest.mark.parametrize("rebuilt", [False, True])
def test_rules_of_grouping_take_effect(tmp_path: Path, rebuilt: bool) -> None:
    sent = [
        *(error(cause, 1, time=NOON, user=f"u{cause}", org="x") for cause in (0, 1, 3, 4)),
        *(error(2, number, time=NOON, user="u1") for number in (1, 1, 2)),
    ]
    definitions = InMemoryDefinitions({"error-grouping": [RULES]})
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS, definitions=definitions, rebuilt=rebuilt) as reader:
        found, answer = listed(reader, SPAN, definitions=definitions)
        assert sorted((row["title"], row["events"], row["persons"]) for row in found.values()) == [
            ("TypeError: no 1", 2, 2),
            ("lost host1.example.com", 1, 1),
            ("nothing to say", 1, 1),
            ("out of memory: 1 KB", 2, 1),
            ("out of memory: 2 KB", 1, 1),
        ]
        assert "counting" not in answer
        assert {KEYS[3], KEYS[4]} < found.keys()
        raw = listed(reader, f"{SPAN}&f=prop.cause:exists", definitions=definitions)[0]
        assert raw == found
        for key, row in found.items():
            page = opened(reader, key, SPAN, definitions=definitions)
            assert page["by_environment"]["rows"] == [["production", row["events"], row["persons"]]]


def test_rules_wait_until_all_is_counted_by_them(tmp_path: Path) -> None:
    definitions = InMemoryDefinitions({"error-grouping": [RULES]})
    with reading(tmp_path, "UTC", seen(1), taggers=TAGGERS) as reader:
        found, answer = listed(reader, SPAN, definitions=definitions)
        assert found.keys() == {KEYS[0]}
        assert answer["counting"]["text"].startswith("The rules of grouping take effect when")
