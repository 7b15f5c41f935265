"""Visitors of Harbourdesk's site: where they come from, and the few who try the product."""

from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from saastracker.demo.organizations import make_client
from saastracker.demo.timeline import DAY_MS, DAYS, HOUR_MS, Session, Timeline, generator
from saastracker.event import Event

VISITS = 85  # on a weekday
SIGN_UP = 0.16  # of those who looked at prices

PAGES = ("/", "/features", "/customers", "/docs/api", "/blog/demurrage-explained", "/blog/rate-alerts")
TRIAL = (  # event, chance after the step before, mean hours until then, path
    ("teammate.invited", 0.52, 7, "/settings/team"),
    ("booking.confirmed", 0.62, 20, "/bookings"),
    ("export.downloaded", 0.58, 26, "/reports"),
)
_COUNTRIES = ("NL", "DE", "GB", "NO", "PL", "US", "IN", "BE", "FR", "SG")
_COUNTRY_WEIGHTS = (20, 18, 12, 10, 7, 12, 8, 5, 5, 3)


class Channel(msgspec.Struct, frozen=True):
    """A way to the site, open for some days; the more weight, the more visitors."""

    weight: float
    referrer: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    first: int = 0
    last: int = DAYS - 1


CHANNELS = (
    Channel(30),
    Channel(28, referrer="www.google.com"),
    Channel(5, referrer="www.bing.com"),
    Channel(4, referrer="duckduckgo.com"),
    Channel(7, referrer="www.linkedin.com"),
    Channel(3, referrer="news.ycombinator.com"),
    Channel(6, referrer="partners.harbourdesk.example"),
    Channel(9, "www.google.com", "google", "cpc", "brand"),
    Channel(22, "www.google.com", "google", "cpc", "freight-week", 18, 38),
    Channel(30, None, "newsletter", "email", "rate-alerts-launch", 27, 36),
    Channel(14, "www.linkedin.com", "linkedin", "paid-social", "winter-tenders", 60, 84),
)


class Visitors:
    """People without an account, day by day."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._random = generator("visitors")
        self._accounts = 0

    def day(self, day: int) -> list[Event]:
        """What those who come on this day do, then and later."""
        random = self._random
        channels = [channel for channel in CHANNELS if channel.first <= day <= channel.last]
        weights = [channel.weight for channel in channels]
        usual = sum(channel.weight for channel in CHANNELS if channel.last - channel.first == DAYS - 1)
        weekend = self._timeline.date(day).weekday() >= 5
        count = round(VISITS * sum(weights) / usual * (0.4 if weekend else random.uniform(0.85, 1.15)))
        found: list[Event] = []
        for channel in random.choices(channels, weights, k=count):
            start = self._timeline.start(day) + int(min(23.5, max(0.0, random.gauss(13, 4))) * HOUR_MS)
            found += self._visit(channel, start)
        return found

    def _visit(self, channel: Channel, start: int) -> list[Event]:
        random = self._random
        who = {"country": random.choices(_COUNTRIES, _COUNTRY_WEIGHTS)[0], **make_client(random)}
        anonymous = f"{random.getrandbits(64):016x}"
        session = Session(random, start, anonymous=anonymous, **who)
        session.add(
            "pageview",
            "pageview",
            path=random.choices(PAGES, (50, 12, 8, 8, 14, 8))[0],
            referrer=channel.referrer,
            source=channel.source,
            medium=channel.medium,
            campaign=channel.campaign,
        )
        while random.random() < 0.45:
            session.wait(35)
            session.add("pageview", "pageview", path=random.choice(PAGES))
        if random.random() < 0.22:
            session.wait(35)
            session.add("pageview", "pageview", path="/pricing")
            if random.random() < SIGN_UP:
                self._sign_up(session)
                return [*session.events, *self._trial(session, who)]
        return session.events

    def _sign_up(self, session: Session) -> None:
        self._accounts += 1
        user = f"t{20_000 + self._accounts}"
        session.wait(90)
        traits = {"user": {"email": f"{user}@trial.example", "custom": {"role": "evaluator"}}}
        text = msgspec.json.encode(traits).decode()
        session.add("user_identify", "identify", user=user, plan="trial", traits=text)
        session.add("signup.completed", path="/signup", user=user, plan="trial")

    def _trial(self, signed_up: Session, who: Mapping[str, Any]) -> list[Event]:
        """What becomes of an account: a few look-ins, and maybe the steps to a first export."""
        random, user = self._random, signed_up.events[-1].user
        found: list[Event] = []
        for at in self._look_ins(random, signed_up.time):
            found += self._session(at, user, who, "/home").events
        at = signed_up.time
        for name, chance, hours, path in TRIAL:
            if random.random() >= chance:
                break
            session = self._session(at + int(random.expovariate(1 / hours) * HOUR_MS), user, who, path)
            session.wait(60)
            session.add(name, path=path)
            found += session.events
            at = session.time
        return found

    def _look_ins(self, random: Random, start: int) -> list[int]:
        """Times of return, each rarer than the last."""
        times = []
        while random.random() < 0.7:
            start += DAY_MS + int(random.expovariate(1 / (3 * DAY_MS)))
            times.append(start)
        return times

    def _session(self, start: int, user: str | None, who: Mapping[str, Any], path: str) -> Session:
        release = self._timeline.release(start)
        session = Session(self._random, start, user=user, plan="trial", release=release, **who)
        session.add("pageview", "pageview", path="/home")
        session.wait(30)
        session.add("pageview", "pageview", path=path)
        return session
