"""Own traffic: what one's own people cause is answered as accepted, counted, and not stored."""

from collections.abc import Sequence

from saastracker.compiled import Compiled
from saastracker.contracts import Reader
from saastracker.definition import Definition, Definitions
from saastracker.event import Event
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker.wire import Enricher, Project, Sender
from saastracker_own_traffic.sorting import OwnTraffic, Sieve, check

KIND = "own-traffic"  # of definition
REASON = "own_traffic"


class Exclusion:
    """Leaves out own traffic, by what the project says it is."""

    name = "own-traffic"

    def __init__(self, definitions: Definitions) -> None:
        self._sieves = Compiled(definitions, KIND, Sieve)

    def enrich(self, events: Sequence[Event], project: Project, sender: Sender, address: str | None) -> None:  # noqa: ARG002
        sieve = self._sieves.of(project.id)
        if sieve is None:
            return
        for event in events:
            if event.drop is None and sieve.is_own(event, address):
                event.drop = REASON


@hookimpl
def enrichers(definitions: Definitions) -> Sequence[Enricher]:
    return [Exclusion(definitions)]


@hookimpl
def definitions() -> Sequence[Definition]:
    return [
        Definition(
            kind=KIND,
            title="Own traffic",
            about="Events of your own people, which are answered as accepted, counted, and not stored.",
            struct=OwnTraffic,
            check=check,
            preview=preview,
            most=1,
        )
    ]


def preview(
    reader: Reader, scope: Scope, _definitions: Definitions, own: OwnTraffic, _current: OwnTraffic | None
) -> Report:
    """How much was left out so far, and what is there of those who would be."""
    from saastracker_own_traffic.previewing import preview as counted  # noqa: PLC0415  # numpy takes 13 MB

    return counted(reader, scope, own)
