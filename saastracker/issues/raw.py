"""Error events one by one, found through the index: for what its cells cannot tell."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from saastracker.actors import Actors
from saastracker.conditions import DAY_MS, stretches
from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.index import Integers, day_number
from saastracker.issues.counted import Counted, event_names
from saastracker.issues.grouping import Failure, failure, is_error
from saastracker.issues.kinds import key_of
from saastracker.moments import moments
from saastracker.scope import Scope, Span
from saastracker.segments import Moments

READ_MAX = 50_000  # events of one question
READ_AT_ONCE = 1000


class Read(NamedTuple):
    place: int  # in the moments
    event: Event
    error: Failure

    def key(self, how: Counted) -> str:
        return key_of(self.error, how.grouping)


def candidates(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Moments:
    """Events of `span` that may be errors, in the scope's environment and by its filters, newest first."""
    found = moments(reader, scope, actors, span, event_names(reader, scope.project))
    return found.only(found.places()[::-1])


def every(reader: Reader, scope: Scope, actors: Actors, span: Span) -> tuple[Moments, Iterator[Read]]:
    """All errors of `span`. Raises Invalid where they are too many."""
    found = candidates(reader, scope, actors, span)
    if len(found) > READ_MAX:
        raise Invalid("from, to: too many errors to look at one by one; ask for a shorter span or without filters")
    return found, read(reader, found)


def read(reader: Reader, found: Moments) -> Iterator[Read]:
    """The errors among some events, in their order."""
    for start in range(0, min(len(found), READ_MAX), READ_AT_ONCE):
        sequences = found.sequence[start : start + READ_AT_ONCE].tolist()
        places = {sequence: start + place for place, sequence in enumerate(sequences)}
        for event in reader.events(sequences):
            if is_error(event):
                yield Read(places[event.sequence], event, failure(event.name, event.properties))


def failures(reader: Reader, sequences: Iterable[int]) -> dict[int, Failure]:
    """What error events say, by their sequence numbers; those gone are left out."""
    events = reader.events(sorted(set(sequences)))
    return {event.sequence: failure(event.name, event.properties) for event in events}


def of_day_after(reader: Reader, project: str, day: Span, time: int, how: Counted) -> list[str]:
    """The keys of the errors of a day that happened after a moment."""
    number = day_number(day.first)
    found = reader.moments(project, number, number, event_names(reader, project))
    return [each.key(how) for each in read(reader, found.only(found.time > time))]


def local_days(times: Integers, span: Span) -> Integers:
    """The local dates of moments within a span, in days since 1970."""
    days = np.zeros(len(times), np.int64)
    for part in stretches(span):
        inside = (times >= part.start) & (times < part.end)
        days[inside] = (times[inside] + part.offset) // DAY_MS
    return days
