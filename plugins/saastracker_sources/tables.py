"""The tables of sources: sessions and their persons by each thing that is known of where a session came from."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from saastracker.channels import channel
from saastracker.contracts import Reader
from saastracker.index import Integers, numbered, unique
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope
from saastracker.visits import Visits, visits

PAGE_VIEW = "Of the session's first page view, else of its first event."
EVENT = "Of the session's first event."
ROWS_MAX = 10_000  # of a table; of a longer list only the top is handed in
MARKS_MAX = 2**26  # bytes

Texts: TypeAlias = Callable[[Sequence[int]], Mapping[int, str]]


class Kind(NamedTuple):
    key: str
    title: str
    label: str
    about: str
    filtered: bool = False  # whether filters take it

    def sessions(self, name: str) -> str:
        """Where the sessions of a value are listed; channels are only worked out here."""
        if name == "channel":
            return ""
        return f"sessions?f={name}:is:{{name}}" if self.filtered else f"sessions?{name}={{name}}"


KINDS = {
    "referrer": Kind("referrers", "Referrers", "Referrer", PAGE_VIEW),
    "channel": Kind("channels", "Channels", "Channel", PAGE_VIEW),
    "source": Kind("utm_sources", "UTM sources", "UTM source", PAGE_VIEW),
    "medium": Kind("mediums", "UTM mediums", "UTM medium", PAGE_VIEW),
    "campaign": Kind("campaigns", "Campaigns", "UTM campaign", PAGE_VIEW),
    "country": Kind("countries", "Countries", "Country", EVENT, filtered=True),
    "browser": Kind("browsers", "Browsers", "Browser", EVENT, filtered=True),
    "os": Kind("systems", "Systems", "System", EVENT, filtered=True),
    "device": Kind("devices", "Devices", "Device", EVENT, filtered=True),
}


class Values(NamedTuple):
    """What each session has in one column."""

    codes: Integers  # the distinct ones, ascending; 0 for none
    place: Integers  # of each session, in `codes`


def report(reader: Reader, scope: Scope) -> Report:
    actors = reader.actors(scope.project)
    found = visits(reader, scope, actors, scope.span)
    columns = {name: Values(*numbered(getattr(found.row, name))) for name in KINDS if name != "channel"}
    columns["channel"], channels = _channels(columns["referrer"], columns["source"], columns["medium"], reader.texts)
    people = len(actors.person_codes)
    tables = []
    for name, kind in KINDS.items():
        texts: Texts = (lambda _: channels) if name == "channel" else reader.texts
        rows, total = _rows(found, columns[name], people, texts, scope.limit)
        tables.append(
            Table(
                key=kind.key,
                title=kind.title,
                columns=(
                    Column("name", kind.label, about=kind.about, dimension=name if kind.filtered else ""),
                    Column("sessions", "Sessions", "number", look="rank", about="Sessions that began in the span.",
                           link=kind.sessions(name)),
                    Column("persons", "Persons", "number", about="Distinct persons of these sessions.",
                           link=f"people?f={name}:is:{{name}}" if kind.filtered else ""),
                ),
                rows=rows,
                whole=len(rows) == total,
                total=total,
            )
        )  # fmt: skip
    return Report(blocks=tuple(tables))


def _channels(referrer: Values, source: Values, medium: Values, texts: Texts) -> tuple[Values, dict[int, str]]:
    """Each session's channel by codes of their own, and what these stand for."""
    shape = (len(referrer.codes), len(source.codes), len(medium.codes))
    triples = Values(*numbered(np.ravel_multi_index((referrer.place, source.place, medium.place), shape)))
    of_each = np.unravel_index(triples.codes, shape)
    columns = [values.codes[place] for values, place in zip((referrer, source, medium), of_each, strict=True)]
    known = texts(unique(np.concatenate(columns)).tolist())
    names = [channel(*map(known.get, triple)) for triple in zip(*(column.tolist() for column in columns), strict=True)]
    own = {name: number for number, name in enumerate(sorted(set(names)), 1)}
    codes = np.array([own[name] for name in names], np.int64)
    return Values(*numbered(codes[triples.place])), {number: name for name, number in own.items()}


def _rows(found: Visits, values: Values, people: int, texts: Texts, limit: int) -> tuple[list[list[str | int]], int]:
    """Name, sessions and persons of each value, and how many rows there would be in all."""
    sessions = np.bincount(values.place, minlength=len(values.codes))
    persons = _persons(found.person, values, people)
    order = np.lexsort((-persons, -sessions))
    order = order[values.codes[order] > 0]
    total = len(order)
    if total > ROWS_MAX:
        order = order[:limit]
    codes = values.codes[order].tolist()
    names = texts(codes)
    rows: list[list[str | int]] = [
        [names[code], *counts]
        for code, *counts in zip(codes, sessions[order].tolist(), persons[order].tolist(), strict=True)
    ]
    rows.sort(key=lambda row: (-int(row[1]), -int(row[2]), row[0]))
    return rows, total


def _persons(person: Integers, values: Values, people: int) -> Integers:
    """How many distinct persons have each value."""
    somebody = person >= 0
    pairs = values.place[somebody] * people + person[somebody]
    size = len(values.codes) * people
    if size <= MARKS_MAX:  # a twentieth of the time of sorting
        marks = np.zeros(size, bool)
        marks[pairs] = True
        return np.asarray(np.count_nonzero(marks.reshape(len(values.codes), people), axis=1))
    pairs.sort()
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    return np.bincount(pairs[first] // people, minlength=len(values.codes))
