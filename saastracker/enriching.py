"""What enrichers make of events before they are stored."""

from collections.abc import Iterable

from saastracker.event import Event
from saastracker.wire import Enricher, Project, Sender


def enrich(
    enrichers: Iterable[Enricher], events: list[Event], project: Project, sender: Sender, address: str | None = None
) -> tuple[list[Event], list[Event]]:
    """Events to store, and those that an enricher leaves out."""
    for enricher in enrichers:
        enricher.enrich(events, project, sender, address)
    dropped = [event for event in events if event.drop]
    return [event for event in events if not event.drop] if dropped else events, dropped
