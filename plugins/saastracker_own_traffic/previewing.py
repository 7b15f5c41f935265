"""How much was left out so far, and what events there are of people who would be."""

import numpy as np

from saastracker.active import active
from saastracker.contracts import Reader
from saastracker.report import Column, Figure, Figures, Report, Table
from saastracker.scope import Scope
from saastracker_own_traffic.sorting import OwnTraffic, Sieve

COLUMNS = (
    Column("person", "Person", link="people/{person}"),
    Column("events", "Events", "number", look="rank"),
)


def preview(reader: Reader, scope: Scope, own: OwnTraffic) -> Report:
    """Of addresses, hosts and traits nothing can be said: they are not kept."""
    actors = reader.actors(scope.project)
    texts, sieve = reader.texts(actors.person_codes), Sieve(own)
    mine = [
        number
        for number, code in enumerate(actors.person_codes)
        if not actors.anonymous[number] and sieve.is_person(texts[code])
    ]
    seen = active(reader, scope, actors, scope.span)
    events = np.zeros(len(actors.person_codes) + 1, np.int64)  # the last for nobody, numbered -1
    np.add.at(events, actors.person[seen.actor], seen.events)
    found = {texts[actors.person_codes[number]]: int(events[number]) for number in mine if events[number]}
    rows = [[person, found[person]] for person in sorted(found, key=lambda person: (-found[person], person))]
    days = (scope.span.last - scope.span.first).days + 1
    left_out = reader.refusals(scope.project).get("own_traffic", 0)
    return Report(
        blocks=(
            Figures(
                key="own",
                title="Own traffic",
                figures=(
                    Figure(
                        key="left_out",
                        label="Left out so far",
                        value=left_out,
                        about="Events that were answered as accepted and not stored.",
                        link="stream?block=reasons",
                    ),
                    Figure(
                        key="stored",
                        label=f"Stored, last {days} days",
                        value=sum(found.values()),
                        about="By these users and e-mail domains. They stay; only new ones are left out.",
                    ),
                ),
            ),
            Table(key="people", title="People who would be left out", columns=COLUMNS, rows=rows),
        )
    )
