"""Every report says the same of the same events, whichever store keeps them: subclass `SameReports`.

A test module overrides `open_other`. What SQLite says is asked once for all of them that one process runs.
"""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeAlias

import msgspec
import pytest

from saastracker.cli.options import Installation, Options
from saastracker.contracts import Group, ReportPage, Store, Submission
from saastracker.demo.load import DEMOS, Demo, define
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.index_store import IndexState
from saastracker.indexer import Indexer
from saastracker.merging import merging
from saastracker.scope import Scope
from saastracker.testing import NOW
from saastracker.wire import Project, Reply
from saastracker_sqlite.store import SqliteStore

SHARE = 40  # one person of so many
GROUP = 2000  # events
FILTERS = (
    "range=90d",
    "range=90d&compare=year&environment=production",
    "range=30d&f=country:is:DE&f=country:is:NL",
    "range=90d&f=org:exists&f=path:starts_with:/b",
    "range=90d&f=name:contains:e&f=plan:is_not:pro",
    "range=90d&f=prop.format:is:pdf",
    "range=90d&f=prop.format:exists",
    "range=90d&f=prop.seconds:gt:2.5",
    "range=90d&f=user:contains:a&f=browser:is:Firefox",
)
DETAILED = FILTERS[:1] + FILTERS[5:6]  # how the things that reports list are asked for
MEASURED = tuple(
    f"range=90d&measure={measure}&by={by}&interval={interval}"
    for measure in ("events", "persons", "organizations", "sessions", "sum", "avg", "min", "max", "p50", "p95")
    for by, interval in (("name", "day"), ("country,prop.format", "month"), ("org", "week"), ("user", ""), ("", "hour"))
)


OpenOther: TypeAlias = Callable[[Path, Installation], Store]


class Pair(NamedTuple):
    installation: Installation
    stores: Sequence[Store]
    projects: Sequence[Project]


class Compared(NamedTuple):
    """What the others are compared with: SQLite's store, and what it said by project, report, query and item."""

    installation: Installation
    store: Store
    projects: Sequence[Project]
    said: dict[tuple[str, str, str, str | None], Any]


@cache
def made_up(demo: Demo) -> Sequence[Event]:
    who = ((event, event.user or event.anonymous or "") for event in demo.events(NOW))
    events = [event for event, person in who if zlib.crc32(person.encode()) % SHARE == 0]
    for number, event in enumerate(events):
        vary(event, number // GROUP)
    return events


@contextmanager
def compared(folder: Path) -> Iterator[Compared]:
    (folder / "config.toml").touch()
    with (
        Options(folder, folder / "config.toml").open() as installation,
        closing(SqliteStore(folder / "events.db")) as store,
    ):
        workspace = installation.facts.default_workspace().id
        projects = [installation.facts.add_project(demo.name, workspace, timezone=demo.timezone) for demo in DEMOS]
        for demo in DEMOS:
            define(demo, installation.facts, installation.definitions, NOW)
        keep(installation, store, projects)
        yield Compared(installation, store, projects, {})


def keep(installation: Installation, store: Store, projects: Sequence[Project]) -> None:
    """All events of the demos, with their index."""
    store.claim()
    for demo, project in zip(DEMOS, projects, strict=True):
        fill(store, project, made_up(demo))
    follow(installation, store)


def fill(store: Store, project: Project, events: Sequence[Event]) -> None:
    own = map(msgspec.structs.replace, events)  # a store gives each its number
    for group in iter(lambda: list(islice(own, GROUP)), []):
        store.append(Group([Submission(project, group, NOW, Reply(202, b"{}"))]))


def vary(event: Event, number: int) -> None:
    """Properties of every kind, that the demo has none of."""
    if zlib.crc32(event.name.encode()) % 3 == number % 3:
        kinds = (b'"pdf"', b'"csv"', b"null", b"true", b"5.0", b"12", b'["a", 1]', b'""', b"1.25")
        kind = kinds[zlib.crc32(f"{event.time}".encode()) % len(kinds)]
        own = msgspec.json.decode(event.properties or b"{}", type=dict[str, Any])
        properties = own | {"format": msgspec.Raw(kind), "seconds": (event.time or 0) % 97 / 8}
        event.properties = msgspec.json.encode(properties).decode()


def follow(installation: Installation, store: Store) -> IndexState:
    zones = {project.id: project.timezone for project in installation.facts.snapshot.projects.values()}
    indexer = Indexer(
        store.index,
        lambda: zones,
        lambda work: work(),
        taggers=installation.registry.taggers,
        definitions=installation.definitions,
    )
    indexer.begin()
    while any(indexer.step()):
        pass
    return store.index.state()


def said(pair: Pair, store: Store, project: Project, page: ReportPage, query: str, item: str | None) -> Any:
    """A report as JSON, or why there is none."""
    own = page.parameters if item is None else page.detail_parameters
    with merging(store, pair.installation.definitions).reader(120.0) as reader:
        try:
            scope = Scope.parse(query, project=project.id, timezone=project.timezone, now=NOW, declared=own)
            if item is None:
                report = page.load(reader, scope)
            else:
                assert page.detail is not None
                report = page.detail(reader, scope, item)
        except Invalid as error:
            return error.detail
        return msgspec.json.decode(msgspec.json.encode(report, enc_hook=list))  # rows that are made late, too


def differences(one: Any, other: Any, at: str = "") -> Iterator[str]:
    """Where they differ, but for the last bits of sums of fractions: engines add them up in orders of their own."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key, value in one.items():
            yield from differences(value, other[key], f"{at}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, theirs, f"{at}[{place}]")
    elif isinstance(one, float) and isinstance(other, float | int):
        if not math.isclose(one, other, rel_tol=1e-12):
            yield f"{at}: {one} {other}"
    elif one != other:
        yield f"{at}: {one} {other}"


def items(pair: Pair, project: Project, page: ReportPage, most: int) -> list[str]:
    """Some of what a report lists."""
    if page.search is None or page.detail is None:
        return []
    with merging(pair.stores[0], pair.installation.definitions).reader() as reader:
        return [match.item for match in page.search(reader, project.id, "a", most)]


def slugs() -> list[str]:
    return [
        *("activity", "adoption", "custom", "errors", "explorer", "funnels", "health", "home", "organizations"),
        *("pages", "paths", "people", "resources", "retention", "runs", "sessions", "signals", "sources", "stream"),
        "vitals",
    ]


class SameReports:
    details: ClassVar = 2  # of each report
    every: ClassVar = 1  # each project is asked one question of so many, not the same ones: some stores answer slowly

    @pytest.fixture(scope="class")
    @classmethod
    def open_other(cls) -> OpenOther:
        """Opens the store that is compared with SQLite, empty and not claimed."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls, tmp_path_factory: pytest.TempPathFactory, same: Compared, open_other: OpenOther) -> Iterator[Pair]:
        with closing(open_other(tmp_path_factory.mktemp("same"), same.installation)) as other:
            keep(same.installation, other, same.projects)
            yield Pair(same.installation, [same.store, other], same.projects)

    def test_all_reports_are_compared(self, pair: Pair) -> None:
        assert {*slugs()} == {*pair.installation.registry.reports}

    @pytest.mark.parametrize("slug", slugs())
    def test_a_report_says_the_same(self, pair: Pair, same: Compared, slug: str) -> None:
        page = pair.installation.registry.reports[slug]
        answered = 0
        for number, project in enumerate(pair.projects):
            asked = FILTERS[number :: self.every] + (MEASURED[number :: self.every] if slug == "explorer" else ())
            for query in asked:
                for item in (None, *(items(pair, project, page, self.details) if query in DETAILED else ())):
                    asked_for = project.id, slug, query, item
                    if asked_for not in same.said:
                        same.said[asked_for] = said(pair, pair.stores[0], project, page, query, item)
                    here, there = same.said[asked_for], said(pair, pair.stores[1], project, page, query, item)
                    found = list(differences(here, there))
                    assert not found, (project.slug, query, item, found[:5])
                    answered += isinstance(here, dict)
        assert answered >= len(FILTERS)

    def test_the_stores_have_the_same_index(self, pair: Pair) -> None:
        here, there = (store.index.state() for store in pair.stores)
        assert (here.watermark, here.newest, here.last_actor) == (there.watermark, there.newest, there.last_actor)
        assert here.first == there.first
        assert here.newest > 10_000
