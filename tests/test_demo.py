"""Demo data: valid, the same in every run, and telling the stories it is there for."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.demo import game, product
from saastracker.demo.areas import AREAS, FEATURES, FUNNELS, ISSUES
from saastracker.demo.organizations import STORIES, make_organizations
from saastracker.event import Event
from saastracker.testing import NOW
from saastracker.testing.formats import check_event

DAY_MS = 24 * 3600 * 1000
DIGEST = """
import sys
from tests.test_demo import digest
from saastracker.demo import game, product
print(digest(product.events(int(sys.argv[1]))), digest(game.events(int(sys.argv[1]))))
"""


def digest(events: Iterable[Event]) -> str:
    encoder = msgspec.msgpack.Encoder()
    summed = hashlib.sha256()
    for event in events:
        summed.update(encoder.encode(event))
    return summed.hexdigest()


@pytest.fixture(scope="module")
def harbourdesk() -> list[Event]:
    return list(product.events(NOW))


@pytest.fixture(scope="module")
def trackside() -> list[Event]:
    return list(game.events(NOW))


@pytest.fixture(scope="module", params=["harbourdesk", "trackside"])
def events(request: pytest.FixtureRequest) -> list[Event]:
    found: list[Event] = request.getfixturevalue(request.param)
    return found


def properties(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.properties or "{}")
    return found


def days_ago(event: Event) -> int:
    assert event.time is not None
    return (NOW - event.time) // DAY_MS


def test_every_run_makes_the_same_events(harbourdesk: list[Event], trackside: list[Event]) -> None:
    """In another process too, where sets and hashes come in another order."""
    again = subprocess.run(
        [sys.executable, "-c", DIGEST, str(NOW)],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert again.split() == [digest(harbourdesk), digest(trackside)]


def test_every_event_can_be_kept(events: list[Event]) -> None:
    for event in events:
        check_event(event, NOW)
        assert event.session


def test_they_arrive_in_order_up_to_now_from_90_days_ago(events: list[Event]) -> None:
    arrivals = [event.received_at for event in events]
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] <= NOW
    assert {days_ago(event) for event in events} == set(range(90))
    late = [event for event in events if event.received_at != event.time]
    assert 0.005 < len(late) / len(events) < 0.05
    assert all(event.time is not None and event.received_at > event.time for event in late)


def test_there_are_enough(harbourdesk: list[Event], trackside: list[Event]) -> None:
    assert len(harbourdesk) > 200_000
    assert len(trackside) > 80_000
    assert len(harbourdesk) + len(trackside) > 300_000


# --- Harbourdesk ---


@pytest.fixture(scope="module")
def by_story(harbourdesk: list[Event]) -> dict[str, dict[str, list[int]]]:
    """Events of each organization, by story, of the last 30 days, the 30 before and the 30 before those."""
    stories = {organization.id: organization.story for organization in make_organizations()}
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for event in harbourdesk:
        if event.org:
            found[stories[event.org]][event.org][min(2, days_ago(event) // 30)] += 1
    return found


def test_all_organizations_are_there(by_story: dict[str, dict[str, list[int]]]) -> None:
    assert {story: len(organizations) for story, organizations in by_story.items()} == STORIES
    assert sum(STORIES.values()) == 120


def test_stories_show_in_the_numbers(by_story: dict[str, dict[str, list[int]]]) -> None:
    def share(story: str, good: Callable[[int, int, int], bool]) -> float:
        organizations = by_story[story].values()
        return sum(good(*counts) for counts in organizations) / len(organizations)

    assert share("fading", lambda now, before, _: now < 0.7 * before) > 0.8
    assert share("churned", lambda now, before, _: now < 0.5 * before) > 0.9
    assert share("growing", lambda now, _, first: now > 1.3 * first) > 0.9
    assert share("onboarding", lambda now, before, first: now > 0 == before + first) == 1
    assert share("steady", lambda now, before, _: 0.6 * before < now < 1.5 * before) > 0.8
    ((now, _, _),) = by_story["big"].values()
    assert now > 2 * max(counts[0] for counts in by_story["steady"].values())


def test_some_churned_organizations_are_silent_for_four_weeks(harbourdesk: list[Event]) -> None:
    heard = {event.org for event in harbourdesk if days_ago(event) < 28}
    silent = {event.org for event in harbourdesk} - heard
    stories = {organization.id: organization.story for organization in make_organizations()}
    assert silent
    assert {stories[org or ""] for org in silent} == {"churned"}


def test_weekends_are_quiet(harbourdesk: list[Event]) -> None:
    weekday = Counter((event.time or 0) // DAY_MS % 7 for event in harbourdesk)  # 1970 began on a Thursday
    assert max(weekday[2], weekday[3]) < 0.2 * min(weekday[day] for day in (0, 1, 4, 5, 6))


def test_people(harbourdesk: list[Event]) -> None:
    organizations = defaultdict(set)
    for event in harbourdesk:
        if event.user and event.org:
            organizations[event.user].add(event.org)
    assert sum(len(theirs) > 1 for theirs in organizations.values()) >= 5
    told = [event for event in harbourdesk if event.type == "identify"]
    assert {event.user for event in told} == {event.user for event in harbourdesk if event.user}
    traits = [json.loads(event.traits or "") for event in told if event.org]
    assert all(each["user"]["email"] and each["user"]["last_name"] and each["company"]["name"] for each in traits)
    assert all(each["company"]["custom"]["plan"] and each["company"]["custom"]["mrr"] > 0 for each in traits)


def test_anonymous_visitors_join_people(harbourdesk: list[Event]) -> None:
    joined = {event.anonymous: event.user for event in harbourdesk if event.anonymous and event.user}
    anonymous = {event.anonymous for event in harbourdesk if event.anonymous and not event.user}
    assert len(joined) > 300
    assert joined.keys() <= anonymous
    assert len(anonymous) > 10 * len(joined)


def matches(event: Event, rule: dict[str, str]) -> bool:
    return event.name == rule["name"] and (event.path or "").startswith(rule.get("path_prefix", ""))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature["name"])
def test_features_are_used_by_some_of_those_who_may(harbourdesk: list[Event], feature: dict[str, Any]) -> None:
    used = [event for event in harbourdesk if event.org and any(matches(event, rule) for rule in feature["rules"])]
    plans = set(feature.get("plans", ())) or {"starter", "team", "scale", "enterprise"}
    assert {event.plan for event in used} == plans
    eligible = {event.org for event in harbourdesk if event.plan in plans}
    assert 0.2 < len({event.org for event in used}) / len(eligible) < 0.99


def test_a_feature_is_used_from_its_launch_on(harbourdesk: list[Event]) -> None:
    (alerts,) = [area for area in AREAS if area.name == "Rate alerts"]
    first = min(event.time or 0 for event in harbourdesk if event.name in {"alert.opened", "alert.created"})
    launched = NOW // DAY_MS - 89 + alerts.launched
    assert launched <= first // DAY_MS < launched + 7


@pytest.mark.parametrize("funnel", FUNNELS, ids=lambda funnel: funnel["name"])
def test_funnels_narrow(harbourdesk: list[Event], funnel: dict[str, Any]) -> None:
    names = [step["name"] for step in funnel["steps"]]
    started: dict[str, int] = {}
    reached: Counter[str] = Counter()
    for event in sorted(harbourdesk, key=lambda event: event.time or 0):
        if event.user and event.name in names[reached[event.user] : reached[event.user] + 1]:
            begun = started.setdefault(event.user, event.time or 0)
            reached[event.user] += (event.time or 0) - begun <= funnel["window_days"] * DAY_MS
    steps = [sum(steps > number for steps in reached.values()) for number in range(len(names))]
    assert steps[0] > 400
    assert all(before > after for before, after in pairwise(steps))
    assert 0.05 < steps[-1] / steps[0] < 0.7


def test_issues_come_and_go_with_releases(harbourdesk: list[Event]) -> None:
    releases = defaultdict(set)
    for event in harbourdesk:
        if event.type == "error":
            details = properties(event)
            assert details["message"]
            assert details["stack"]
            releases[details["type"]].add(event.release)
    every = {event.release for event in harbourdesk if event.org and event.release}
    assert len(every) == 7
    assert releases == {issue.type: set(issue.releases) or every for issue in ISSUES}


def test_sources_environments_and_vitals(harbourdesk: list[Event]) -> None:
    views = [event for event in harbourdesk if event.type == "pageview"]
    assert {event.campaign for event in views if event.campaign} == {
        "brand",
        "freight-week",
        "rate-alerts-launch",
        "winter-tenders",
    }
    assert len({event.referrer for event in views if event.referrer}) >= 6
    environments = Counter(event.environment for event in harbourdesk)
    assert environments.keys() == {"production", "staging"}
    assert 0.01 < environments["staging"] / len(harbourdesk) < 0.15
    assert {event.name for event in harbourdesk if event.type == "vital"} == {"TTFB", "FCP", "LCP", "INP", "CLS"}


# --- Trackside ---


def test_runs_begin_before_they_end(trackside: list[Event]) -> None:
    running: dict[str | None, str | None] = {}
    ends: Counter[str] = Counter()
    for event in sorted(trackside, key=lambda event: event.time or 0):
        what, _, track = event.name.partition(":")
        if event.type == "progression":
            assert properties(event).keys() == {"dim01", "dim02"}
            ends[what] += 1
            if what == "Start":
                running[event.session] = track
            else:
                assert running.pop(event.session) == track
                assert (event.value is not None) == (what == "Complete")
    assert ends["Complete"] > ends["Fail"] > 0.1 * ends["Complete"]
    assert ends["Start"] > ends["Complete"] + ends["Fail"]


def test_game_sessions_coins_and_crashes(trackside: list[Event]) -> None:
    names = Counter(event.name for event in trackside)
    assert 0.9 < names["Session:End"] / names["Session:Start"] < 1
    assert names["Source:coins"] == sum(count for name, count in names.items() if name.startswith("Complete:"))
    assert 0.2 < names["Sink:coins"] / names["Source:coins"] < 0.4
    crashes = defaultdict(set)
    for event in trackside:
        if event.type == "error":
            crashes[properties(event)["signature"]].add(event.release)
    assert len(crashes.pop("shader-cache-corrupt")) >= 7
    assert crashes == {"garage-out-of-memory": {"1.9.0"}, "night-pier-null-spline": {"1.10.0"}}
