"""Attempts: every `Start:X` of a span, and what became of it in its session."""

from collections import Counter
from datetime import date, timedelta

import msgspec
import numpy as np

from saastracker.actors import Actors
from saastracker.conditions import DAY_MS, conditions
from saastracker.contracts import Reader
from saastracker.index import OTHER, Integers, day_number, unique
from saastracker.moments import moments
from saastracker.parts import Parts
from saastracker.scope import Scope, Span
from saastracker.segments import Moments
from saastracker_runs.names import COMPLETE, FAIL, NAMESPACE, START, named

QUIET_MS = 30 * 60_000  # after which a session is over
OUTCOMES = 4
COMPLETED, FAILED, ABANDONED, RUNNING = range(OUTCOMES)
# What an event makes of the attempt before it in its session.
_MAKES = {START: ABANDONED, COMPLETE: COMPLETED, FAIL: FAILED}


class Attempts(msgspec.Struct):
    """Columns of equal length."""

    runs: list[str]
    run: Integers  # place in `runs`
    person: Integers  # number in Actors, -1 for nobody
    time: Integers  # ms, of its start
    sequence: Integers
    outcome: Integers
    end: Integers  # sequence of the event that completed or failed it, else 0

    def __len__(self) -> int:
        return len(self.run)

    def count(self, outcome: int) -> int:
        return int(np.count_nonzero(self.outcome == outcome))


def attempts(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Attempts:
    """The attempts that began on the days of `span`, in the scope's environment and by its filters."""
    parts = reader.parts(scope.project, day_number(span.first), day_number(span.last), scope.environment)
    found = _progression(reader, scope, actors, _until(span, int(parts.last.max(initial=0))))
    parsed = named("progression", found.names)
    runs = sorted({run for _, run in parsed.values()})
    numbered = {run: number for number, run in enumerate(runs)}
    # What other names there are stands for none.
    makes = np.array([_MAKES[parsed[name][0]] if name in parsed else -1 for name in found.names], np.int64)
    run = np.array([numbered[parsed[name][1]] if name in parsed else -1 for name in found.names], np.int64)
    found = found.only(makes[found.name] >= 0)
    makes, run, person = makes[found.name], run[found.name], actors.person[found.actor]
    order = found.places(person, found.session, run)
    makes, run, person, session = makes[order], run[order], person[order], found.session[order]
    time, sequence = found.time[order], found.sequence[order]
    followed = np.zeros(len(order), bool)  # whether the next row is of the same run in the same session
    followed[:-1] = (np.diff(person) == 0) & (np.diff(session) == 0) & (np.diff(run) == 0) & (session[1:] > 0)
    unended = np.where(np.isin(_keys(person, session), _going(actors, parts)), RUNNING, ABANDONED)
    outcome = np.where(followed, np.append(makes[1:], -1), unended)
    end = np.where(followed & (outcome != ABANDONED), np.append(sequence[1:], 0), 0)
    started = (makes == ABANDONED) & (time >= span.start) & (time < span.end)
    return Attempts(runs, *(column[started] for column in (run, person, time, sequence, outcome, end)))


def _until(span: Span, latest: int) -> Span:
    """The span and the days after it on which its sessions go on."""
    day = date(1970, 1, 1) + timedelta(days=latest // DAY_MS + 1)  # a day's margin for every zone
    return Span(span.first, max(span.last, day), span.timezone)


def _progression(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Moments:
    """Events of the type progression with names that say something."""
    between = day_number(span.first), day_number(span.last)
    counted: Counter[str] = Counter()
    for _, key, cell in reader.days(scope.project, NAMESPACE, *between, environment=scope.environment):
        counted[key] += cell.events
    names = [*named("progression", counted)]
    for _, key, cell in reader.days(scope.project, "name", *between, names, scope.environment):
        counted[key] -= cell.events
    if OTHER not in counted and not any(counted[name] for name in names):
        return moments(reader, scope, actors, span, names)
    # Not all names are known, or events of other types have them too.
    sql, parameters = conditions(scope)
    rows = reader.query(
        f"""SELECT sequence FROM events WHERE {sql} AND type = 'progression'
        AND "time" >= :start AND "time" < :end""",
        **parameters,
        start=span.start,
        end=span.end,
    )
    found = moments(reader, scope, actors, span)
    return found.only(np.isin(found.sequence, np.array(rows, np.int64).reshape(-1)))


def _going(actors: Actors, parts: Parts) -> Integers:
    """The sessions that go on: without a `Session:End`, and not yet quiet for long.

    Numbers must not depend on when they are asked for, so now is the newest event there is.
    """
    quiet = int(actors.last.max(initial=0)) - QUIET_MS
    late = parts.only(parts.last > quiet)
    keys = _keys(actors.person[late.actor], late.session)
    sessions = late.merged(keys)
    return unique(keys)[sessions.ended < sessions.last]


def _keys(person: Integers, session: Integers) -> Integers:
    """Person and session as one number; both are well below 2**31."""
    return (person + 1) << 32 | session
