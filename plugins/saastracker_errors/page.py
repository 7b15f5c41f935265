"""One issue: its days, its newest errors with their stacks, where it happens and whom it hits."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.errors import NotFound
from saastracker.event import Event
from saastracker.index import Integers
from saastracker.issues.catalogue import Catalogue, Known, catalogue
from saastracker.issues.grouping import Failure
from saastracker.issues.hits import Hits, affected, hits
from saastracker.issues.raw import Read, candidates, failures, local_days, read
from saastracker.issues.stacks import Frame
from saastracker.persons import joining
from saastracker.report import Block, Column, Figures, Note, Report, Table
from saastracker.scope import DIMENSIONS, Scope
from saastracker_errors.actions import actions, split_off
from saastracker_errors.blocks import days, figures, pending

NEWEST_MAX = 5000  # errors that are looked at one by one
LATEST = 10

FRAMES = (
    Column("function", "Function", "code"),
    Column("module", "Module", "code"),
    Column("line", "Line", "number", about="In the file, as the stack has it."),
    Column("part", "Part of", "tag", about="The product itself, or a library or run time."),
)
EVENTS = (
    Column("time", "Time", "time"),
    Column("message", "Message"),
    Column("person", "Person", link="people/{person}", dimension="user"),
    Column("org", "Organization", "text", "wide", link="organizations/{org}", dimension="org"),
    Column("release", "Release", "code", "wide", dimension="release"),
    Column("environment", "Environment", "tag", "wide", dimension="environment"),
    Column("browser", "Browser", "text", "wide", dimension="browser"),
    Column("path", "Path", "code", "wide", dimension="path"),
    Column("stack", "Stack", "text", "opened"),
    Column("properties", "Properties", "json", "opened"),
)
ORGANIZATIONS = (
    Column("org", "Organization", link="organizations/{org}"),
    Column("events", "Errors", "number", look="rank", about="Errors of the issue in the span."),
)
PEOPLE = (
    Column("person", "Person", link="people/{person}"),
    Column("events", "Errors", "number", look="rank", about="Errors of the issue in the span."),
)
KEYS = (
    Column("key", "Key", "code"),
    Column("title", "Title", about="What the newest error with this key says."),
    Column("last_seen", "Last seen", "time"),
    Column("split_off", "Split off", "action"),
)
ABOUT = (
    Column("issue", "Key", "code"),
    Column("title", "Issue"),
    Column("status", "Status", "tag", look="status"),
    Column("first_seen", "First seen", "time"),
    Column("last_seen", "Last seen", "time"),
    Column("first_release", "First release", "code"),
    Column("last_release", "Last release", "code"),
    Column("definition", "Definition", "code", "never"),
)

Value = Callable[[Event, dict[str, Any]], Any]
BREAKDOWNS: tuple[tuple[str, str, Value], ...] = (
    ("release", "Release", lambda event, _: event.release),
    ("environment", "Environment", lambda event, _: event.environment),
    ("browser", "Browser", lambda event, _: event.browser),
    ("scene", "Scene", lambda _, properties: properties.get("scene")),
    ("dim01", "dim01", lambda _, properties: properties.get("dim01")),
    ("dim02", "dim02", lambda _, properties: properties.get("dim02")),
    ("dim03", "dim03", lambda _, properties: properties.get("dim03")),
)


def page(reader: Reader, scope: Scope, key: str, definitions: Definitions) -> Report:
    """The issue that a key leads to. Raises NotFound where no error in the index has it."""
    known = catalogue(reader, scope.project, scope.span.timezone, definitions)
    issue = known.issues.get(known.owner(key))
    if issue is None:
        raise NotFound(f"No error belongs to the issue {key[:64]}.", reason="unknown_issue")
    actors = reader.actors(scope.project)
    now = hits(reader, scope, actors, scope.span, known, issue)
    before = hits(reader, scope, actors, scope.compared, known, issue) if scope.compared else None
    who, newest = _newest(reader, scope, actors, known, issue, now)
    total = affected(actors, now)
    told = failures(reader, [issue.newest, *(sequence for _, sequence in issue.keys.values())])
    title = told[issue.newest].title if issue.newest in told else issue.id
    totals = figures(total, affected(actors, before) if before else None)
    blocks: list[Block] = [
        *pending(known),
        *_said(issue, scope.span.timezone),
        Figures(key="totals", title="In the span", figures=totals),
        days(scope, now, before),
        _latest(reader, scope, actors, newest),
        Table(key="frames", title="Stack of the newest error", columns=FRAMES, rows=_frames(newest)),
        _organizations(reader, actors, now),
        _people(reader, actors, now),
    ]
    if len(newest) < total.events:
        text = f"What follows is counted over the newest {len(newest):,} of {total.events:,} errors."
        blocks.append(Note(key="newest", text=text))
    blocks += _breakdowns(newest, actors.person[who])
    blocks += _keys(issue, told)
    about = [
        *(issue.id, title, issue.status, issue.first, issue.last),
        *known.between(issue),
        issue.defined.id if issue.defined else None,
    ]
    blocks.append(Table(key="issue", title="Issue", columns=ABOUT, rows=[about]))
    return Report(title=title, blocks=tuple(blocks), actions=actions(reader, known, issue))


def _keys(issue: Known, told: Mapping[int, Failure]) -> list[Block]:
    """Of an issue of several keys, what each stands for."""
    rows = [
        [each, told[sequence].title if sequence in told else None, last, split_off(issue, each)]
        for each, (last, sequence) in sorted(issue.keys.items())
    ]
    if len(rows) < 2:
        return []
    return [Table(key="keys", title="Keys that lead here", columns=KEYS, rows=rows)]


def _said(issue: Known, timezone: str) -> list[Note]:
    """What people decided, and what became of it."""
    decided = issue.decided
    if decided is None or decided.status == "open":
        return []
    day = datetime.fromtimestamp(issue.since / 1000, UTC).astimezone(ZoneInfo(timezone)).date()
    words = {"resolved": "Resolved", "resolved-in-next": "Resolved in the next release", "ignored": "Ignored"}
    text = f"{words[decided.status]} on {day}"
    if decided.ignored_until_events:
        text += f", until {decided.ignored_until_events:,} more errors"
    if issue.seen_again is not None:
        text += f"; seen again{f' in {issue.seen_again}' if issue.seen_again else ''} since then"
    elif issue.status == "open":
        text += ", which there were"
    return [Note(key="status", text=f"{text}.")]


def _newest(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, known: Catalogue, issue: Known, now: Hits
) -> tuple[Integers, list[Read]]:
    """The newest errors of the issue, and their actors."""
    found = candidates(reader, scope, actors, scope.span)
    # Others than whom it hits on a day need not be read.
    here = local_days(found.time, scope.span) << 32 | found.actor
    found = found.only(np.isin(here, now.day << 32 | now.actor))
    most = min(int(now.events.sum()), NEWEST_MAX)
    newest: list[Read] = []
    if most:
        for error in read(reader, found):
            if known.owner(error.key(known.counted)) == issue.id:
                newest.append(error)
                if len(newest) == most:
                    break
    return found.actor[np.array([error.place for error in newest], np.int64)], newest


def _latest(reader: Reader, scope: Scope, actors: Actors, newest: Sequence[Read]) -> Table:
    person, written = joining(reader, actors), reader.organizations(scope.project)
    rows = []
    for _, event, error in newest[:LATEST]:
        who = person(event.user, event.anonymous)
        rows.append(
            [
                event.time,
                error.message or None,
                who and who.id,
                written.counted(event.org),
                event.release,
                event.environment,
                event.browser,
                event.path,
                " ← ".join(map(_call, error.frames)) or None,
                event.properties,
            ]
        )
    return Table(key="events", title="Newest errors", columns=EVENTS, rows=rows)


def _call(frame: Frame) -> str:
    return f"{frame.module}:{frame.function}" + ("" if frame.line is None else f":{frame.line}")


def _frames(newest: Sequence[Read]) -> list[list[Any]]:
    frames = newest[0].error.frames if newest else ()
    return [
        [frame.function or None, frame.module or None, frame.line, "product" if frame.own else "library"]
        for frame in frames
    ]


def _organizations(reader: Reader, actors: Actors, now: Hits) -> Table:
    rows = _ranked(reader, actors.org[now.actor], actors.org_codes, now.events)
    return Table(key="organizations", title="Organizations hit", columns=ORGANIZATIONS, rows=rows)


def _people(reader: Reader, actors: Actors, now: Hits) -> Table:
    rows = _ranked(reader, actors.person[now.actor], actors.person_codes, now.events)
    return Table(key="people", title="People hit", columns=PEOPLE, rows=rows)


def _ranked(reader: Reader, numbers: Integers, codes: Sequence[int], events: Integers) -> list[list[Any]]:
    """Names and their errors, most first; -1 is nobody."""
    sums = np.zeros(len(codes), np.int64)
    np.add.at(sums, numbers[numbers >= 0], events[numbers >= 0])
    shown = np.flatnonzero(sums).tolist()
    texts = reader.texts([codes[number] for number in shown])
    rows = [[texts[codes[number]], int(sums[number])] for number in shown]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _breakdowns(newest: Sequence[Read], persons: Integers) -> list[Block]:
    """By each dimension that at least one error has."""
    sent = [_properties(error.event) for error in newest]
    blocks: list[Block] = []
    for key, title, value in BREAKDOWNS:
        events: dict[str, int] = {}
        people: dict[str, set[int]] = {}
        for error, properties, person in zip(newest, sent, persons.tolist(), strict=True):
            of = value(error.event, properties)
            if isinstance(of, str | int | float) and of != "":
                events[str(of)] = events.get(str(of), 0) + 1
                people.setdefault(str(of), set()).add(person)
        rows = [[of, events[of], len(people[of] - {-1})] for of in sorted(events, key=lambda of: (-events[of], of))]
        if rows:
            columns = (
                Column(key, title, dimension=key if key in {*DIMENSIONS, "environment"} else ""),
                Column("events", "Errors", "number", look="rank", about="Errors of the issue in the span."),
                Column("persons", "Persons", "number", about="People who had one of them."),
            )
            blocks.append(Table(key=f"by_{key}", title=f"By {title[0].lower()}{title[1:]}", columns=columns, rows=rows))
    return blocks


def _properties(event: Event) -> dict[str, Any]:
    properties = msgspec.json.decode(event.properties or "{}")
    return properties if isinstance(properties, dict) else {}
