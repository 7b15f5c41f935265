"""The plainest way to make an index: everything it is asked for, counted over the raw events."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from saastracker.contracts import Reader
from saastracker.definition import Defined
from saastracker.event import Event
from saastracker.index import OTHER
from saastracker.parts import FOREVER, NEVER
from saastracker.tagger import NAMESPACES, Tagger, Tagging

EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()
EVER = -10, 100_000  # days
ENVIRONMENTS = ("production", "staging")


class Rule(msgspec.Struct, frozen=True):
    """A definition of a made-up kind: events of a name, all and by country."""

    name: str


def _of_rule(rule: Rule) -> Tagging:
    return Tagging(
        columns=("country",), wanted={"name": frozenset({rule.name})}, keys=lambda country: ["", country or "none"]
    )


def _of_tags(_: None) -> Tagging:
    return Tagging(columns=("properties",), keys=lambda text: json.loads(text)["tags"] if text else ())


def taggers(version: int) -> list[Tagger]:
    return [
        Tagger(namespace="rule", version=version, tagging=_of_rule, kind="rule"),
        Tagger(namespace="tags", version=version, tagging=_of_tags, distribution=True),
    ]


def local(event: Event, zone: str) -> datetime:
    return datetime.fromtimestamp((event.time or 0) / 1000, ZoneInfo(zone))


def day(event: Event, zone: str) -> int:
    return local(event, zone).date().toordinal() - EPOCH


def _keys(event: Event, zone: str, rules: Sequence[Defined]) -> Iterable[tuple[str, str, str]]:
    """Namespace, definition's id and key of all that an event counts under."""
    yield "all", "", ""
    yield "hour", "", ""
    for name in set(NAMESPACES).intersection(Event.__struct_fields__):
        if (value := getattr(event, name)) is not None:
            yield "page" if name == "path" and event.type == "pageview" else name, "", value
    for tag in dict.fromkeys(json.loads(event.properties)["tags"] if event.properties else ()):
        yield "tags", "", tag
    for rule in rules:
        if event.name == rule.value.name:
            yield "rule", rule.id, rule.id
            yield "rule", rule.id, f"{rule.id}/{event.country or 'none'}"


class Index(NamedTuple):
    """What readers see of one project, texts in place of codes and numbers."""

    cells: dict[Any, Any]
    moments: Any
    parts: dict[Any, Any]
    seen: dict[Any, Any]
    actors: dict[Any, Any]
    aliases: dict[str, str]


def counted(sent: Sequence[Event], zone: str, rules: Sequence[Defined], tagging: bool, keys_max: int) -> Index:
    """From the events in the order of their arrival."""
    return Index(
        _cells(sent, zone, rules, tagging, keys_max),
        sorted(
            (
                event.environment,
                event.name,
                day(event, zone),
                event.sequence,
                event.time,
                event.session or "",
                _page(event),
                _actor(event),
            )
            for event in sent
        ),
        _parts(sent, zone),
        _seen(sent, zone, rules) if tagging else {},
        _actors(sent),
        _aliases(sent),
    )


def _page(event: Event) -> str:
    return event.path if event.type == "pageview" and event.path else ""


def _actor(event: Event) -> tuple[bool, str, str]:
    return not event.user and bool(event.anonymous), event.user or event.anonymous or "", event.org or ""


def _cells(sent: Sequence[Event], zone: str, rules: Sequence[Defined], tagging: bool, keys_max: int) -> dict[Any, Any]:
    known: dict[Any, set[str]] = defaultdict(set)
    groups: dict[Any, list[Event]] = defaultdict(list)
    for event in sent:
        for namespace, unit, key in _keys(event, zone, rules):
            if namespace in {"tags", "rule"} and not tagging:
                continue
            place = namespace, day(event, zone), event.environment
            if key != unit or not unit:
                mine = known[place, unit]
                if len(mine) < keys_max:
                    mine.add(key)
                if key not in mine:
                    key = f"{unit}/{OTHER}" if unit else OTHER  # noqa: PLW2901
            groups[*place, key].append(event)
    return {place: _cell(place[0], events, zone) for place, events in groups.items()}


def _cell(namespace: str, events: Sequence[Event], zone: str) -> Any:
    values = [event.value for event in events if event.value is not None]
    if namespace == "hour":
        members: dict[Any, int] = dict(Counter(local(event, zone).hour for event in events))
    else:
        members = dict(Counter(_actor(event) for event in events if any(_actor(event))))
    return len(events), sum(values), len(values), members, sorted(values) if namespace == "tags" else None


def _parts(sent: Sequence[Event], zone: str) -> dict[Any, Any]:
    groups: dict[Any, list[Event]] = defaultdict(list)
    for event in sent:
        if event.session:
            groups[event.environment, _actor(event), event.session].append(event)
    found = {}
    for key, arrived in groups.items():
        events = sorted(arrived, key=lambda event: event.time or 0)
        pages = [event for event in events if event.type == "pageview"]
        origin = (pages or events)[0]
        found[key] = {
            "first": events[0].time,
            "last": events[-1].time,
            "events": len(events),
            "counted": sum(event.name != "$pageleave" and event.type != "vital" for event in events),
            "pages": len(pages),
            "entry": (pages[0].path or "") if pages else "",
            "exit": (pages[-1].path or "") if pages else "",
            "started": min((event.time or 0 for event in events if event.name == "Session:Start"), default=FOREVER),
            "ended": max((event.time or 0 for event in events if event.name == "Session:End"), default=NEVER),
            "country": events[0].country or "",
            "referrer": origin.referrer or "",
        }
    return found


def _seen(sent: Sequence[Event], zone: str, rules: Sequence[Defined]) -> dict[Any, Any]:
    groups: dict[Any, list[tuple[int, int]]] = defaultdict(list)
    for event in sent:
        for namespace, _, key in _keys(event, zone, rules):
            if namespace in {"tags", "rule"}:
                groups[namespace, key].append((event.time or 0, event.sequence))
    return {key: (min(times)[0], max(times)[0], min(times)[1], max(times)[1]) for key, times in groups.items()}


def _actors(sent: Sequence[Event]) -> dict[Any, Any]:
    groups: dict[Any, list[int]] = defaultdict(list)
    for event in sent:
        if any(_actor(event)):
            groups[_actor(event)].append(event.time or 0)
    return {actor: (min(times), max(times)) for actor, times in groups.items()}


def _aliases(sent: Sequence[Event]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for event in sent:
        if event.user and event.anonymous:
            aliases.setdefault(event.anonymous, event.user)
    return aliases


def read(reader: Reader, project: str, zone: str) -> Index:
    """The same from an index."""
    actors = reader.actors(project)
    codes = {code for row in actors.rows for code in row[2:4]} | {*actors.aliases, *actors.aliases.values()}
    moments = {each: reader.moments(project, *EVER, None, each) for each in ENVIRONMENTS}
    parts = {each: reader.parts(project, *EVER, each) for each in ENVIRONMENTS}
    for each in moments.values():
        codes |= {*each.session.tolist(), *each.path.tolist()}
    for part in parts.values():
        codes |= {code for name in (*_CODES, "session") for code in getattr(part, name).tolist()}
    texts = {0: "", **reader.texts(sorted(codes))}
    who = {row[0]: (bool(row[1]), texts[row[2]], texts[row[3]]) for row in actors.rows}
    who[0] = False, "", ""
    cells = {}
    for namespace in (*NAMESPACES, "rule", "tags"):
        for environment in ENVIRONMENTS:
            for number, key, cell in reader.days(project, namespace, *EVER, None, environment):
                of_each = zip(*(column.tolist() for column in cell.per_actor()), strict=True)
                values = None if cell.values is None else sorted(cell.values.tolist())
                members = {member - 1 if namespace == "hour" else who[member]: count for member, count in of_each}
                place = namespace, number, environment, key
                assert place not in cells
                cells[place] = cell.events, cell.total, cell.valued, members, values
    days = {
        sequence: number
        for environment in ENVIRONMENTS
        for number in sorted({place[1] for place in cells})
        for sequence in reader.moments(project, number, number, None, environment).sequence.tolist()
    }
    return Index(
        cells,
        sorted(
            (environment, each.names[name], days.get(sequence), sequence, time, texts[session], texts[path], who[actor])
            for environment, each in moments.items()
            for name, sequence, time, session, path, actor in zip(
                *(
                    getattr(each, column).tolist()
                    for column in ("name", "sequence", "time", "session", "path", "actor")
                ),
                strict=True,
            )
        ),
        {
            (environment, who[actor], texts[session]): facts
            for environment, each in parts.items()
            for actor, session, facts in _of_parts(each, texts)
        },
        {
            (namespace, seen.key): tuple(seen[1:])
            for namespace in ("rule", "tags")
            for seen in reader.seen(project, namespace)
        },
        {who[row[0]]: row[4:] for row in actors.rows},
        {texts[anonymous]: texts[user] for anonymous, user in actors.aliases.items()},
    )


_CODES = ("entry", "exit", "country", "referrer")
_NUMBERS = ("first", "last", "events", "counted", "pages", "started", "ended")


def _of_parts(parts: Any, texts: dict[int, str]) -> Iterable[tuple[int, int, dict[str, Any]]]:
    # A user is several actors by organization, and each is in several chunks and days.
    parts = parts.merged(parts.actor, parts.session)
    for place in range(len(parts)):
        facts: dict[str, Any] = {name: int(getattr(parts, name)[place]) for name in _NUMBERS}
        facts |= {name: texts[int(getattr(parts, name)[place])] for name in _CODES}
        yield int(parts.actor[place]), int(parts.session[place]), facts
