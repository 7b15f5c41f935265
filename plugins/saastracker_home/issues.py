"""The open errors that hit most organizations, as the index counts them: by issue and release."""

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

    @property
    def is_open(self) -> bool:
        """Whether nobody has ignored it, or resolved it since it was seen."""
        if self.decided is None or self.decided.value.status == "open":
            return True
        resolved = self.decided.value.resolved_at
        since = int(resolved.timestamp() * 1000) if resolved else self.decided.updated_at
        return self.decided.value.status != "ignored" and self.last[0] > since


def issues(definitions: Definitions, reader: Reader, scope: Scope, actors: Actors) -> list[Table]:
    """None where there are no errors, or where filters ask for what the index does not know of them."""
    if scope.filters:
        return []
    found = {
        key: issue for key, issue in _counted(definitions, reader, scope).items() if issue.events and issue.is_open
    }
    rows: list[list[Any]] = []
    for key, issue in found.items():
        organizations, persons = actors.count_organizations(issue.actors), actors.count_persons(issue.actors)
        rows.append([key, None, organizations, persons, issue.events])
    rows = sorted(rows, key=lambda row: (-row[2], -row[4], row[0]))[:TOP]
    newest = reader.events([found[row[0]].last[1] for row in rows])
    titles = {event.sequence: _title(event) for event in newest}
    for row in rows:
        row[1] = titles.get(found[row[0]].last[1], row[0])
    return [msgspec.structs.replace(TABLE, rows=rows, total=len(found))] if rows else []


def _counted(definitions: Definitions, reader: Reader, scope: Scope) -> dict[str, Issue]:
    """All issues there ever were by key, with what they count in the span."""
    project = scope.project
    first, last = day_number(scope.span.first), day_number(scope.span.last)
    namespaces, prefix = COUNTED, ""
    for defined in definitions.of(project, "error-grouping")[:1]:
        if all(reader.tagged(project, each, defined.id) >= 1 for each in RULED):
            namespaces, prefix = RULED, f"{defined.id}/"
    decided: dict[str, tuple[str, Defined | None]] = {}
    for each in definitions.of(project, "issue"):
        own = [key for key in each.value.keys if key not in decided]
        if own:
            decided |= dict.fromkeys(own, (own[0], each))
    found: dict[str, Issue] = {}

    def issue(key: str) -> Issue:
        plain = key.removeprefix(prefix).partition("@")[0]
        name, defined = decided.get(plain, (plain, None))
        return found.setdefault(name, Issue(defined))

    for namespace in namespaces:
        for seen in reader.seen(project, namespace):
            if seen.key.startswith(prefix):
                of = issue(seen.key)
                of.last = max(of.last, (seen.last, seen.last_sequence))
        for _, key, cell in reader.days(project, namespace, first, last, environment=scope.environment):
            if key.startswith(prefix) and "@" in key:  # else it is what many keys are counted together under
                of = issue(key)
                of.events += cell.events
                of.actors |= cell.actors
    return found


def _title(event: Event) -> str:
    """What an error says of itself, in one line."""
    sent = msgspec.json.decode(event.properties or "{}")
    said = [sent.get(key) for key in ("type", "message")]
    lines = [text.strip().splitlines()[0] for text in said if isinstance(text, str) and text.strip()]
    return (": ".join(lines) or event.name)[:TITLE_MAX]
