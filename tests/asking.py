"""Made-up events with something in every column that a report can ask for, and the plainest way to count them."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from saastracker.event import Event
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker.testing import PROJECT
from saastracker.web.faces import json_report
from tests.indexed import HOUR, at, people

START = at("2026-10-20 00:00")  # clocks change on 25 October in Amsterdam, on 1 November in New York
FIRST, LAST = date(2026, 10, 23), date(2026, 11, 3)
SPAN = f"from={FIRST}&to={LAST}"
FOREIGN = [
    Event(name="foreign", time=START + 100 * HOUR, user="u1", org="x", value=1.0, traits='{"user":{"email":"f"}}')
]

QUERIES: dict[str, Callable[[Event], bool]] = {
    "": lambda event: True,
    "environment=staging": lambda event: event.environment == "staging",
    "name=open": lambda event: event.name == "open",
    "org=x": lambda event: event.org == "x",
    "f=plan:is:pro&environment=production": lambda event: event.plan == "pro" and event.environment == "production",
    "f=path:starts_with:/a": lambda event: (event.path or "").startswith("/a"),
    "f=prop.n:gt:1": lambda event: prop(event, "n") is not None and prop(event, "n") > 1,
    "user=u1": lambda event: (event.user or event.anonymous) == "u1",
}


def prop(event: Event, key: str) -> Any:
    return json.loads(event.properties or "{}").get(key)


def made(seed: int, count: int) -> list[Event]:
    """Events in no order of time: few persons, some anonymous until later, in several organizations."""
    pick = random.Random(seed)
    return [_event(pick) for _ in range(count)]


def _event(pick: random.Random) -> Event:
    properties: dict[str, Any] = {
        **pick.choice([{}, {"n": pick.randrange(4)}, {"n": 1.5}]),
        **pick.choice([{}, {}, {"category": pick.choice(["a", "b"])}]),
        **pick.choice([{}, {}, {"label": pick.choice(["l", "m"])}]),
    }
    user = pick.choice([{}, {"email": f"{pick.randrange(3)}@example.com"}, {"first_name": pick.choice("AB")}])
    company = pick.choice([{}, {"name": pick.choice("CD")}, {"custom": {"mrr": pick.randrange(9)}}])
    return Event(
        name=pick.choice(["open", "save", "export"]),
        time=START + pick.randrange(18 * 24 * 4) * HOUR // 4,
        user=pick.choice([None, None, "u1", "u2", "u3"]),
        anonymous=pick.choice([None, "a1", "a2", "u1"]),
        org=pick.choice([None, "x", "y", "z"]),
        session=pick.choice([None, "s1", "s2", "s3"]),
        path=pick.choice([None, "/a", "/a/b", "/c"]),
        plan=pick.choice([None, "pro", "team"]),
        environment=pick.choice(["production", "production", "staging"]),
        value=pick.choice([None, None, 1.5, 2.0, -4.0]),
        properties=json.dumps(properties) if properties else None,
        traits=pick.choice([None, None, json.dumps({"user": user, "company": company})]),
    )


class Row(NamedTuple):
    event: Event
    person: tuple[str, str] | None  # "user" or "anonymous", and the id
    local: datetime


def rows(sent: Sequence[Event], zone: str) -> list[Row]:
    """The events in order of arrival."""
    return [
        Row(event, person, datetime.fromtimestamp((event.time or 0) / 1000, ZoneInfo(zone)))  # type: ignore[arg-type]
        for event, person in zip(sent, people(sent), strict=True)
    ]


def inside(found: list[Row], chosen: Callable[[Event], bool]) -> list[Row]:
    """The rows in the span that a filter chooses."""
    return [row for row in found if chosen(row.event) and FIRST <= row.local.date() <= LAST]


def scope(query: str, zone: str = "UTC", **more: Any) -> Scope:
    return Scope.parse(query, project=PROJECT.id, timezone=zone, now=at("2026-11-21 12:00"), **more)


def blocks(report: Report, asked: Scope) -> dict[str, Any]:
    """The blocks of the JSON twin by their keys."""
    return {block["key"]: block for block in json_report("shop", "report", asked, report)["blocks"]}


def keys(block: dict[str, Any]) -> list[str]:
    return [column["key"] for column in block["columns"]]
