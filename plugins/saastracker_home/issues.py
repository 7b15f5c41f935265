"""The errors that hit most organizations, by the keys that the index has of them."""

from typing import Any

import msgspec

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.index import OTHER, day_number
from saastracker.report import Column, Table
from saastracker.scope import Scope
from saastracker_home.summary import by_key

NAMESPACE = "issue"
TOP = 5
TITLE_MAX = 200
COLUMNS = (
    Column("issue", "Issue", "code", "never"),
    Column("title", "Error", link="errors/{issue}"),
    Column("organizations", "Organizations", "number", look="rank"),
    Column("persons", "Persons", "number"),
    Column("events", "Events", "number"),
)


def issues(reader: Reader, scope: Scope, actors: Actors) -> list[Table]:
    """None where there are no errors, or where filters ask for what the index does not know of them."""
    if scope.filters:
        return []
    first, last = day_number(scope.span.first), day_number(scope.span.last)
    counted = by_key(reader.days(scope.project, NAMESPACE, first, last, environment=scope.environment))
    counted.pop(OTHER, None)
    rows: list[list[Any]] = []
    for key, of in counted.items():
        organizations, persons = actors.count_organizations(of.actors), actors.count_persons(of.actors)
        rows.append([key, None, organizations, persons, of.events])
    if not rows:
        return []
    rows = sorted(rows, key=lambda row: (-row[2], -row[4], row[0]))[:TOP]
    newest = {seen.key: seen.last_sequence for seen in reader.seen(scope.project, NAMESPACE)}
    events = {event.sequence: event for event in reader.events([newest[row[0]] for row in rows if row[0] in newest])}
    for row in rows:
        event = events.get(newest.get(row[0], 0))
        row[1] = _title(event) if event else row[0]
    return [
        Table(
            key="errors",
            title="Errors that hit most organizations",
            columns=COLUMNS,
            rows=rows,
            whole=False,
            total=len(counted),
            more="errors",
        )
    ]


def _title(event: Event) -> str:
    """What an error says of itself, in one line."""
    sent = msgspec.json.decode(event.properties or "{}")
    said = [sent.get(key) for key in ("type", "message")]
    lines = [text.strip().splitlines()[0] for text in said if isinstance(text, str) and text.strip()]
    return (": ".join(lines) or event.name)[:TITLE_MAX]
