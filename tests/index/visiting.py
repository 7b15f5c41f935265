"""Made-up events in sessions, and the plainest way to put sessions together."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from saastracker.event import Event
from tests.asking import prop
from tests.indexed import HOUR, at, people

START = at("2026-10-22 00:00")  # clocks change on 25 October in Amsterdam, on 1 November in New York
FIRST, LAST = date(2026, 10, 24), date(2026, 11, 1)
SPAN = f"from={FIRST}&to={LAST}"
FOREIGN = [Event(name="foreign", time=START + 60 * HOUR, user="u1", org="x", session="s1", release="9")]
NAMES = ["page_view", "page_view", "page_view", "open", "$pageleave", "LCP", "Session:Start", "Session:End"]
TYPES = {"page_view": "pageview", "LCP": "vital", "Session:Start": "session", "Session:End": "session"}

FILTERS: dict[str, Callable[[Event], bool]] = {
    "": lambda event: True,
    "environment=staging": lambda event: event.environment == "staging",
    "org=x": lambda event: event.org == "x",
    "org=x&org=y&environment=production": lambda event: event.org in {"x", "y"} and event.environment == "production",
    "name=open": lambda event: event.name == "open",
    "f=org:is_not:x": lambda event: event.org != "x",
    "org=x&f=release:is:2": lambda event: event.org == "x" and event.release == "2",
    "f=path:starts_with:/a&environment=staging": lambda event: (
        (event.path or "").startswith("/a") and event.environment == "staging"
    ),
    "f=prop.n:gt:1": lambda event: (prop(event, "n") or 0) > 1,
    "user=u1": lambda event: (event.user or event.anonymous) == "u1",
}


def made(seed: int, count: int) -> list[Event]:
    """Events in no order of time, many at the same; some of nobody, some anonymous until later, in several orgs."""
    pick = random.Random(seed)
    return [_event(pick) for _ in range(count)]


def _event(pick: random.Random) -> Event:
    name = pick.choice(NAMES)
    return Event(
        name=name,
        type=TYPES.get(name, "custom"),
        # Most in the evening and at night, so that sessions go over midnight.
        time=START
        + pick.randrange(13) * 24 * HOUR
        + pick.choice([0, 1, 2, 3, 13, 22, 23]) * HOUR
        + pick.choice([0, 7]),
        user=pick.choice([None, None, "u1", "u2"]),
        anonymous=pick.choice([None, "a1", "a2", "u1"]),
        org=pick.choice([None, "x", "y"]),
        session=pick.choice([None, "s1", "s2", *(f"t{number}" for number in range(8))]),
        path=pick.choice([None, "/a", "/a/b", "/c"]),
        environment=pick.choice(["production", "production", "staging"]),
        release=pick.choice([None, "1", "2"]),
        referrer=pick.choice([None, None, "www.google.com", "news.ycombinator.com", "example.org"]),
        source=pick.choice([None, None, None, "letter", "ads"]),
        medium=pick.choice([None, None, None, "email", "cpc"]),
        campaign=pick.choice([None, None, "spring"]),
        country=pick.choice([None, "DE", "NL"]),
        browser=pick.choice([None, "Firefox", "Chrome"]),
        os=pick.choice([None, "Linux", "iOS"]),
        device=pick.choice([None, "desktop", "mobile"]),
        properties=pick.choice([None, '{"n": 1}', '{"n": 2}']),
    )


class Session(NamedTuple):
    person: tuple[str, str] | None  # "user" or "anonymous", and the id
    id: str
    events: list[Event]  # in the order of time, then of arrival

    @property
    def start(self) -> int:
        return self.events[0].time or 0

    @property
    def seconds(self) -> float:
        began = [event.time or 0 for event in self.events if event.name == "Session:Start"]
        ended = [event.time or 0 for event in self.events if event.name == "Session:End"]
        if began and ended:
            return max(max(ended) - min(began), 0) / 1000
        return ((self.events[-1].time or 0) - self.start) / 1000

    @property
    def bounced(self) -> bool:
        return len([event for event in self.events if event.name != "$pageleave" and event.type != "vital"]) == 1

    @property
    def pages(self) -> list[Event]:
        return [event for event in self.events if event.type == "pageview"]

    @property
    def origin(self) -> Event:
        """The event that says where the session came from."""
        return (self.pages or self.events)[0]

    @property
    def org(self) -> str | None:
        return next((event.org for event in self.events if event.org), None)


def every(sent: Sequence[Event], environment: str | None = None) -> list[Session]:
    """All sessions of the events of an environment, in the order of arrival."""
    groups = defaultdict(list)
    for event, person in zip(sent, people(sent), strict=True):
        if event.session and environment in {None, event.environment}:
            groups[person, event.session].append(event)
    return [
        Session(person, session, sorted(events, key=lambda event: event.time or 0))  # type: ignore[arg-type]
        for (person, session), events in groups.items()
    ]


def expected(sent: Sequence[Event], zone: str, query: str, first: date = FIRST, last: date = LAST) -> list[Session]:
    """The sessions that a query asks for, by the local dates on which they began."""
    environment = query.rpartition("environment=")[2] if "environment=" in query else None
    return [
        session
        for session in every(sent, environment)
        if first <= datetime.fromtimestamp(session.start / 1000, ZoneInfo(zone)).date() <= last
        and any(FILTERS[query](event) for event in session.events)
    ]
