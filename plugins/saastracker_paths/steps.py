"""What sessions did, step by step, from the index."""

from collections import Counter
from datetime import timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.dwell import in_sessions, session_keys
from saastracker.index import OTHER, Integers, day_number, unique
from saastracker.moments import sequences
from saastracker.scope import Filter, Scope, Span
from saastracker.segments import Moments
from saastracker.tagger import KEY_MAX
from saastracker.visits import Visits
from saastracker_paths import VITALS

PAGELEAVE = "$pageleave"


class Steps(msgspec.Struct):
    """The steps of sessions, session after session in their order; repeats in a row are one step."""

    labels: list[str]  # paths of page views and names of other events
    label: Integers  # place in `labels`
    session: Integers  # number from 0, ascending

    def first(self, label: int) -> Integers:
        """Where each session that has it has a label first."""
        places = np.flatnonzero(self.label == label)
        return places[np.diff(self.session[places], prepend=-1) > 0]

    def at(self, places: Integers, distance: int) -> Integers:
        """The labels so many steps after (below 0: before) some places, -1 where the session has none there."""
        there = places + distance
        inside = (there >= 0) & (there < len(self.label))
        there[~inside] = 0
        inside &= self.session[there] == self.session[places]
        return np.where(inside, self.label[there], -1)


def steps(reader: Reader, scope: Scope, actors: Actors, visits: Visits) -> Steps:
    """The steps of some sessions that began in the span, up to the end of the day after it."""
    after = scope.span.last + timedelta(days=1)
    span = Span(scope.span.first, after, scope.span.timezone)
    first, last = day_number(span.first), day_number(span.last)
    found = reader.moments(scope.project, first, last, None, scope.environment)
    found, order, keys = in_sessions(found.only(~_passing(reader, scope, span, found)), actors)
    begins = np.diff(keys, prepend=-1) != 0
    session = np.cumsum(begins) - 1
    wanted = np.isin(keys[begins], session_keys(visits.person, visits.row.session))
    labels, label = _labels(reader, found)
    label = label.take(order)
    kept = wanted[session] & (begins | (np.diff(label, prepend=-1) != 0))
    return Steps(labels, label[kept], session[kept])


def _labels(reader: Reader, found: Moments) -> tuple[list[str], Integers]:
    """The distinct labels of some events, and which of them each has."""
    codes = unique(found.path)
    texts = reader.texts(codes.tolist())
    numbers: dict[str, int] = {}
    of_name = np.array([numbers.setdefault(name, len(numbers)) for name in found.names], np.int64)
    of_path = np.array([numbers.setdefault(texts.get(code, ""), len(numbers)) for code in codes.tolist()], np.int64)
    return list(numbers), np.where(found.path > 0, of_path[np.searchsorted(codes, found.path)], of_name[found.name])


def _passing(reader: Reader, scope: Scope, span: Span, found: Moments) -> NDArray[np.bool_]:
    """Which of all events of a span are no steps: those that tell of leaving a page, and vitals."""
    first, last = day_number(span.first), day_number(span.last)
    vitals: Counter[str] = Counter()
    for _, key, cell in reader.days(scope.project, VITALS, first, last, None, scope.environment):
        vitals[key] += cell.events
    events: Counter[str] = Counter()
    for name, count in zip(found.names, np.bincount(found.name, minlength=len(found.names)).tolist(), strict=True):
        events[name[:KEY_MAX]] += count
    told = reader.tagged(scope.project, VITALS) == 1 and OTHER not in vitals
    only = {key for key, count in vitals.items() if told and count == events[key]}
    names = [number for number, name in enumerate(found.names) if name == PAGELEAVE or name[:KEY_MAX] in only]
    passing = np.isin(found.name, names)
    if not told or len(only) < len(vitals):
        # Vitals share names with other events, so that only the events themselves tell which they are.
        shared = [name for name in found.names if told and name[:KEY_MAX] in vitals.keys() - only]
        filters = (Filter("type", "is", "vital"), *(Filter("name", "is", name) for name in shared))
        asked = msgspec.structs.replace(scope, filters=filters)
        passing |= np.isin(found.sequence, sequences(reader, asked, span.start, span.end))
    return passing
