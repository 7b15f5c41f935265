"""What a running server does for commands that change events. Implements `control.Handlers`."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from saastracker import keeping
from saastracker.contracts import Submission
from saastracker.control import Append, Appended, Progress
from saastracker.enriching import enrich
from saastracker.errors import NotFound, Unavailable
from saastracker.event import Event
from saastracker.facts import Facts
from saastracker.following import Following
from saastracker.records import now_ms
from saastracker.schedule import Scheduler
from saastracker.wire import Enricher, Reply
from saastracker.writer import Writer

FULL_SECONDS = 0.1  # between two tries while the queue is full
_NO_REPLY = Reply(202, b"")  # a command reads how many were stored instead


class Commanded:
    """On the event loop."""

    def __init__(
        self,
        facts: Facts,
        writer: Writer,
        following: Following,
        scheduler: Scheduler,
        enrichers: Sequence[Enricher],
    ) -> None:
        self._facts = facts
        self._writer = writer
        self._following = following
        self._scheduler = scheduler
        self._enrichers = enrichers

    async def append(self, append: Append) -> Appended:
        """Events that a command hands over."""
        if append.project not in self._facts.snapshot.projects:  # made a moment ago
            await asyncio.to_thread(self._facts.refresh)
        project = self._facts.snapshot.projects.get(append.project)
        if project is None or not project.active:
            raise NotFound("This project is not known to the running server.")
        events, dropped = append.events, list[Event]()
        if not append.as_is:
            events, dropped = enrich(self._enrichers, events, project, "server")
        submission = Submission(project, events, now_ms(), _NO_REPLY)
        while events:
            try:
                await self._writer.submit(submission, len(events))
                break
            except Unavailable as error:
                if error.reason != "queue_full":
                    raise
                await asyncio.sleep(FULL_SECONDS)
        stored = sum(1 for event in events if event.sequence)
        return Appended(stored, len(events) - stored, len(dropped))

    async def rebuild(self) -> AsyncIterator[Progress]:
        """Make the index again."""
        async for done, total in self._following.rebuild():
            yield Progress(done, total)

    async def run_job(self, job: str) -> AsyncIterator[Progress]:
        """Run a job to its end."""
        async for progress in keeping.run(self._scheduler, self._facts, job):
            yield progress
