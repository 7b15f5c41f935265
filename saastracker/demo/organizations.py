"""The customers of Harbourdesk: 120 organizations, each with a story, and the people in them."""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from saastracker.demo.areas import AREAS, Area
from saastracker.demo.names import FIRST, LAST, PLACES, TRADES
from saastracker.demo.timeline import DAYS, generator

STORIES = {"steady": 45, "growing": 24, "fading": 16, "onboarding": 14, "churned": 12, "seasonal": 8, "big": 1}
PRICES = {"starter": 19, "team": 29, "scale": 45, "enterprise": 70}  # euros a month and person
PLANS = tuple(PRICES)
SIZES = {"starter": (2, 4), "team": (4, 8), "scale": (6, 14), "enterprise": (10, 24)}
BIG = 64  # people
GUESTS = 6  # people who work for a second organization too
BEFORE, NEVER = -1, DAYS

_ZONES = {
    "NL": "Europe/Amsterdam",
    "DE": "Europe/Berlin",
    "NO": "Europe/Oslo",
    "GB": "Europe/London",
    "PL": "Europe/Warsaw",
    "CZ": "Europe/Prague",
    "ES": "Europe/Madrid",
    "US": "America/New_York",
    "BR": "America/Sao_Paulo",
    "SG": "Asia/Singapore",
}
_WEIGHTS = (24, 22, 12, 14, 8, 5, 8, 12, 4, 5)
_KNOWN = (  # name, country, story, plan
    ("Nordvik Freight", "NO", "big", "enterprise"),
    ("Fjordline Shipping", "NO", "growing", "scale"),
    ("Halden Cargo", "NO", "growing", "team"),
    ("Tamarind Lines", "SG", "steady", "enterprise"),
    ("Kessler & Roth Logistics", "DE", "fading", "enterprise"),
    ("Quay Nine", "NL", "steady", "team"),
    ("Portside Brokers", "GB", "seasonal", "scale"),
    ("Ostrava Spedition", "CZ", "onboarding", "starter"),
    ("Mirador Trade", "ES", "fading", "team"),
    ("Castellan Transport", "ES", "churned", "scale"),
)
_ROLES = ("pricing", "operations", "sales", "finance", "customs", "management")
_CLIENTS = (
    ("Chrome", "Windows", "desktop"),
    ("Edge", "Windows", "desktop"),
    ("Chrome", "macOS", "desktop"),
    ("Safari", "macOS", "desktop"),
    ("Firefox", "Linux", "desktop"),
    ("Mobile Safari", "iOS", "phone"),
    ("Chrome Mobile", "Android", "phone"),
)
_CLIENT_WEIGHTS = (38, 22, 14, 9, 5, 7, 5)


class Person(msgspec.Struct):
    """Someone with an account; `told` is what each organization's last identify event said of its plan."""

    user: str
    first: str
    last: str
    email: str
    role: str
    client: Mapping[str, Any]
    told: dict[str, str] = {}


class Member(msgspec.Struct):
    """A person in one organization, active from day `joins` until before day `leaves`."""

    person: Person
    joins: int
    leaves: int
    habit: float  # chance of working on a weekday
    areas: tuple[Area, ...]


class Organization(msgspec.Struct):
    """A customer. `turn` is the day on which its story turns."""

    id: str
    name: str
    country: str
    zone: ZoneInfo
    story: str
    plan: str  # at first
    turn: int
    random: Random
    members: list[Member] = []
    adopted: dict[str, tuple[int, int]] = {}  # area → used from this day until before that one

    def plan_on(self, day: int) -> str:
        """Growing organizations go up one plan when their story turns."""
        upgraded = self.story == "growing" and day >= self.turn and self.plan != PLANS[-1]
        return PLANS[PLANS.index(self.plan) + 1] if upgraded else self.plan

    def mrr(self, day: int) -> int:
        seats = sum(member.joins <= day < member.leaves for member in self.members)
        return seats * PRICES[self.plan_on(day)]

    def level(self, day: int, on: date) -> float:
        """How busy it is on a day, 1 being usual."""
        since = day - self.turn
        match self.story:
            case "growing":
                return 0.45 + 0.75 * day / DAYS
            case "fading":
                return 1.0 if since < 0 else max(0.2, 1 - since / 32)
            case "churned":
                return min(1.0, max(0.0, -since / 20))
            case "onboarding":
                return 0.0 if since < 0 else min(1.0, 0.5 + since / 20)
            case "seasonal":  # invoices and quarterly tenders at the turn of the month
                return 1.1 if on.day >= 24 or on.day <= 3 else 0.3
        return 1.0

    def areas(self, member: Member, day: int) -> list[Area]:
        """What a member may visit on a day."""
        plan = self.plan_on(day)
        spans = self.adopted
        return [
            area for area in member.areas if spans[area.name][0] <= day < spans[area.name][1] and area.open_to(plan)
        ]


def make_organizations() -> list[Organization]:
    """All of them, the same in every run."""
    random = generator("organizations")
    people = make_people(random)
    organizations = [_organization(random, *known) for known in _KNOWN]
    names = [f"{place} {trade}" for place in PLACES for trade in random.sample(TRADES, 2)]
    random.shuffle(names)
    left = dict(STORIES)
    for _, _, story, _ in _KNOWN:
        left[story] -= 1
    for story in [story for story, count in left.items() for _ in range(count)]:
        country = random.choices(list(_ZONES), _WEIGHTS)[0]
        plan = random.choices(PLANS, (25, 35, 25, 15))[0]
        organizations.append(_organization(random, names.pop(), country, story, plan))
    for organization in organizations:
        _adopt(random, organization)
        _hire(random, organization, people)
    for guest in random.sample([member for each in organizations for member in each.members], GUESTS):
        host = random.choice([each for each in organizations if guest not in each.members])
        host.members.append(
            msgspec.structs.replace(guest, joins=BEFORE, leaves=NEVER, habit=0.3, areas=_areas(random, host))
        )
    return organizations


def make_people(random: Random) -> list[Person]:
    """Everyone there could be, in random order; no two have one name."""
    names = [(first, last) for first in FIRST for last in LAST]
    random.shuffle(names)
    return [
        Person(
            user=f"u{10_000 + number}",
            first=first,
            last=last,
            email=f"{first}.{last}@example.com".lower(),
            role=random.choice(_ROLES),
            client=make_client(random),
        )
        for number, (first, last) in enumerate(names)
    ]


def make_client(random: Random) -> Mapping[str, Any]:
    """Browser, system and device of someone, as fields of an event."""
    browser, system, device = random.choices(_CLIENTS, _CLIENT_WEIGHTS)[0]
    return {"browser": browser, "os": system, "device": device}


def _organization(random: Random, name: str, country: str, story: str, plan: str) -> Organization:
    turns = {"growing": (25, 75), "fading": (46, 56), "churned": (46, 74), "onboarding": (DAYS - 27, DAYS - 5)}
    identifier = "-".join(name.lower().replace("&", "").split())
    return Organization(
        id=identifier,
        name=name,
        country=country,
        zone=ZoneInfo(_ZONES[country]),
        story=story,
        plan=plan,
        turn=random.randint(*turns.get(story, (0, DAYS))),
        random=generator(identifier),
    )


def _adopt(random: Random, organization: Organization) -> None:
    """Decide what the organization uses, from which day on and until when."""
    for area in AREAS:
        if random.random() >= area.share:
            continue
        since, until = area.launched, NEVER
        if area.launched >= 0:
            since += int(random.expovariate(1 / 18))
        elif area.rules and random.random() < 0.3:
            since = random.randint(3, DAYS - 5)
        given_up = area.waning + (0.35 if organization.story == "fading" and area.rules else 0)
        if random.random() < given_up:
            until = max(since, random.randint(40, 80))
        organization.adopted[area.name] = (since, until)


def _hire(random: Random, organization: Organization, people: list[Person]) -> None:
    """Fill the organization with people from the end of `people`."""
    size = BIG if organization.story == "big" else random.randint(*SIZES[organization.plan])
    for number in range(size):
        person = people.pop()
        person.email = f"{person.first}.{person.last}@{organization.id}.example".lower()
        joins, leaves = _stay(random, organization, founder=number == 0)
        habit = random.uniform(0.3, 0.85)
        areas = _areas(random, organization, all_of_them=number == 0)  # or something adopted may go unused
        organization.members.append(Member(person, joins, leaves, habit, areas))


def _stay(random: Random, organization: Organization, *, founder: bool) -> tuple[int, int]:
    story, turn = organization.story, organization.turn
    joins, leaves = BEFORE, NEVER
    if story == "onboarding":
        joins = turn if founder else turn + random.randint(0, 10)
    elif not founder and random.random() < (0.45 if story == "growing" else 0.08):
        joins = random.randint(4, DAYS - 5)
    if story == "churned":
        leaves = turn
    elif not founder and random.random() < (0.45 if story == "fading" else 0.04):
        leaves = max(joins + 1, random.randint(turn if story == "fading" else 30, DAYS))
    return joins, leaves


def _areas(random: Random, organization: Organization, *, all_of_them: bool = False) -> tuple[Area, ...]:
    adopted = [area for area in AREAS if area.name in organization.adopted]
    return tuple(area for area in adopted if all_of_them or random.random() < area.reach)
