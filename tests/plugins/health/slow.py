"""The plainest way to score organizations: with fractions, over all events, one organization and day at a time."""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

import msgspec

from saastracker.event import Event
from saastracker.health.model import HealthModel
from saastracker.tagger import Tagger, Tagging
from saastracker.testing import InMemoryDefinitions
from tests.asking import Row
from tests.indexed import DAY, HOUR, at

LAST = date(2026, 11, 3)  # clocks changed on 25 October in Amsterdam, on 1 November in New York
DAYS = 233  # before and with LAST, on which events are made
ORGS = ("x", "y", "z")


class Feature(msgspec.Struct, frozen=True):
    """What health needs of a definition of a feature, with the event that is its use."""

    name: str
    event: str
    plans: tuple[str, ...] = ()
    min_events: int = 1


FEATURES = (
    Feature("Saving", "save"),
    Feature("Exporting", "export", min_events=2),
    Feature("Sharing", "share", plans=("pro",)),
)
TAGGER = Tagger(
    namespace="feature",
    version=1,
    tagging=lambda feature: Tagging(columns=(), wanted={"name": frozenset({feature.event})}, keys=lambda: ("",)),
    kind="feature",
)


def defined(*models: HealthModel, **more: Sequence[object]) -> InMemoryDefinitions:
    return InMemoryDefinitions({"feature": FEATURES, "health-model": models, **more})


def made(seed: int) -> list[Event]:
    """Organizations that come and go, week by week more or less busy; in no order of time."""
    pick = random.Random(seed)
    events = []
    for org in (*ORGS, None):
        begins = pick.choice([0, 0, 20, 28, 30])  # weeks
        for week in range(begins, DAYS // 7 + 1):
            busy = pick.choice([0, 0, 1, 2, 8, 12])
            events += [_event(pick, org, week) for _ in range(busy)]
    pick.shuffle(events)
    return events or [_event(pick, "x", 30)]


def _event(pick: random.Random, org: str | None, week: int) -> Event:
    quarter = pick.randrange(7 * 24 * 4)
    return Event(
        name=pick.choice(["open", "open", "save", "export", "share"]),
        time=at(str(LAST)) + DAY - (DAYS - 7 * week) * DAY + quarter * HOUR // 4,
        user=pick.choice([None, None, "u1", "u2", "u3", "u4"]),
        anonymous=pick.choice([None, "a1", "a2", "u1"]),
        org=org,
        plan=pick.choice([None, None, None, "pro", "team"]),
        environment=pick.choice(["production", "production", "production", "staging"]),
    )


class Slow(NamedTuple):
    """An organization on one day."""

    score: int | None
    band: str
    values: dict[str, Fraction | None]
    exact: Fraction | None


class Asked(NamedTuple):
    """What is asked about: all events in order of arrival, and those of them that filters choose."""

    found: list[Row]
    chosen: Callable[[Event], bool]
    environment: str | None
    features: Sequence[Feature] = FEATURES
    model: HealthModel = HealthModel()


def within(rows: Sequence[Row], day: date, length: int) -> list[Row]:
    """The rows in the window that ends with a day."""
    return [row for row in rows if day - timedelta(length) < row.local.date() <= day]


def of(asked: Asked, org: str) -> list[Row]:
    return [row for row in asked.found if row.event.org == org and asked.chosen(row.event)]


def persons(by_day: Mapping[date, set[object]], day: date, length: int) -> int:
    return len(set().union(*(by_day.get(day - timedelta(back), ()) for back in range(length))))


def by_day(rows: Sequence[Row]) -> Mapping[date, set[object]]:
    """The persons of each day."""
    found: dict[date, set[object]] = defaultdict(set)
    for row in rows:
        found[row.local.date()] |= {row.person} - {None}
    return found


def first_seen(asked: Asked, org: str) -> date | None:
    return min((row.local.date() for row in asked.found if row.event.org == org), default=None)


def slow(asked: Asked, org: str, day: date) -> Slow | None:
    """None for an organization that nobody has seen."""
    model, mine, first = asked.model, of(asked, org), first_seen(asked, org)
    length = model.window_days
    narrowed = asked.environment or not all(asked.chosen(row.event) for row in asked.found)
    if first is None or first > day or (narrowed and not any(row.local.date() <= day for row in mine)):
        return None
    now, before = within(mine, day, length), within(mine, day - timedelta(length), length)
    values: dict[str, Fraction | None] = {}
    dates = {row.local.date() for row in now}
    silent = (day - max(dates)).days if dates else length
    values["recency"] = Fraction(100) * min(Fraction(length - silent, length - 1), Fraction(1))
    values["frequency"] = Fraction(100) * min(Fraction(len(dates), model.active_days), Fraction(1))
    who = by_day(mine)
    best = max(persons(who, day - timedelta(back), length) for back in range(model.best_days))
    values["breadth"] = Fraction(100) * Fraction(persons(who, day, length), best) if best else None
    values["adoption"] = _adoption(asked, org, day, now)
    values["trend"] = None if (day - first).days < 2 * length else _trend(len(now), len(before))
    weights = {name: Fraction(getattr(model.weights, name)) for name, value in values.items() if value is not None}
    exact = None
    if now:
        exact = sum((weights[name] * (values[name] or 0) for name in weights), Fraction()) / sum(weights.values())
    score = None if exact is None else int(exact + Fraction(1, 2))
    if (day - first).days < length:
        return Slow(score, "onboarding", values, exact)
    return Slow(score, "dormant" if score is None else level(model, score), values, exact)


def level(model: HealthModel, score: int) -> str:
    return "healthy" if score >= model.healthy else "watch" if score >= model.watch else "at risk"


def _trend(now: int, before: int) -> Fraction:
    if not before:
        return Fraction(100)
    ratio = Fraction(now, before)
    if ratio <= Fraction(1, 2):
        return Fraction(0)
    if ratio <= 1:
        return (ratio - Fraction(1, 2)) * 120
    return min(60 + (ratio - 1) * 80, Fraction(100))


def _adoption(asked: Asked, org: str, day: date, now: Sequence[Row]) -> Fraction | None:
    plans = [
        (row.event.time, place, row.event.plan)
        for place, row in enumerate(asked.found)
        if row.event.org == org
        and row.event.plan
        and row.local.date() <= day
        and asked.environment in {None, row.event.environment}
    ]
    plan = max(plans)[2] if plans else None
    eligible = [feature for feature in asked.features if not feature.plans or plan in feature.plans]
    used = [
        feature for feature in eligible if sum(row.event.name == feature.event for row in now) >= feature.min_events
    ]
    return Fraction(100 * len(used), len(eligible)) if eligible else None
