"""Signals: against a plain computation day by day, at their limits, told once and dismissed until they return."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.event import Event
from saastracker.health.model import HealthModel, Weights
from saastracker.testing import InMemoryDefinitions
from saastracker_health.signalling import report
from tests.asking import FOREIGN, blocks, keys, rows, scope
from tests.indexed import DAY, ZONES, at, reading, stores
from tests.plugins.health.slow import LAST, ORGS, TAGGER, Asked, by_day, defined, level, made, of, persons, slow, within

NOTHING = InMemoryDefinitions()
RECENCY = HealthModel(weights=Weights(recency=1, frequency=0, breadth=0, adoption=0, trend=0))


def ask(reader: Reader, day: date, definitions: Definitions = NOTHING, zone: str = "UTC", query: str = "") -> list[Any]:
    asked = scope(f"from={day}&to={day}{query}", zone)
    found = blocks(report(reader, asked, definitions), asked)["signals"]
    assert keys(found) == ["org", "signal", "since", "detail", "priority"]
    return found["rows"]  # type: ignore[no-any-return]


# --- Against a plain computation ---


def everything(event: Event) -> bool:
    return True


def in_production(event: Event) -> bool:
    return event.environment == "production"


def met(asked: Asked, org: str, day: date) -> dict[str, str]:
    """The conditions an organization meets on a day, with their priority."""
    now, then = slow(asked, org, day), slow(asked, org, day - timedelta(7))
    if now is None or now.band == "onboarding":
        return {}
    mine = of(asked, org)
    events, before = (len(within(mine, day - timedelta(back), 30)) for back in (0, 30))
    people, people_before = (persons(by_day(mine), day - timedelta(back), 30) for back in (0, 30))
    found = {}
    silent = (day - max((row.local.date() for row in mine if row.local.date() <= day), default=date.min)).days
    if 14 <= silent <= 27:
        found["inactive"] = "high"
    if before >= 20 and events < before * 0.7:
        found["usage_drop"] = "medium"
    grown = events >= 1.3 * before or (people_before and people >= 1.3 * people_before)
    if now.band == "healthy" and before >= 20 and grown:
        found["expansion"] = "low"
    if now.score is not None and then is not None and then.score is not None:
        bands = ["at risk", "watch", "healthy"]
        was = level(asked.model, then.score)
        if bands.index(now.band) < bands.index(was):
            found["health_drop"] = "high" if now.band == "at risk" else "medium"
    return found


def expected(met: Callable[[str, date], dict[str, str]], day: date) -> set[tuple[str, str, date, str]]:
    found = set()
    for org in ORGS:
        for signal, priority in met(org, day).items():
            since = day
            while signal in met(org, since - timedelta(1)):
                since -= timedelta(1)
            found.add((org, signal, since, priority))
    return found


@stores
@given(
    seed=st.integers(0, 10**6),
    zone=st.sampled_from(ZONES),
    model=st.sampled_from([HealthModel(), HealthModel(active_days=4, healthy=50, watch=45), RECENCY]),
    back=st.integers(0, 60),
    rebuilt=st.booleans(),
)
def test_equals_a_slow_computation(
    tmp_path_factory: pytest.TempPathFactory, seed: int, zone: str, model: HealthModel, back: int, rebuilt: bool
) -> None:
    sent = made(seed)
    definitions, day = defined(model), LAST - timedelta(back)
    folder, parts = tmp_path_factory.mktemp("signals"), (sent[:40], sent[40:])
    with reading(
        folder, zone, *parts, foreign=FOREIGN, rebuilt=rebuilt, taggers=[TAGGER], definitions=definitions
    ) as reader:
        for environment, chosen in ((None, everything), ("production", in_production)):
            asked = Asked(rows(sent, zone), chosen, environment, model=model)
            found = ask(reader, day, definitions, zone, f"&environment={environment}" if environment else "")
            assert {(row[0], row[1], row[2], row[4]) for row in found} == expected(cache(partial(met, asked)), day)
            ranks = [["high", "medium", "low"].index(row[4]) for row in found]
            assert ranks == sorted(ranks)


# --- At their limits ---

TODAY = date(2026, 9, 10)


def events(**days_ago: int) -> list[Event]:
    """So many events of acme so many days ago: `d5=3` are three events five days ago, of one person each."""
    return [
        Event(name="open", time=at(f"{TODAY} 12:00") - int(day[1:]) * DAY, org="acme", user=f"u{number}")
        for day, count in days_ago.items()
        for number in range(count)
    ]


def raised(reader: Reader, day: date = TODAY, definitions: Definitions = NOTHING) -> dict[str, date]:
    return {row[1]: row[2] for row in ask(reader, day, definitions)}


@pytest.mark.parametrize(("silent", "since"), [(13, None), (14, 0), (20, 6), (27, 13), (28, None)])
def test_inactive_for_two_weeks_until_dormant(tmp_path: Path, silent: int, since: int | None) -> None:
    with reading(tmp_path, "UTC", events(d90=1, **{f"d{silent}": 1})) as reader:
        [found] = [row for row in ask(reader, TODAY) if row[1] == "inactive"] or [None]
        if since is None:
            assert found is None
        else:
            told = f"No event for {silent} days."
            assert found == ["acme", "inactive", TODAY - timedelta(since), told, "high"]


@pytest.mark.parametrize(
    ("now", "before", "drop"), [(14, 20, False), (13, 20, True), (0, 20, True), (0, 19, False), (69, 100, True)]
)
def test_usage_drop(tmp_path: Path, now: int, before: int, drop: bool) -> None:
    with reading(tmp_path, "UTC", events(d80=1, d30=before // 2, d59=before - before // 2, d29=now, d60=50)) as reader:
        found = [row for row in ask(reader, TODAY) if row[1] == "usage_drop"]
        assert [row[4] for row in found] == ["medium"] * drop
        if now == 69:
            assert found[0][3] == "69 events in 30 days, 69% of the 30 days before."


@pytest.mark.parametrize(("now", "before", "expansion"), [(26, 20, True), (25, 20, False), (40, 19, False)])
def test_expansion_of_events(tmp_path: Path, now: int, before: int, expansion: bool) -> None:
    sent = events(d80=1, d0=now, d45=before)
    for event in sent:
        event.user = None
    with reading(tmp_path, "UTC", sent) as reader:
        found = ask(reader, TODAY, InMemoryDefinitions({"health-model": [RECENCY]}))
        assert [(row[1], row[4]) for row in found] == [("expansion", "low")] * expansion
        lower = HealthModel(weights=Weights(recency=0, frequency=1, breadth=0, adoption=0, trend=0))  # 5
        assert ask(reader, TODAY, InMemoryDefinitions({"health-model": [lower]})) == []


def test_expansion_of_persons(tmp_path: Path) -> None:
    """Ten persons with two events each, then thirteen with one or two."""
    model = InMemoryDefinitions({"health-model": [RECENCY]})
    with reading(tmp_path, "UTC", events(d80=1, d31=10, d32=10, d0=13, d1=7)) as reader:
        [found] = ask(reader, TODAY, model)
        assert found[1:] == [
            *("expansion", TODAY),
            "13 persons and 20 events in 30 days, 10 and 20 in the 30 days before.",
            "low",
        ]
    (tmp_path / "fewer").mkdir()
    with reading(tmp_path / "fewer", "UTC", events(d80=1, d31=10, d32=10, d0=12, d1=8)) as reader:
        assert ask(reader, TODAY, model) == []


def test_health_dropped_a_band(tmp_path: Path) -> None:
    """By recency alone: below 70 from ten days of silence on, below 40 from eighteen on."""
    model = InMemoryDefinitions({"health-model": [RECENCY]})
    last = TODAY - timedelta(40)
    with reading(tmp_path, "UTC", events(d80=1, d40=1)) as reader:
        for silent, since, priority in (
            *((9, None, ""), (10, 10, "medium"), (16, 10, "medium"), (17, None, "")),
            *((18, 18, "high"), (24, 18, "high"), (25, None, ""), (28, None, "")),
        ):
            found = [row for row in ask(reader, last + timedelta(silent), model) if row[1] == "health_drop"]
            assert [row[2] for row in found] == [last + timedelta(since)] * 1 if since else found == [], silent
            assert all(row[4] == priority for row in found)
        [found, _] = ask(reader, last + timedelta(18), model)
        assert found[3] == "From watch (63) to at risk (37) in 7 days."


def test_new_organizations_raise_nothing(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", events(d27=1)) as reader:
        assert ask(reader, TODAY) == []
        assert raised(reader, TODAY - timedelta(1)) == {}
    (tmp_path / "older").mkdir()
    with reading(tmp_path / "older", "UTC", events(d15=1, d28=1)) as reader:
        assert raised(reader)["inactive"] == TODAY  # onboarding until yesterday


def test_what_goes_on_for_long_has_begun_long_ago(tmp_path: Path) -> None:
    counts = {f"d{day}": round(4 * 1.02 ** (250 - day)) for day in range(0, 250, 2)}
    sent = events(**counts)
    for event in sent:
        event.user = None

    def grown(day: int) -> bool:
        """So many days ago."""
        now, before = (sum(counts.get(f"d{day + back + past}", 0) for past in range(30)) for back in (0, 30))
        return before >= 20 and now >= 1.3 * before

    since = next(day for day in range(250) if not grown(day + 1))
    assert since > 150
    with reading(tmp_path, "UTC", sent) as reader:
        model = InMemoryDefinitions({"health-model": [RECENCY]})
        assert raised(reader, definitions=model) == {"expansion": TODAY - timedelta(since)}


def test_equal_priorities_go_by_revenue(tmp_path: Path) -> None:
    sent = []
    for org, mrr in (("a", None), ("b", 10), ("c", 99.5), ("d", None)):
        traits = f'{{"company":{{"name":"{org.upper()} Ltd","custom":{{"mrr":{mrr}}}}}}}' if mrr else None
        sent += [Event(name="open", time=at("2026-05-01 12:00"), org=org)]
        sent += [Event(name="open", time=at(f"{TODAY - timedelta(20)} 12:00"), org=org, traits=traits)]
    with reading(tmp_path, "UTC", sent) as reader:
        assert [row[0] for row in ask(reader, TODAY) if row[1] == "inactive"] == ["c", "b", "a", "d"]
