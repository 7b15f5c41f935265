"""Folds the keys that taggers give events into the index."""

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, starmap

import msgspec
import numpy as np

from saastracker.folding import DAY_MS, Texts, cells, local
from saastracker.index import Cell, Integers, Seen, distinct, unique
from saastracker.index_store import Arrivals, CellKey, Unit
from saastracker.sql import readable
from saastracker.tagger import KEY_MAX, VALUED, Tagger, Tagging

log = logging.getLogger("saastracker.tagging")

PROPERTIES_ROWS = 2000  # read at a time

Properties = Callable[[Sequence[int], Sequence[str]], Mapping[int, str]]


class Followed(msgspec.Struct, frozen=True):
    """A unit of a tagger that is being followed, and how its events get their keys."""

    unit: Unit
    tagger: Tagger
    tagging: Tagging


class Tagged(msgspec.Struct):
    cells: dict[CellKey, Cell] = {}
    seen: dict[tuple[str, str], list[Seen]] = {}  # by project and namespace


def remembering(texts: Texts) -> Texts:
    """The same, where many units ask for the same texts."""
    known: dict[int, str] = {}
    asked: set[int] = set()

    def of(codes: Sequence[int]) -> Mapping[int, str]:
        new = [code for code in codes if code not in asked]
        if new:
            asked.update(new)
            known.update(texts(new))
        return {code: known[code] for code in codes if code in known}

    return of


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
    numbers: dict[str, int] = {}  # of keys
    events, place = _keys(followed, arrivals.only(rows), texts, properties, numbers)
    if not len(events):
        return
    names = list(numbers)
    some = arrivals.only(rows[events])
    project, namespace, _ = followed.unit
    environments = texts(unique(some.codes["environment"]).tolist())
    days = local(some.time, zone) // DAY_MS
    found = cells(
        days, some.codes["environment"], place, actors[rows[events]], some.value, followed.tagger.distribution
    )
    for (day, environment, number), cell in found:
        tagged.cells[CellKey(project, namespace, day, environments[environment], names[number])] = cell
    tagged.seen.setdefault((project, namespace), []).extend(_seen(some, place, names))


def _wanted(tagging: Tagging, arrivals: Arrivals, texts: Texts) -> Integers:
    rows = np.arange(len(arrivals))
    for column, values in tagging.wanted.items():
        codes = arrivals.codes[column][rows]
        known = texts(unique(codes).tolist())
        rows = rows[np.isin(codes, [code for code, text in known.items() if text in values])]
    return rows


def _keys(
    followed: Followed, some: Arrivals, texts: Texts, properties: Properties, numbers: dict[str, int]
) -> tuple[Integers, Integers]:
    """Places of events and the numbers of their keys; an event with two keys stands there twice."""
    tagging = followed.tagging
    # Texts are few, properties may take 32 KB each.
    size = PROPERTIES_ROWS if "properties" in tagging.columns else max(len(some), 1)
    events, places = [], []
    failed = False
    placed: dict[tuple[str, ...], list[int]] = {}  # numbers of keys, by what they were given together as

    def place(keys: tuple[str, ...]) -> list[int]:
        full = [_full(followed.unit.unit, key) for key in keys]
        placed[keys] = list(dict.fromkeys(numbers.setdefault(key, len(numbers)) for key in full))
        return placed[keys]

    def tried(row: tuple[str | None, ...]) -> list[int]:
        try:
            return place(tuple(tagging.keys(*row)))
        except Exception:  # logged once for all rows
            return []

    for start in range(0, len(some), size):
        part = some.only(slice(start, start + size))
        columns, known = _columns(tagging, part, texts, properties)
        rows, _, row = distinct(*columns) if columns else ([()], None, np.zeros(len(part), np.int64))
        # A column at a time: properties are told of nearly every event.
        given = [map(of.get, codes) for of, codes in zip(known, zip(*rows, strict=True), strict=True)]
        of_rows = list(zip(*given, strict=True)) if given else [()]
        try:
            own = [placed.get(keys) or place(keys) for keys in map(tuple, starmap(tagging.keys, of_rows))]
        except Exception:
            # One event that a plugin cannot read must not stop the index, nor many fill the log.
            if not failed:
                log.exception("The tagger %s fails; events are counted without its keys", followed.unit.namespace)
            failed = True
            own = list(map(tried, of_rows))
        counts = np.fromiter(map(len, own), np.int64, len(own))
        flat = np.fromiter(chain.from_iterable(own), np.int64)
        starts = np.cumsum(counts) - counts
        of_event = counts[row]
        within = np.arange(of_event.sum()) - np.repeat(np.cumsum(of_event) - of_event, of_event)
        events.append(start + np.repeat(np.arange(len(part)), of_event))
        places.append(flat[np.repeat(starts[row], of_event) + within])
    none = np.zeros(0, np.int64)
    return np.concatenate([none, *events]), np.concatenate([none, *places])


def _columns(
    tagging: Tagging, part: Arrivals, texts: Texts, properties: Properties
) -> tuple[list[Integers], list[Mapping[int, str]]]:
    """What `keys` is given of each event as numbers, and the texts they stand for."""
    columns: list[Integers] = []
    known: list[Mapping[int, str]] = []
    for name in tagging.columns:
        if name == "properties":
            has = properties(part.sequence.tolist(), tagging.named)
            columns.append(np.where(np.isin(part.sequence, list(has)), part.sequence, 0))
            known.append(has)
        elif name == VALUED:
            columns.append((~np.isnan(part.value)).astype(np.int64))
            known.append({1: VALUED})
        else:
            columns.append(part.codes[name])
            known.append(texts(unique(part.codes[name]).tolist()))
    return columns, known


def _full(unit: str, key: str) -> str:
    """A key behind its definition's id."""
    full = (f"{unit}/{key}" if unit and key else unit or key)[:KEY_MAX]
    # Half a surrogate pair cannot be stored, behind a NUL stores look no further, and some do not take one in JSON.
    return readable(full.encode("utf-8", "replace").decode().replace("\0", "?"))


def _seen(some: Arrivals, place: Integers, names: Sequence[str]) -> list[Seen]:
    """When each key was first and last seen in these events."""
    order = np.lexsort((some.sequence, some.time, place))
    starts = np.searchsorted(place[order], np.arange(len(names)))
    first, last = order[starts], order[np.append(starts[1:], len(order)) - 1]
    columns = some.time[first], some.time[last], some.sequence[first], some.sequence[last]
    return [Seen(name, *row) for name, *row in zip(names, *(column.tolist() for column in columns), strict=True)]
