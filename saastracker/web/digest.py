"""The weekly digest: what happened in each project, on Monday morning of its zone, for those who follow it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from saastracker.contracts import Reader, RecordStore, ReportPage
from saastracker.errors import Refusal
from saastracker.job import Every, Job, JobContext, Notice, Topic
from saastracker.notify import Notices
from saastracker.scope import Scope
from saastracker.web.arranging import Arrangement
from saastracker.web.formats import days
from saastracker.web.linking import Links
from saastracker.web.mail import Part, html_face, says_something, text_face
from saastracker.web.pages import HOME, SECTIONS
from saastracker.wire import Project

log = logging.getLogger("saastracker.digest")

NAME = "digest"
TOPIC = Topic(title="Weekly digest")
HOUR = 7  # of Monday, in the project's zone
LAST_WEEKDAY = 2  # Wednesday: later nobody wants last week's news
SECONDS = 15 * 60


def weekly(
    records: RecordStore,
    reports: Mapping[str, ReportPage],
    follows: Callable[[str, Project], bool],
    public_url: str,
) -> Job:
    """The job that hands back a notice for each project and week, once; nothing is read if nobody follows it."""

    def run(context: JobContext) -> Sequence[Notice]:
        found: list[Notice] = []
        known = Notices(records).known(NAME)
        for number, project in enumerate(context.projects):
            if context.cancelled():
                break
            monday = due(project, context.now)
            if monday is None or (project.id, key(monday)) in known or not follows(NAME, project):
                continue
            context.progress(number, len(context.projects))
            with context.reader() as reader:
                notice = _notice(reader, reports, Week(project, monday, context.now, public_url))
            found += [notice] if notice else []
        return found

    return Job(name=NAME, title="Write the weekly digest", trigger=Every(SECONDS), run=run, topic=TOPIC)


def due(project: Project, now: int) -> date | None:
    """The Monday of the week to tell of, from Monday morning to the end of Wednesday."""
    local = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(project.timezone))
    if local.weekday() > LAST_WEEKDAY or (local.weekday() == 0 and local.hour < HOUR):
        return None
    return local.date() - timedelta(days=local.weekday() + 7)


def key(monday: date) -> str:
    """What tells a week's digest from another's: 2026-W47."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


class Week(NamedTuple):
    """A project's week, and who asks about it."""

    project: Project
    monday: date
    now: int
    public_url: str

    @property
    def asked(self) -> str:
        """As the query string of a report."""
        return f"from={self.monday}&to={self.sunday}"

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)


def _notice(reader: Reader, reports: Mapping[str, ReportPage], week: Week) -> Notice | None:
    """None where nothing happened, in the week before neither."""
    order = {section: place for place, section in enumerate(SECTIONS)}
    pages = sorted(reports.values(), key=lambda page: (order.get(page.section, len(order)), page.slug != HOME))
    parts = [part for page in pages for part in _parts(reader, page, week) if says_something(part.block)]
    if not parts:
        return None
    return Notice(
        project=week.project.id,
        key=key(week.monday),
        title=f"The week of {days(week.monday, week.sunday, week.sunday.year)}",
        text=text_face(parts),
        link=f"{HOME}?{week.asked}" if HOME in reports else "",
        html="".join(html_face(part) for part in parts),
    )


def _parts(reader: Reader, page: ReportPage, week: Week) -> list[Part]:
    """What a report has to say; nothing if it fails, as one plugin's fault is not to cost all others their news."""
    if page.digest is None:
        return []
    project, query = week.project, "&".join(filter(None, (week.asked, page.digest.query)))
    try:
        scope = Scope.parse(
            query, project=project.id, timezone=project.timezone, now=week.now, declared=page.parameters
        )
        report = page.load(reader, scope)
    except Refusal as refusal:
        log.warning("The digest is without the report %s: %s", page.slug, refusal.detail)
        return []
    except Exception:
        log.exception("The digest is without the report %s, which failed", page.slug)
        return []
    links = Links(f"/p/{project.slug}/{page.slug}", project.slug, scope, Arrangement())
    return [
        Part(block, page.digest.blocks[block.key], links, week.public_url)
        for block in report.blocks
        if block.key in page.digest.blocks
    ]
