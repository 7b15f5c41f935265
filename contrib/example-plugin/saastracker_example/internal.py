"""The enricher "internal": leaves out what one's own staff does."""

from collections.abc import Sequence

from saastracker import Event, Project, Sender


class Internal:
    name = "internal"

    def __init__(self, organizations: Sequence[str]) -> None:
        self._organizations = frozenset(organizations)

    def enrich(self, events: Sequence[Event], project: Project, sender: Sender, address: str | None) -> None:
        for event in events:
            if event.org in self._organizations:
                event.drop = "internal"  # answered as accepted, counted under this reason, not stored
