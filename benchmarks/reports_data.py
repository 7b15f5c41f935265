"""Events for the benchmark of reports: 90 days of one product, the same on every run.

Sessions of about 7 events by 42 000 persons in 500 organizations, most of whom come in those days; 40 names,
of which `page_view` is three of five and `error` one of a hundred; 1 000 paths; every person is known by a user id.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saastracker.contracts import Group, Store, Submission
from saastracker.event import Event, type_of
from saastracker.testing import PROJECT
from saastracker.wire import Reply

DAYS = 90
LAST = date(2026, 11, 20)
FIRST = LAST - timedelta(days=DAYS - 1)
DAY_MS = 86_400_000
START = int(datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC).timestamp() * 1000)
END = START + DAYS * DAY_MS
GROUP = 5_000  # events of a transaction
SESSION = 7  # events, in the mean

VERBS = ("open", "save", "share", "export", "invite", "archive")
NOUNS = ("board", "card", "report", "file", "page", "team")
ACTIONS = (*(f"{verb}_{noun}" for verb in VERBS for noun in NOUNS), "sign_in")
NAMES = ("page_view", "error", "$pageleave", *ACTIONS)
AREAS = ("boards", "cards", "reports", "files", "settings", "billing", "teams", "search", "help", "pricing")
PATHS = [f"/{area}/{page}" for page in range(100) for area in AREAS]
COUNTRIES = ("DE", "US", "NL", "FR", "GB", "ES", "IT", "PL", "SE", "AT", "CH", "BE", "DK", "IN", "BR")
BROWSERS = ("Chrome", "Safari", "Firefox", "Edge", "Opera")
SYSTEMS = ("Windows", "macOS", "iOS", "Android", "Linux")
DEVICES = ("desktop", "mobile", "tablet")
PLANS = ("free", "team", "business", "enterprise")
REFERRERS = ("www.google.com", "www.bing.com", "t.co", "www.linkedin.com", *(f"blog{n}.example.com" for n in range(40)))
CAMPAIGNS = tuple(f"campaign-{number}" for number in range(12))
SOURCES = ("app", "web", "api", "import", "mail", "widget")
ISSUES = 300

Integers = NDArray[np.int64]


class Made(NamedTuple):
    """Columns of equal length: the events by arrival, then what each session and person has."""

    time: Integers
    arrival: Integers
    session: Integers
    name: Integers
    path: Integers
    number: Integers  # any, for what differs with each event
    session_person: Integers
    session_id: list[str]
    session_begin: Integers  # place of its first event
    person_org: Integers


def skewed(pick: np.random.Generator, among: int, count: int, steepness: float = 1.0) -> Integers:
    """Numbers below `among`, the lower the more often."""
    weights = 1 / np.arange(1, among + 1) ** steepness
    return pick.choice(among, count, p=weights / weights.sum())


def make(count: int, seed: int = 3) -> Made:
    pick = np.random.default_rng(seed)
    lengths = pick.geometric(1 / SESSION, count // SESSION * 11 // 10 + 100)
    lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), count)) + 1]
    sessions = len(lengths)
    session = np.repeat(np.arange(sessions), lengths)[:count]
    persons = min(42_000, sessions // 3)
    came = np.where(pick.random(persons) < 0.3, 0, pick.random(persons) * DAYS)  # day of the first session
    weights = pick.lognormal(0, 1, persons) * (DAYS - came)
    again = pick.choice(persons, sessions - persons, p=weights / weights.sum())
    person = np.concatenate([np.arange(persons), again])
    day = (came[person] + (DAYS - came[person]) * pick.random(sessions) ** 1.3).astype(np.int64)
    weekend = ((day + FIRST.weekday()) % 7 > 4) & (day > 1) & (pick.random(sessions) < 0.6)
    hours = np.array([1, 1, 1, 1, 2, 3, 6, 12, 20, 24, 24, 22, 18, 22, 24, 24, 20, 14, 9, 7, 6, 4, 3, 2])
    hour = pick.choice(24, sessions, p=hours / hours.sum())
    start = START + np.where(weekend, day - 2, day) * DAY_MS + hour * 3_600_000 + pick.integers(0, 3_600_000, sessions)
    gaps = pick.exponential(45_000, count).astype(np.int64)
    first = np.flatnonzero(np.diff(session, prepend=-1))
    gaps[first] = 0
    since = np.cumsum(gaps)
    time = np.minimum(start[session] + since - since[first][session], END - 1)
    late = np.where(pick.random(count) < 0.001, pick.integers(0, 12 * 3_600_000, count), 0)
    arrival = time + pick.integers(50, 5_000, count) + late
    shares = np.array([0.55, 0.01, 0.05, *(0.39 / np.arange(1, len(ACTIONS) + 1) / _harmonic(len(ACTIONS)))])
    name = pick.choice(len(NAMES), count, p=shares / shares.sum())
    name[first] = 0
    order = np.argsort(arrival, kind="stable")
    begin = np.zeros(sessions, np.int64)
    begin[session[first]] = first
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    return Made(
        time=time[order],
        arrival=arrival[order],
        session=session[order],
        name=name[order],
        path=skewed(pick, len(PATHS), count)[order],
        number=pick.integers(0, 2**31, count),
        session_person=person,
        session_id=[f"{high:016x}{low:016x}" for high, low in pick.integers(0, 2**62, (sessions, 2)).tolist()],
        session_begin=place[begin],
        person_org=skewed(pick, 500, persons, 0.8),
    )


def _harmonic(count: int) -> float:
    return float((1 / np.arange(1, count + 1)).sum())


def events(made: Made, begin: int, end: int) -> list[Event]:
    """Some of the events, by their places."""
    session = made.session[begin:end]
    person = made.session_person[session]
    columns = (
        made.time[begin:end],
        made.arrival[begin:end],
        session,
        person,
        made.person_org[person],
        made.name[begin:end],
        made.path[begin:end],
        made.number[begin:end],
        made.session_begin[session] == np.arange(begin, end),
    )
    return [_event(made, *row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _event(
    made: Made,
    time: int,
    arrival: int,
    session: int,
    person: int,
    org: int,
    name: int,
    path: int,
    number: int,
    new: bool,
) -> Event:
    text = NAMES[name]
    week = (time - START) // (7 * DAY_MS)
    return Event(
        name=text,
        type=type_of(text),
        time=time,
        received_at=arrival,
        user=f"user-{person:06d}",
        org=f"org-{org:03d}",
        session=made.session_id[session],
        path=PATHS[path],
        environment="staging" if session % 20 == 0 else "production",
        release=f"2.{week:02d}.0",
        plan=PLANS[org % 4],
        country=COUNTRIES[person * person % 97 % 15],
        browser=BROWSERS[person % 31 % 5],
        os=SYSTEMS[person % 29 % 5],
        device=DEVICES[person % 11 % 3],
        properties=_failure(number) if name == 1 else _properties(name, number),
        **(_source(session) if new else {}),
    )


def _source(session: int) -> dict[str, Any]:
    """Where a session came from, if it says."""
    mixed = session * 2_654_435_761 % 2**32
    if mixed % 10 == 0:
        campaign = CAMPAIGNS[mixed // 10 % 12]
        return {"source": "newsletter", "medium": ("email", "cpc")[mixed // 120 % 2], "campaign": campaign}
    return {"referrer": REFERRERS[mixed // 10 % 44]} if mixed % 10 < 5 else {}


def _properties(name: int, number: int) -> str:
    source = SOURCES[number % 97 % 6]
    if name < 3:
        return f'{{"source":"{source}","ms":{number % 3000}}}'
    return f'{{"source":"{source}","seats":{number % 500},"category":"c{name % 8}","label":"l{number % 30}"}}'


def _failure(number: int) -> str:
    """Of one of the issues, the lower the more often; `code` is the issue, which SQL could not tell otherwise."""
    issue = int((number / 2**31) ** 3 * ISSUES)
    letters = f"{chr(97 + issue % 26)}{chr(97 + issue // 26)}"
    stack = "\\n".join(
        f"    at {call}_{letters} (https://app.example.com/static/{module}.js:{number % 900}:{number % 70})"
        for call, module in (("load", "boards"), ("fetch", "client"), ("run", "queue"), ("main", "app"))
    )
    message = f"Cannot read {letters} of row {number % 10_000} within {number % 30} s"
    return (
        f'{{"code":"E{issue:03d}","type":"TypeError","message":"{message}","stack":"TypeError: {message}\\n{stack}"}}'
    )


def append(store: Store, sent: Sequence[Event]) -> None:
    store.append(Group([Submission(PROJECT, list(sent), sent[-1].received_at, Reply(202, b""))]))


def fill(store: Store, count: int) -> Iterator[int]:
    """Appends the events group by group; yields how many each time."""
    made = make(count)
    for begin in range(0, count, GROUP):
        sent = events(made, begin, min(begin + GROUP, count))
        append(store, sent)
        yield len(sent)
