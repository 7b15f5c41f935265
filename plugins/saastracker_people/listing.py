"""The list of people who were active in a span."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from saastracker.active import active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import Integers
from saastracker.late import Late
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
    shown = np.flatnonzero(events)
    shown = shown[np.argsort(-events[shown], kind="stable")]
    orgs = _latest_orgs(actors)
    traits = memory.told(reader, scope.project).traits(joining(reader, actors))
    first, last = actors.person_first(), actors.person_last()

    def rows(persons: Sequence[int]) -> list[list[Any]]:
        inside = [int(org) for org in orgs[persons]] if persons else []
        texts = reader.texts(
            [*(actors.person_codes[person] for person in persons), *(actors.org_codes[org] for org in {*inside} - {-1})]
        )
        made: list[list[Any]] = []
        for person, org in zip(persons, inside, strict=True):
            who = Person(bool(actors.anonymous[person]), texts[actors.person_codes[person]])
            known = traits(who)
            made.append(
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
        return made

    late = Late(shown.tolist(), rows, {"events": events.item, "first_seen": first.item, "last_seen": last.item})
    return Report(blocks=(Table(key="people", title="People", columns=COLUMNS, rows=late),))


def _latest_orgs(actors: Actors) -> Integers:
    """The organization in which each person was last; -1 for none."""
    orgs = np.full(len(actors.person_codes), -1, np.int64)
    both = np.flatnonzero((actors.person >= 0) & (actors.org >= 0))
    both = both[np.argsort(actors.last[both], kind="stable")]
    orgs[actors.person[both]] = actors.org[both]  # the last assignment stays
    return orgs
