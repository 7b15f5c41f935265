"""The list of people who were active in a span."""

import numpy as np

from saastracker.active import active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import Integers
from saastracker.persons import Person, joining
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope
from saastracker.told import Memory, email, full_name

COLUMNS = (
    Column(
        "person",
        "Person",
        called="name",
        link="people/{person}",
        dimension="user",
        about="By name where one was sent, else by user id, or the anonymous id of a visitor.",
    ),
    Column("email", "E-mail"),
    Column("name", "Name", place="never"),
    Column(
        "org",
        "Organization",
        link="organizations/{org}",
        dimension="org",
        about="The one of the person's last event in any.",
    ),
    Column("events", "Events", "number", look="rank", link="people/{person}", about="The person's events in the span."),
    Column("first_seen", "First seen", "time", "wide", about="The first event ever, in any environment."),
    Column("last_seen", "Last seen", "time", about="The last event of all, in any environment."),
)


def listing(reader: Reader, scope: Scope, memory: Memory) -> Report:
    actors = reader.actors(scope.project)
    seen = active(reader, scope, actors, scope.span)
    seen = seen.only(actors.person[seen.actor] >= 0)
    events = np.zeros(len(actors.person_codes), np.int64)
    np.add.at(events, actors.person[seen.actor], seen.events)
    shown = sorted(np.flatnonzero(events).tolist(), key=lambda person: (-events[person], person))
    orgs = _latest_orgs(actors)
    texts = reader.texts([*(actors.person_codes[person] for person in shown), *actors.org_codes])
    traits = memory.told(reader, scope.project).traits(joining(reader, actors))
    first, last = actors.person_first(), actors.person_last()
    rows = []
    for person in shown:
        who = Person(bool(actors.anonymous[person]), texts[actors.person_codes[person]])
        known = traits(who)
        org = int(orgs[person])
        rows.append(
            [
                who.id,
                email(known),
                full_name(known),
                texts[actors.org_codes[org]] if org >= 0 else None,
                int(events[person]),
                int(first[person]),
                int(last[person]),
            ]
        )
    return Report(blocks=(Table(key="people", title="People", columns=COLUMNS, rows=rows),))


def _latest_orgs(actors: Actors) -> Integers:
    """The organization in which each person was last; -1 for none."""
    orgs = np.full(len(actors.person_codes), -1, np.int64)
    both = np.flatnonzero((actors.person >= 0) & (actors.org >= 0))
    both = both[np.argsort(actors.last[both], kind="stable")]
    orgs[actors.person[both]] = actors.org[both]  # the last assignment stays
    return orgs
