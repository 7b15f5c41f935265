"""A site on a real store with two workspaces."""

import asyncio
import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
import msgspec
import pytest
from litestar import Litestar

import saastracker_sqlite
import saastracker_stream
from saastracker import keeping
from saastracker.accounts import Accounts
from saastracker.conditions import DAY_MS
from saastracker.config import load_config
from saastracker.contracts import Group, Reader, RecordStore, Refused, Store, Submission
from saastracker.definition import Definition
from saastracker.definition import Definitions as LiveView
from saastracker.definitions import Definitions
from saastracker.erasures import Erasures
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.facts import Facts
from saastracker.following import IndexProgress
from saastracker.indexer import Indexer
from saastracker.job import Job, JobContext, Notice, Topic
from saastracker.live import Live
from saastracker.meter import Meter
from saastracker.metrics import Metrics
from saastracker.outbox import Outbox, topics
from saastracker.plugins import Plugins
from saastracker.report import Column, Report, Table
from saastracker.schedule import Scheduler
from saastracker.scope import Scope
from saastracker.secrets import Secrets
from saastracker.views import VIEW
from saastracker.watch import Outgoing, ServerStatus
from saastracker.web.app import Site, build_web, state_of
from saastracker.web.messages import Messages
from saastracker.wire import Project, Reply
from tests.keeping import Keeper

Settings = TypeVar("Settings", bound=msgspec.Struct)
NOW = 1_795_230_000_000  # 2026-11-21T03:00:00Z
BASE = "https://stats.example"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of the kind that tests define."""

    name: str
    path_prefix: str | None = None


class Flag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tests define."""

    name: str
    rules: tuple[Rule, ...] = ()


def check_flag(flag: Flag) -> None:
    if not flag.name:
        raise Invalid("$.name: Expected at least one character")


def preview_flag(reader: Reader, scope: Scope, definitions: LiveView, flag: Flag, current: Flag | None) -> Report:
    [(count,)] = reader.query("SELECT count(*) FROM events WHERE project = :project", project=scope.project)
    row = [flag.name, scope.span.timezone, count]
    columns = (Column("name", "Name"), Column("zone", "Zone"), Column("events", "Events", "number"))
    return Report(blocks=(Table(key="flags", title="Flags", columns=columns, rows=[row]),))


def greet(context: JobContext) -> Sequence[Notice]:
    context.progress(1, 2)
    return [Notice(project=project.id, key="hello", title="Hello", text="Hello!") for project in context.projects]


DEFINITIONS = (
    Definition(kind="flag", title="Flags", about="What is on.", struct=Flag, check=check_flag, preview=preview_flag),
    Definition(kind="rule", title="Rules", struct=Rule),
    VIEW,
)
JOBS = (Job(name="greet", title="Greet every project", trigger=None, run=greet),)
STATUS = ServerStatus(
    version="1.2.3",
    started_at=NOW - 3 * DAY_MS,
    now=NOW,
    store="ok",
    queue_events=12,
    queue_max=5000,
    queue_seconds=0.25,
    per_minute=(600, 0, 1800),
    database_bytes=3 * 2**30,
    daily_bytes=2**30,
    disk_free=50 * 2**30,
    live_streams=2,
    index=IndexProgress(doing="following", seconds_behind=1.5, stepped_at=NOW - 2000, done=950, newest=1000),
    messages=Outgoing(waiting=3, oldest_at=NOW - 60_000, failed=1),
)
TOPICS = {
    "errors": Topic(title="New errors", default="admin"),
    "budgets": Topic(title="Budget", needed="admin", default="admin", grouped=False),
}


@dataclass
class PlainConfig:
    data: Path

    def plugin(self, name: str, settings: type[Settings]) -> Settings:
        return settings()


@dataclass
class Running:
    """The web of a site, with what its tests need."""

    site: Site
    store: Store
    records: RecordStore
    facts: Facts
    shop: Project
    game: Project  # the same workspace as shop
    foreign: Project  # another workspace
    post: Keeper  # a channel to people
    hook: Keeper  # one to destinations
    writing: threading.RLock
    indexer: Indexer
    state: dict[str, Any] = field(default_factory=lambda: {"ready": True})

    def token(self, scope: Any = "read", project: Project | None = None, workspace: str | None = None) -> str:
        owner = workspace or self.shop.workspace
        return self.facts.add_token("test", owner, scope, project=project.id if project else None)[1]

    def add(self, *events: Event, project: Project | None = None) -> list[Event]:
        """Store events as the writer does."""
        for event in events:
            event.received_at = event.received_at or NOW
        submission = Submission(project or self.shop, list(events), NOW, Reply(202, b"{}"))
        with self.writing:  # a job may erase at the same time
            self.store.append(Group(submissions=[submission]))
        return list(events)

    def refuse(self, *refused: Refused) -> None:
        counts: dict[tuple[str, str, int], int] = {}
        for one in refused:
            what = one.project, one.reason, one.at // DAY_MS
            counts[what] = counts.get(what, 0) + 1
        self.store.append(Group(refused=refused, refusals=counts))

    def get(self, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        return self.request("GET", path, token=token, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        cookies: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        client: tuple[str, int] = ("203.0.113.9", 4000),
        data: dict[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """One request from outside; `token` goes as a bearer token."""
        sent = dict(headers or {})
        if token:
            sent["authorization"] = f"Bearer {token}"

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.web, client=client, raise_app_exceptions=False)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url=BASE, cookies=cookies) as http:
                return await http.request(method, path, headers=sent, data=data, json=json, content=content)

        return asyncio.run(send())

    def __post_init__(self) -> None:
        self.web = copy.copy(_application())
        self.web.state = state_of(self.site)


@cache
def _application() -> Litestar:
    """What the applications of all sites have in common: building it takes 70 ms."""
    return build_web(cast("Site", None))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    config = PlainConfig(tmp_path)
    stores, record_stores = saastracker_sqlite.stores(config), saastracker_sqlite.record_stores(config)
    records = record_stores["sqlite"]()
    store = stores["sqlite"](records)
    store.claim()
    secrets = Secrets.open(tmp_path)
    facts = Facts(records, secrets)
    workspace = facts.default_workspace().id
    definitions = Definitions(records, {each.kind: each for each in DEFINITIONS})
    erasures, writing = Erasures(records, secrets), threading.RLock()

    def write(work: Callable[[], None]) -> None:
        with writing:
            work()

    indexer = Indexer(store.index, lambda: {each.id: each.timezone for each in facts.snapshot.projects.values()}, write)
    scheduler = Scheduler(
        (*JOBS, keeping.jobs(facts, records, erasures, store, write, lambda: indexer.step() and None)["erase"]),
        enabled=False,
        store=store,
        records=records,
        facts=facts,
        definitions=definitions,
        metrics=Metrics(),
    )
    accounts = Accounts(records, secrets)
    messages = Messages(facts, secrets, BASE)
    post, hook = Keeper(), Keeper("hook", "Hook", personal=False)
    outbox = Outbox(
        records,
        facts=facts,
        accounts=accounts,
        channels={each.name: each for each in (post, hook)},
        topics={**topics(JOBS), **TOPICS},
        compose=messages.compose,
        metrics=Metrics(),
    )
    state: dict[str, Any] = {"ready": True}

    async def ready() -> dict[str, Any]:
        return state

    running = Running(
        site=Site(
            facts=facts,
            records=records,
            registry=Plugins(load_config(None, tmp_path, {})).registry(facts, definitions),
            accounts=accounts,
            store=store,
            reports={page.slug: page for page in saastracker_stream.reports(config)},
            definitions=definitions,
            scheduler=scheduler,
            meter=Meter(records, facts),
            erasures=erasures,
            outbox=outbox,
            messages=messages,
            live=Live(),
            ready=ready,
            status=lambda: STATUS,
            metrics=lambda: b"events_total 1\n",
            reading=Metrics().reading,
            address_of=lambda scope: scope["client"][0] if scope["client"] else None,
            public_url=BASE,
        ),
        store=store,
        records=records,
        facts=facts,
        shop=facts.add_project("Shop", workspace, timezone="Europe/Berlin"),
        game=facts.add_project("Game", workspace),
        foreign=facts.add_project("Foreign", facts.add_workspace("Other").id),
        post=post,
        hook=hook,
        writing=writing,
        indexer=indexer,
        state=state,
    )
    yield running
    scheduler.stop()
    store.close()
    records.close()
