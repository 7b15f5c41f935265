"""The plainest way to tell what a customer did: its sessions, and the errors that hit it."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from saastracker.event import Event
from saastracker.issues.grouping import failure, key
from saastracker.web.faces import iso
from tests.asking import FIRST, LAST, QUERIES, Row, inside


def failing(sent: Sequence[Event]) -> list[Event]:
    """The same events, some of them errors."""
    pick = random.Random(len(sent))
    for event in sent:
        event.type = pick.choice(["custom", "custom", "error"])
    return list(sent)


def errors(found: list[Row], query: str, mine: Callable[[Row], bool]) -> list[list[Any]]:
    """Issue, title, persons, events and when it was last seen."""
    rows = []
    groups = defaultdict(list)
    for row in found:
        if row.event.type == "error":
            groups[key(failure(row.event.name, row.event.properties))].append(row)
    for issue, of in groups.items():
        hit = [row for row in inside(of, QUERIES[query]) if mine(row)]
        newest = max(enumerate(of), key=lambda each: (each[1].event.time or 0, each[0]))[1].event
        title = failure(newest.name, newest.properties).title
        if hit:
            rows.append([issue, title, len({row.person for row in hit} - {None}), len(hit), iso(newest.time or 0)])
    return rows


def sessions(found: list[Row], query: str, mine: Callable[[Row], bool]) -> list[list[Any]]:
    """Those that began in the span and have an event that the filters choose: id, person, organization and so on."""
    groups = defaultdict(list)
    environment = query.rpartition("environment=")[2] if "environment=" in query else None
    for row in found:
        if row.event.session and environment in {None, row.event.environment}:
            groups[row.person, row.event.session].append(row)
    begun = []
    for (person, session), of in groups.items():
        of.sort(key=lambda row: row.event.time or 0)
        if FIRST <= of[0].local.date() <= LAST and any(QUERIES[query](row.event) and mine(row) for row in of):
            org = next((row.event.org for row in of if row.event.org), None)
            start, end = of[0].event.time or 0, of[-1].event.time or 0
            begun.append([session, person and person[1], org, iso(start), (end - start) / 1000, len(of), None])
    return begun
