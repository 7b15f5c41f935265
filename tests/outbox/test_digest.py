"""The weekly digest: what it says of which week, when, to whom, and that it is computed only for somebody."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

import saastracker_errors
import saastracker_home
from saastracker.accounts.model import Signed
from saastracker.contracts import Digest, Group, Reader, ReportPage, Setup, Store, Submission
from saastracker.definitions import NOTHING_DEFINED
from saastracker.errors import Unavailable
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.job import JobContext, Notice
from saastracker.notify import Notices
from saastracker.report import (
    Column,
    Figure,
    Figures,
    Flow,
    Grid,
    Link,
    Measure,
    Node,
    Note,
    Point,
    Report,
    Series,
    Steps,
    Table,
)
from saastracker.scope import Scope
from saastracker.web import digest
from saastracker.wire import Project, Reply
from saastracker_sqlite.store import SqliteStore
from tests.indexed import DAY, HOUR, at
from tests.outbox.conftest import MINUTE, Office
from tests.web.conftest import PlainConfig

ZONE = "Europe/Berlin"
URL = "https://analytics.example"
MONDAY = at("2026-11-16 00:00", ZONE)  # the first day of the week that is told of
READ = at("2026-11-23 07:00", ZONE)  # the Monday after
_ids = count()


@pytest.fixture
def store(office: Office) -> Iterator[Store]:
    with closing(SqliteStore(office.folder / "saastracker.db")) as store:
        store.claim()
        yield store


@pytest.fixture
def shop(office: Office, owner: Signed) -> Project:
    """A project in Berlin, whose digest Ada follows."""
    office.accounts.subscriptions.choose(owner, office.workspace.id, {digest.NAME: True}, READ)
    office.topics[digest.NAME] = digest.TOPIC
    return office.facts.add_project("Bäckerei", office.workspace.id, timezone=ZONE)


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


def test_what_it_says(store: Store, office: Office, shop: Project) -> None:
    week = [event(MONDAY + day * DAY + hour * HOUR) for day in range(7) for hour in range(day + 1)]  # 28 events
    week += [event(MONDAY + 3 * DAY, "globex", f"u{number}") for number in range(3)]
    before = [event(MONDAY - 2 * DAY, "globex", f"u{number}") for number in range(20)]
    outside = [event(MONDAY - 8 * DAY), event(MONDAY + 7 * DAY)]  # not in one of the two weeks
    failures = [
        event(MONDAY - DAY, name="error", type="error", properties='{"message":"Old and known"}'),
        event(MONDAY + DAY, name="error", type="error", properties='{"message":"Old and known"}'),
        event(MONDAY + DAY, name="error", type="error", properties='{"message":"<b>Out</b> of cheese"}'),
    ]
    store_events(store, shop, [*before, *week, *outside, *failures])
    [notice] = run(store, office, READ, project=shop)
    assert (notice.project, notice.key) == (shop.id, "2026-W47")
    assert notice.title == "The week of 16 Nov \N{EN DASH} 22 Nov"
    assert notice.link == "home?from=2026-11-16&to=2026-11-22"
    lines = notice.text.split("\n")
    # 28 + 3 + 2 events against 20 + 1; ada and u0 to u2 against u0 to u19 and ada
    assert lines[:4] == [
        "Events: 33 (↑ 12)",
        "Active persons: 4 (↓ 17)",
        "Active organizations: 2 (no change)",
        "Sessions: 33 (↑ 12)",
    ]
    assert lines[5:7] == ["Events a day:", "Mon 1, Tue 4, Wed 3, Thu 7, Fri 5, Sat 6, Sun 7"]
    assert "- acme: events 30, before 1, change +29" in lines
    assert "- globex: events 3, before 20, change \N{MINUS SIGN}17" in lines
    assert next(line for line in lines if "cheese" in line).endswith("errors 1, persons 1, organizations 1")
    assert "Old and known" not in notice.text
    text = words(notice.html)
    for told in (
        "Events 33 ↑ 12",
        "acme 30 1 +29",
        "globex 3 20 \N{MINUS SIGN}17",
        "New errors",
        "&lt;b&gt;Out&lt;/b&gt; of cheese",
    ):
        assert told in text, (told, text)
    assert "<b>Out" not in notice.html
    assert f'href="{URL}/p/backerei/organizations/acme?from=2026-11-16&amp;to=2026-11-22"' in notice.html
    assert not re.search(r"<(script|style|svg|img|link)|url\(", notice.html)
    assert set(re.findall(r'href="(https?://[^/"]+)', notice.html)) == {URL}


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-11-23 06:59", False),  # Monday, before the morning
        ("2026-11-23 07:00", True),
        ("2026-11-24 15:00", True),  # the server was down
        ("2026-11-25 23:59", True),
        ("2026-11-26 00:00", False),
        ("2026-11-29 12:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"])
def test_when(zone: str, now: str, told: bool) -> None:
    project = Project(id="x", slug="x", name="x", workspace="w", timezone=zone)
    expected = date(2026, 11, 16) if told else None
    assert digest.due(project, at(now, zone)) == expected


def test_weeks_of_new_year() -> None:
    assert digest.key(date(2026, 12, 28)) == "2026-W53"
    assert digest.key(date(2027, 1, 4)) == "2027-W01"


def test_each_week_once(store: Store, office: Office, shop: Project) -> None:
    store_events(store, shop, [event(MONDAY + HOUR), event(MONDAY + 8 * DAY)])
    assert [notice.key for notice in run(store, office, READ)] == ["2026-W47"]
    assert run(store, office, READ + HOUR) == []
    assert run(store, office, READ + DAY) == []
    assert [notice.key for notice in run(store, office, READ + 7 * DAY)] == ["2026-W48"]


def test_nobody_follows_nothing_is_read(store: Store, office: Office, owner: Signed, shop: Project) -> None:
    store_events(store, shop, [event(MONDAY)])
    office.accounts.subscriptions.choose(owner, office.workspace.id, {digest.NAME: False}, READ)

    def load(reader: Reader, scope: Scope) -> Report:
        raise AssertionError("nobody asked")

    page = ReportPage(slug="x", title="X", section="Web", load=load, digest=Digest(blocks={"x": ""}))
    assert run(store, office, READ, {"x": page}) == []
    given = {"name": "Ops", "address": "a", "topics": [digest.NAME], "now": READ}
    by = owner.by(office.workspace.id)
    office.accounts.subscriptions.add(office.workspace.id, office.hook, project=office.shop.id, by=by, **given)  # type: ignore[arg-type]
    assert run(store, office, READ) == [], "the destination hears of another project"
    office.accounts.subscriptions.add(office.workspace.id, office.hook, project=shop.id, by=by, **given)  # type: ignore[arg-type]
    assert len(run(store, office, READ)) == 1


def test_a_project_without_events_says_nothing(store: Store, office: Office, shop: Project) -> None:
    assert run(store, office, READ) == []
    store_events(store, shop, [event(MONDAY - 20 * DAY)])
    assert run(store, office, READ) == []
    store_events(store, shop, [event(MONDAY - 2 * DAY)])
    [notice] = run(store, office, READ)
    assert "Events: 0 (↓ 1)" in notice.text


def test_several_projects_make_one_mail(store: Store, office: Office, shop: Project) -> None:
    store_events(store, office.shop, [event(MONDAY + HOUR)])
    store_events(store, shop, [event(MONDAY + HOUR)])
    for now in (READ + 2 * HOUR, READ + 2 * HOUR + 5 * MINUTE):
        run(store, office, now)
        office.run(now)
    [message] = office.post.sent
    assert message.subject == "Default: Weekly digest (2)"
    assert [item.project for item in message.items] == ["Shop", "Bäckerei"]
    assert "Bäckerei: The week of" in message.text
    assert words(message.html).count("Active persons 1") == 2


# --- Reports of others ---


def every_kind(reader: Reader, scope: Scope) -> Report:
    """One block of each kind, of a plugin that means no harm, with names that somebody else chose."""
    evil = "<script>alert('nobody')</script>"
    columns = (
        Column("name", "Name", link="things/{name}"),
        Column("kind", "Kind", "tag"),
        Column("n", "Number", "number", look="rank"),
        Column("share", "Share", "number", unit="share"),
        Column("spark", "Trend", "spark"),
        Column("hidden", "Hidden", "text", "never"),
    )
    rows = [[f"{evil}{number}", "so_so", 10 - number, number / 10, [1, 2], "h"] for number in range(9)]
    days = [date(2026, 11, 16 + number) for number in range(7)]
    return Report(
        blocks=(
            Figures(key="figures", title="F", figures=(Figure(key="a", label=evil, value=1, unit="share"),)),
            Series(
                key="series",
                title="S",
                interval="day",
                measures=(Measure("m", "M"),),
                points=[Point(day, {"m": None if day == days[0] else 2.5}) for day in days],
            ),
            Table(key="table", title="T", columns=columns, rows=rows),
            Steps(key="steps", title="St", rows=[["first", 10, 1.0, None, None, None], ["then", 5, 0.5, 0.5, 60, 90]]),
            Grid(key="grid", title="G", rows=("a",), columns=("b",), values=[[1]]),
            Flow(key="flow", title="Fl", nodes=(Node("a", "A"), Node("b", "B")), links=(Link("a", "b", 1),)),
            Note(key="note", text=evil),
            Table(key="not asked for", title="N", columns=columns, rows=rows),
        )
    )


def test_every_kind_of_block(store: Store, office: Office, shop: Project) -> None:
    keys = ("figures", "series", "table", "steps", "grid", "flow", "note")
    page = ReportPage(
        slug="things",
        title="Things",
        section="a section nobody knows",
        load=every_kind,
        digest=Digest(blocks={key: f"About {key}" for key in keys}),
    )
    [notice] = run(store, office, READ, {"things": page}, shop)
    text = words(notice.html)
    assert notice.link == "", "there is no home report"
    assert "<script" not in notice.html
    assert text.count("About") == 6, "a note alone says nothing"
    assert "100.0%" in text
    assert "Mon Tue Wed Thu Fri Sat Sun" in text
    assert "So so · Number 10 · Share 0.0%" in text, "beside long names there is no room for columns"
    assert "4 more" in text
    assert "then 5 50.0% 50.0%" in text
    assert text.count("Look at it") == 2
    assert "hidden" not in text
    assert "and 4 more: https://analytics.example/p/backerei/things?from=2026-11-16" in notice.text
    assert len(notice.html) < 20_000


@pytest.mark.parametrize("failure", [RuntimeError("a fault"), Unavailable("Later.")])
def test_a_report_that_fails_costs_nobody_the_others(
    store: Store, office: Office, shop: Project, failure: Exception
) -> None:
    def fail(reader: Reader, scope: Scope) -> Report:
        raise failure

    bad = ReportPage(slug="bad", title="Bad", section="Web", load=fail, digest=Digest(blocks={"x": ""}))
    wrong = msgspec.structs.replace(bad, slug="wrong", load=every_kind, digest=Digest(blocks={"x": ""}, query="no=1"))
    store_events(store, shop, [event(MONDAY)])
    [notice] = run(store, office, READ, {"bad": bad, "wrong": wrong, **reports(office)}, shop)
    assert "Events: 1" in notice.text
