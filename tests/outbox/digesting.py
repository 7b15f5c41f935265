"""A project whose digest somebody follows, with events of two weeks, and one run of the job."""

import re
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import saastracker_errors
import saastracker_home
from saastracker.contracts import Group, ReportPage, Setup, Store, Submission
from saastracker.definitions import NOTHING_DEFINED
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.job import JobContext, Notice
from saastracker.notify import Notices
from saastracker.web import digest
from saastracker.wire import Project, Reply
from tests.indexed import at
from tests.outbox.conftest import Office
from tests.web.conftest import PlainConfig

ZONE = "Europe/Berlin"
URL = "https://analytics.example"
MONDAY = at("2026-11-16 00:00", ZONE)  # the first day of the week that is told of
READ = at("2026-11-23 07:00", ZONE)  # the Monday after
_ids = count()


def reports(office: Office) -> dict[str, ReportPage]:
    config = PlainConfig(office.folder)
    pages = [
        *saastracker_errors.reports(config, NOTHING_DEFINED),
        *saastracker_home.reports(config, NOTHING_DEFINED, lambda _: Setup()),
    ]
    return {page.slug: page for page in pages}


def store_events(store: Store, project: Project, events: Sequence[Event]) -> None:
    for event in events:
        event.received_at = event.time or 0
    store.append(Group([Submission(project, list(events), 0, Reply(202, b""))]))
    taggers = saastracker_errors.taggers(PlainConfig(Path()))
    indexer = Indexer(store.index, lambda: {project.id: project.timezone}, lambda work: work(), taggers=taggers)
    indexer.begin()
    while any(indexer.step()):
        pass


def event(ms: int, org: str = "acme", user: str = "ada", **more: Any) -> Event:
    return Event(name=more.pop("name", "open"), time=ms, org=org, user=user, session=f"s{next(_ids)}", **more)


def run(
    store: Store,
    office: Office,
    now: int,
    pages: Mapping[str, ReportPage] | None = None,
    project: Project | None = None,
) -> list[Notice]:
    """What one run of the job hands back; it is queued as the scheduler does it."""
    office.accounts.refresh()
    pages = reports(office) if pages is None else pages
    job = digest.weekly(office.records, pages, office.outbox().follows, URL)
    projects = [each for each in office.facts.snapshot.projects.values() if project is None or each.id == project.id]
    context = JobContext(
        now=now,
        projects=projects,
        definitions=NOTHING_DEFINED,
        reader=store.reader,
        progress=lambda _done, _total: None,
        cancelled=lambda: False,
    )
    found = list(job.run(context))
    Notices(office.records).add(digest.NAME, found, now)
    return found


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())
