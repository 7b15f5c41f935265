"""The open errors that hit most organizations, as the index counts them: by issue and release."""

from collections.abc import Mapping
from typing import Any

import msgspec
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Defined, Definitions
from saastracker.event import Event
from saastracker.index import day_number
from saastracker.report import Column, Table
from saastracker.scope import Scope

COUNTED = ("issue", "issue-named")  # namespaces, with keys such as `1-0123456789abcdef0123@1.8.0`
RULED = ("issue-ruled", "issue-ruled-named")  # by a project's own rules, with their id and `/` before the key
TOP = 5
TITLE_MAX = 200
TABLE = Table(
    key="errors",
    title="Open errors",
    columns=(
        Column("issue", "Issue", "code", "never"),
        Column("title", "Error", link="errors/{issue}"),
        Column("organizations", "Organizations", "number", look="rank"),
        Column("persons", "Persons", "number"),
        Column("events", "Events", "number"),
    ),
    rows=[],
    whole=False,
    more="errors",
)


class Issue(msgspec.Struct):
    decided: Defined | None = None
    events: int = 0
    actors: BitMap = msgspec.field(default_factory=BitMap)
    last: tuple[int, int] = (0, 0)  # when it was seen, and in which event
    releases: dict[str, int] = msgspec.field(default_factory=dict)  # when it was last seen in each; "" for none

    def is_open(self, begun: Mapping[str, int]) -> bool:
        """Whether nobody ignored it, nor resolved it without it being seen in a later release.

        `begun` tells when each release had its first error.
        """
        if self.decided is None or self.decided.value.status == "open":
            return True
        decision = self.decided.value
        if decision.status == "ignored":
            return False
        since = int(decision.resolved_at.timestamp() * 1000) if decision.resolved_at else self.decided.updated_at
        limit = begun.get(decision.resolved_release, since)
        return any(
            last > since and (begun[release] > limit if release else decision.status == "resolved")
            for release, last in self.releases.items()
        )


class Counted(msgspec.Struct):
    """All issues there ever were by key, with what they count in the span; and when releases had their first errors."""

    issues: dict[str, Issue] = {}
    begun: dict[str, int] = {}


def issues(definitions: Definitions, reader: Reader, scope: Scope, actors: Actors) -> list[Table]:
    """None where there are no errors, or where filters ask for what the index does not know of them."""
    if scope.filters:
        return []
    counted = _counted(definitions, reader, scope)
    found = {key: each for key, each in counted.issues.items() if each.events and each.is_open(counted.begun)}
    rows: list[list[Any]] = []
    for key, each in found.items():
        organizations, persons = actors.count_organizations(each.actors), actors.count_persons(each.actors)
        rows.append([key, None, organizations, persons, each.events])
    rows = sorted(rows, key=lambda row: (-row[2], -row[3], -row[4], row[0]))[:TOP]
    newest = reader.events([found[row[0]].last[1] for row in rows])
    titles = {event.sequence: _title(event) for event in newest}
    for row in rows:
        row[1] = titles.get(found[row[0]].last[1], row[0])
    return [msgspec.structs.replace(TABLE, rows=rows, total=len(found))] if rows else []


def _counted(definitions: Definitions, reader: Reader, scope: Scope) -> Counted:
    between = day_number(scope.span.first), day_number(scope.span.last)
    namespaces, prefix = _rules(definitions, reader, scope.project)
    decided: dict[str, tuple[str, Defined]] = {}
    for defined in definitions.of(scope.project, "issue"):
        first = next((key for key in defined.value.keys if key not in decided), "")
        decided = dict.fromkeys(defined.value.keys, (first, defined)) | decided
    counted = Counted()

    def issue(key: str) -> Issue:
        name, defined = decided.get(key, (key, None))
        return counted.issues.setdefault(name, Issue(defined))

    for namespace in namespaces:
        for seen in reader.seen(scope.project, namespace):
            if seen.key.startswith(prefix):
                key, _, release = seen.key.removeprefix(prefix).partition("@")
                of = issue(key)
                of.last = max(of.last, (seen.last, seen.last_sequence))
                of.releases[release] = max(of.releases.get(release, 0), seen.last)
                counted.begun[release] = min(counted.begun.get(release, seen.first), seen.first)
        for _, key, cell in reader.days(scope.project, namespace, *between, environment=scope.environment):
            if key.startswith(prefix) and "@" in key:  # else it is what many keys are counted together under
                of = issue(key.removeprefix(prefix).partition("@")[0])
                of.events += cell.events
                of.actors |= cell.actors
    return counted


def _rules(definitions: Definitions, reader: Reader, project: str) -> tuple[tuple[str, str], str]:
    """The namespaces in which errors are counted now, and what their keys begin with."""
    for defined in definitions.of(project, "error-grouping")[:1]:
        if all(reader.tagged(project, each, defined.id) >= 1 for each in RULED):
            return RULED, f"{defined.id}/"
    return COUNTED, ""


def _title(event: Event) -> str:
    """What an error says of itself, in one line."""
    sent = msgspec.json.decode(event.properties or "{}")
    said = [sent.get(key) for key in ("type", "message")]
    lines = [text.strip().splitlines()[0] for text in said if isinstance(text, str) and text.strip()]
    return (": ".join(lines) or event.name)[:TITLE_MAX]
