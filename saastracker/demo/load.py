"""Demo projects, and how one is made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from saastracker.contracts import Group, Store, Submission
from saastracker.definitions import Definitions
from saastracker.demo import game, product
from saastracker.demo.timeline import DAY_MS, DAYS
from saastracker.event import Event
from saastracker.facts import Facts
from saastracker.wire import Reply

GROUP_EVENTS = 5000  # per transaction
_NO_REPLY = Reply(202, b"")


Defined: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]  # by kind, as the API takes them


class Demo(msgspec.Struct, frozen=True):
    """A project with made-up events; `events(now)` are the same for the same `now`."""

    name: str
    slug: str
    timezone: str
    events: Callable[[int], Iterator[Event]]
    defined: Callable[[int], Defined] = lambda now: {}  # noqa: ARG005  # for the same `now`


DEMOS = (
    Demo(
        "Harbourdesk",
        "harbourdesk",
        "Europe/Amsterdam",
        product.events,
        product.defined,
    ),
    Demo("Trackside", "trackside", "UTC", game.events),
)


def load(demo: Demo, facts: Facts, store: Store, now: int, progress: Callable[[int, int | None], None]) -> int:
    """Make a demo's project in the default workspace; how many events it got.

    `store` may append; `progress(done, total)` counts days. The project is written last, so that a
    load that was interrupted is simply done again.
    """
    with facts.at_once():
        project = facts.add_project(demo.name, facts.default_workspace().id, timezone=demo.timezone)
        events = demo.events(now)
        count = 0
        while group := list(islice(events, GROUP_EVENTS)):
            received_at = group[-1].received_at
            store.append(Group([Submission(project, group, received_at, _NO_REPLY)]))
            count += len(group)
            progress(DAYS - (now - received_at) // DAY_MS, DAYS)
    return count


def define(demo: Demo, facts: Facts, definitions: Definitions, now: int) -> None:
    """Make the definitions of a demo's project, of the kinds that plugins offer."""
    project = facts.snapshot.projects_by_slug[demo.slug]
    for kind, values in demo.defined(now).items():
        if kind in definitions.kinds:
            for each in values:
                value = definitions.read(kind, msgspec.json.encode(each))
                definitions.create(project.id, kind, value=value, who="demo")
