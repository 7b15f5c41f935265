"""Folds the keys that taggers give events into the index."""

import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from saastracker.folding import DAY_MS, Texts, cells, local
from saastracker.index import Arrivals, Cell, CellKey, Integers, Seen, Unit, distinct
from saastracker.tagger import KEY_MAX, Tagger, Tagging

log = logging.getLogger("saastracker.tagging")

Properties = Callable[[Sequence[int]], Mapping[int, str]]


class Followed(msgspec.Struct, frozen=True):
    """A unit of a tagger that is being followed, and how its events get their keys."""

    unit: Unit
    tagger: Tagger
    tagging: Tagging


class Tagged(msgspec.Struct):
    cells: dict[CellKey, Cell] = {}
    seen: dict[tuple[str, str], list[Seen]] = {}  # by project and namespace


def tag(  # noqa: PLR0917
    tagged: Tagged,
    followed: Followed,
    arrivals: Arrivals,
    actors: Integers,
    zone: str,
    texts: Texts,
    properties: Properties,
) -> None:
    """The cells of a unit's keys, from events of its project. `actors` has each event's actor, 0 for nobody."""
    rows = _wanted(followed.tagging, arrivals, texts)
    if not len(rows):
        return
    some = arrivals.only(rows)
    events, keys = _keys(followed, some, texts, properties)
    if not len(events):
        return
    names, place = np.unique(keys, return_inverse=True)
    some = some.only(events)
    project, namespace, _ = followed.unit
    environments = texts(np.unique(some.codes["environment"]).tolist())
    days = local(some.time, zone) // DAY_MS
    found = cells(
        days, some.codes["environment"], place, actors[rows][events], some.value, followed.tagger.distribution
    )
    for (day, environment, number), cell in found:
        tagged.cells[CellKey(project, namespace, day, environments[environment], str(names[number]))] = cell
    tagged.seen.setdefault((project, namespace), []).extend(_seen(some, place, names.tolist()))


def _wanted(tagging: Tagging, arrivals: Arrivals, texts: Texts) -> Integers:
    rows = np.arange(len(arrivals))
    for column, values in tagging.wanted.items():
        codes = arrivals.codes[column][rows]
        known = texts(np.unique(codes).tolist())
        rows = rows[np.isin(codes, [code for code, text in known.items() if text in values])]
    return rows


def _keys(followed: Followed, some: Arrivals, texts: Texts, properties: Properties) -> tuple[Integers, list[str]]:
    """Places of events and their keys; an event with two keys stands there twice."""
    tagging = followed.tagging
    columns = [some.sequence if name == "properties" else some.codes[name] for name in tagging.columns]
    known: dict[str, Mapping[int, str]] = {
        name: (properties if name == "properties" else texts)(np.unique(column).tolist())
        for name, column in zip(tagging.columns, columns, strict=True)
    }
    distinct_rows, _, place = distinct(*columns) if columns else ([()], None, np.zeros(len(some), np.int64))
    of_row = [_of_row(followed, _texts(row, tagging, known)) for row in distinct_rows]
    counts = np.array([len(keys) for keys in of_row], np.int64)
    starts = np.cumsum(counts) - counts
    flat = [key for keys in of_row for key in keys]
    events = np.repeat(np.arange(len(some)), counts[place])
    within = np.arange(len(events)) - np.repeat(np.cumsum(counts[place]) - counts[place], counts[place])
    return events, [flat[index] for index in (starts[place][events] + within).tolist()]


def _texts(row: tuple[int, ...], tagging: Tagging, known: Mapping[str, Mapping[int, str]]) -> list[str | None]:
    return [known[name].get(code) for name, code in zip(tagging.columns, row, strict=True)]


def _of_row(followed: Followed, row: Sequence[str | None]) -> list[str]:
    unit = followed.unit
    try:
        keys = followed.tagging.keys(*row)
    except Exception:
        # One event that a plugin cannot read must not stop the index.
        log.exception("The tagger %s fails; the event is counted without its keys", unit.namespace)
        return []
    return list(dict.fromkeys(_full(unit.unit, key) for key in keys))


def _full(unit: str, key: str) -> str:
    """A key behind its definition's id."""
    return (f"{unit}/{key}" if unit and key else unit or key)[:KEY_MAX]


def _seen(some: Arrivals, place: Integers, names: Sequence[str]) -> list[Seen]:
    """When each key was first and last seen in these events."""
    order = np.lexsort((some.sequence, some.time, place))
    starts = np.searchsorted(place[order], np.arange(len(names)))
    first, last = order[starts], order[np.append(starts[1:], len(order)) - 1]
    columns = some.time[first], some.time[last], some.sequence[first], some.sequence[last]
    return [Seen(name, *row) for name, *row in zip(names, *(column.tolist() for column in columns), strict=True)]
