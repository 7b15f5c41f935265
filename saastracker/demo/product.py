"""Harbourdesk: 90 days of people at work in a product for freight forwarders."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

import msgspec

from saastracker.demo.areas import AREAS, FEATURES, FUNNELS, ISSUES, PAID, RELEASES, Area
from saastracker.demo.organizations import Member, Organization, Person, make_organizations
from saastracker.demo.timeline import DAY_MS, DAYS, HOUR_MS, Session, Timeline
from saastracker.demo.visitors import Visitors
from saastracker.event import Event

WEEKEND = 0.05  # of a weekday's chance to work
AFTERNOON = 0.45  # chance of a second session
STAGING = 0.08  # of the sessions of the larger plans
LATE = 0.012  # of all sessions; sent when the network is back
LATE_MAX = 3 * DAY_MS
MEASURED = 0.12  # of the sessions send web vitals

_VITALS = (("TTFB", 380, 0.6), ("FCP", 1100, 0.5), ("LCP", 1900, 0.45), ("INP", 120, 0.7), ("CLS", 0.05, 0.9))
_SLOW = {"/map": 2.2, "/quotes": 1.3, "/reports": 1.6}
_ISSUES = {area.name: [issue for issue in ISSUES if issue.scene == area.name] for area in AREAS}


def events(now: int) -> Iterator[Event]:
    """All events of the 90 days that end with the day (UTC) of `now`, in order of arrival."""
    timeline = Timeline(now, RELEASES)
    organizations = make_organizations()
    visitors = Visitors(timeline)
    return timeline.by_arrival(
        [
            *visitors.day(day),
            *(event for organization in organizations for event in _day(organization, timeline, day)),
        ]
        for day in range(DAYS)
    )


def defined(now: int) -> dict[str, Sequence[Mapping[str, Any]]]:
    """What is defined in the product's project: features, funnels, and which organizations have left."""
    timeline = Timeline(now, RELEASES)
    left = [organization for organization in make_organizations() if organization.story == "churned"]
    return {
        "feature": FEATURES,
        "funnel": FUNNELS,
        "churn": [{"org": each.id, "date": timeline.date(each.turn)} for each in left],
    }


def _day(organization: Organization, timeline: Timeline, day: int) -> list[Event]:
    on = timeline.date(day)
    level = organization.level(day, on) * (WEEKEND if on.weekday() >= 5 else 1)
    random = organization.random
    found: list[Event] = []
    for member in organization.members:
        joined = member.joins == day < member.leaves
        if not joined and not (member.joins < day < member.leaves and random.random() < member.habit * level):
            continue
        start = timeline.start(day, organization.zone) + int(random.uniform(8, 11.5) * HOUR_MS)
        if joined:
            signed_up = _sign_up(organization, member.person, day, start)
            found += signed_up.events
            start = signed_up.time
        found += _work(organization, member, timeline, day, start)
        if random.random() < AFTERNOON:
            start = timeline.start(day, organization.zone) + int(random.uniform(13, 17.5) * HOUR_MS)
            found += _work(organization, member, timeline, day, start)
    return found


def _sign_up(organization: Organization, person: Person, day: int, start: int) -> Session:
    """A new colleague finds the site and makes an account; until then the browser knows no name."""
    random = organization.random
    anonymous = f"{random.getrandbits(64):016x}"
    visit = Session(random, start, country=organization.country, anonymous=anonymous, **person.client)
    visit.add("pageview", "pageview", path="/", referrer=random.choice((None, "www.google.com", "mail.google.com")))
    visit.wait(30)
    visit.add("pageview", "pageview", path="/pricing")
    visit.wait(60)
    _identify(visit, organization, person, day)
    visit.add("signup.completed", path="/signup", user=person.user, org=organization.id, plan=organization.plan_on(day))
    visit.wait(20)
    return visit


def _work(organization: Organization, member: Member, timeline: Timeline, day: int, start: int) -> list[Event]:
    """One session in the product."""
    random, person = organization.random, member.person
    areas = organization.areas(member, day)
    plan = organization.plan_on(day)
    release = timeline.release(start)
    staging = plan in PAID and random.random() < STAGING
    session = Session(
        random,
        start,
        delay=int(random.uniform(HOUR_MS, LATE_MAX)) if random.random() < LATE else 0,
        user=person.user,
        org=organization.id,
        plan=plan,
        release=release,
        country=organization.country,
        environment="staging" if staging else "production",
        **person.client,
    )
    if person.told.get(organization.id) != plan:
        _identify(session, organization, person, day)
    session.add("pageview", "pageview", path="/home")
    if random.random() < MEASURED:
        _measure(session, areas[0].pages[0] if areas else "/home")
    for area in random.choices(areas, [area.weight for area in areas], k=_visits(random)) if areas else ():
        session.wait(40)
        _visit(session, area, release)
    if random.random() < 0.6:
        session.wait(40)
        session.add("$pageleave", path=session.events[-1].path)
    return session.events


def _visits(random: Random) -> int:
    return 1 + min(6, int(random.expovariate(0.7)))


def _visit(session: Session, area: Area, release: str) -> None:
    random = session.random
    path = area.pages[0]
    session.add("pageview", "pageview", path=path)
    if len(area.pages) > 1 and random.random() < 0.4:
        session.wait(15)
        path = random.choice(area.pages[1:])
        session.add("pageview", "pageview", path=path)
    for issue in _ISSUES[area.name]:
        if issue.happens(random, release):
            session.wait(8)
            session.add("error", "error", path=path, properties=issue.properties(random))
    for action in area.actions:
        if random.random() >= action.chance:
            break
        session.wait(45)
        value = action.value and round(action.value * random.lognormvariate(0, 0.5))
        properties = _labelled(area.name, random.choice(action.labels))
        session.add(action.name, path=path, value=value, properties=properties)


@cache
def _labelled(category: str, label: str) -> str:
    return msgspec.json.encode({"category": category, "label": label}).decode()


def _identify(session: Session, organization: Organization, person: Person, day: int) -> None:
    """Say who this is and what their company pays."""
    plan = organization.plan_on(day)
    person.told[organization.id] = plan
    traits = {
        "user": {
            "email": person.email,
            "first_name": person.first,
            "last_name": person.last,
            "custom": {"role": person.role},
        },
        "company": {
            "id": organization.id,
            "name": organization.name,
            "custom": {"plan": plan, "mrr": organization.mrr(day)},
        },
    }
    session.add(
        "user_identify",
        "identify",
        user=person.user,
        org=organization.id,
        plan=plan,
        traits=msgspec.json.encode(traits).decode(),
    )


def _measure(session: Session, path: str) -> None:
    for metric, median, spread in _VITALS:
        value = median * _SLOW.get(path, 1) * session.random.lognormvariate(0, spread)
        unit = "score" if metric == "CLS" else "ms"
        session.add(
            metric,
            "vital",
            path=path,
            value=round(value, 3),
            properties=f'{{"metric_type":"web_vital","metric_unit":"{unit}"}}',
        )
