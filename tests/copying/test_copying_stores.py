"""A copy from SQLite to PostgreSQL, to ClickHouse and back to SQLite has all that the first one had."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from click.testing import CliRunner

from saastracker.cli import main
from saastracker.cli.options import Installation, Options
from saastracker.cli.running import indexer
from saastracker.contracts import Group, Record, Refused, Store, Submission
from saastracker.copying import STATE
from saastracker.copying.remembered import remembered
from saastracker.demo.load import DEMOS, define
from saastracker.event import Event, identity
from saastracker.retention import by_day, erase_day
from saastracker.testing import NOW
from saastracker.testing.erasing import at_once
from saastracker.wire import Project, Reply
from tests.needing import missing
from tests.postgres import Postgres
from tests.same_reports import Pair, differences, fill, made_up, said

QUERY = "range=90d"
OF_EVENTS = "range=90d&f=prop.format:exists&by=prop.format"  # which no index answers
NAMES = ("ada@example.com", "bob@example.com")  # whose events come last


class Kept(NamedTuple):
    """All that a database has."""

    events: list[tuple[str, Event]]
    last: int
    records: list[Record]
    tallies: Any
    answers: Any
    remembered: Any
    reports: dict[tuple[str, str, str], Any]


def typed(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@contextmanager
def opened(data: Path, config: Path) -> Iterator[tuple[Installation, Store]]:
    with (
        Options(data, config).open() as installation,
        closing(installation.plugins.open_store(installation.records)) as store,
    ):
        yield installation, store


def kept(data: Path, config: Path) -> Kept:
    with opened(data, config) as (installation, store):
        projects = sorted(installation.facts.snapshot.projects.values(), key=lambda project: project.id)
        return Kept(
            store.read_after(0, 100_000),
            store.last,
            [record for record in installation.records.records() if record.kind != STATE],
            store.tallies(),
            store.answers(b"", 100_000),
            {project.id: known(installation, store, project) for project in projects},
            reports(installation, store, projects),
        )


def known(installation: Installation, store: Store, project: Project) -> Any:
    found = remembered(store, project.id, [tagger.namespace for tagger in installation.registry.taggers])
    return {who: (each.first, each.last) for who, each in found.actors.items()}, found.aliases, found.seen


def reports(installation: Installation, store: Store, projects: Sequence[Project]) -> dict[tuple[str, str, str], Any]:
    pair = Pair(installation, [store], projects)
    asked = [*product(installation.registry.reports, [QUERY]), ("explorer", OF_EVENTS)]
    return {
        (project.slug, slug, query): said(pair, store, project, installation.registry.reports[slug], query, None)
        for project, (slug, query) in product(projects, asked)
    }


def same(one: Kept, other: Kept) -> None:
    for name in Kept._fields[:-1]:
        assert getattr(one, name) == getattr(other, name), name
    for asked, report in one.reports.items():
        assert not list(differences(report, other.reports[asked]))[:5], asked
    assert one.reports.keys() == other.reports.keys()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of an installation that has been used for a while, with its configuration `a.toml`."""
    data, config = tmp_path / "data", tmp_path / "a.toml"
    config.touch()
    now = time.time_ns() // 1_000_000
    with opened(data, config) as (installation, store):
        facts = installation.facts
        workspace = facts.default_workspace().id
        projects = [facts.add_project(demo.name, workspace, timezone=demo.timezone) for demo in DEMOS]
        for demo in DEMOS:
            define(demo, facts, installation.definitions, NOW)
        facts.issue_keys(projects[0], installation.registry.auth_schemes)
        facts.set_project(projects[1].id, name="Renamed", origins=(), timezone=projects[1].timezone)
        store.claim()
        for demo, project in zip(DEMOS, projects, strict=True):
            fill(store, project, made_up(demo))
        someone = [
            Event(name="came", user=name, time=NOW, received_at=now, id=identity("1", name, NOW)) for name in NAMES
        ]
        answered = Submission(projects[0], someone[::-1], now, Reply(202, b'{"accepted":2}'), b"k" * 16)
        refused = [Refused(projects[1].id, NOW, "invalid", "wrong", "/v1/events")]
        store.append(Group([answered], refused, {(projects[1].id, "invalid", 20_000): 7}))
        while indexer(installation, store).step().events:
            pass
        with store.reader() as reader:
            first = min(by_day(reader, projects[0]))
        for day in (first, first + 1):
            erase_day(store, projects[0].id, day, at_once, lambda: None, lambda _: None)
    typed("--data", data, "--config", config, "erase", "--project", projects[0].slug, "--person", NAMES[0], "--yes")
    return data


def send_again(data: Path, config: Path) -> None:
    """An event with the id of one that was copied and then erased."""
    with opened(data, config) as (installation, store):
        store.claim()
        project = installation.facts.snapshot.projects_by_slug[DEMOS[0].slug]
        event = Event(name="again", user="carol", time=NOW, received_at=NOW, id=identity("1", NAMES[1], NOW))
        store.append(Group([Submission(project, [event], NOW, Reply(202, b"{}"))]))
        assert event.sequence
        while indexer(installation, store).step().events:
            pass


def test_from_store_to_store(data: Path, tmp_path: Path, postgres: Postgres) -> None:
    if not (find_spec("chdb") and find_spec("clickhouse_connect")):
        missing("the ClickHouse engine is not installed: pip install chdb clickhouse-connect")
    a, b, c = (tmp_path / f"{name}.toml" for name in "abc")
    b.write_text(f'[storage]\nbackend = "postgres"\n[plugin.postgres]\nurl = "{postgres.database()}"\n')
    c.write_text(
        f"""[storage]\nbackend = "clickhouse"\n[plugin.clickhouse]\nurl = "chdb://{tmp_path / "engine"}"
        [plugin.sqlite]\npath = "facts.db"\n"""
    )
    project = DEMOS[0].slug
    typed("--data", data, "copy", "--from", a, "--to", b)
    typed("--data", data, "--config", a, "erase", "--project", project, "--person", NAMES[1], "--yes")
    send_again(data, a)
    before = kept(data, a)
    assert len(before.events) > 1000
    assert before.last == before.events[-1][1].sequence == before.events[-2][1].sequence + 3  # who were erased
    for source, target in ((a, b), (b, c), (c, tmp_path / "d")):
        told = typed("--data", data, "copy", "--from", source, "--to", target, "--switch")
        assert f"{len(before.events)} events are the same" in told
        there = (target, a) if target.suffix == "" else (data, target)
        same(before, kept(*there))
    files = [file.read_bytes() for file in (tmp_path / "d").iterdir()]
    assert not [name for name in NAMES if any(name.encode() in file for file in files)]
    assert (tmp_path / "d" / "secret_key").read_bytes() == (data / "secret_key").read_bytes()


def test_texts_that_postgresql_keeps_otherwise(tmp_path: Path, postgres: Postgres) -> None:
    """Those with the escape of a character 0, which a sender may write into any text."""
    old, url, told = tmp_path / "old", postgres.database(), "\\u0000"
    (tmp_path / "a.toml").touch()
    typed("--data", old, "project", "add", "Shop")
    with opened(old, tmp_path / "a.toml") as (installation, store):
        project = installation.facts.snapshot.projects_by_slug["shop"]
        event = Event(name=f"a{told}b", user=told, anonymous=f"{told}c", org=told, time=NOW, received_at=NOW)
        event.properties = msgspec.json.encode({"category": told}).decode()
        refused = [Refused(project.id, NOW, "invalid", told, f"/{told}")]
        store.claim()
        store.append(Group([Submission(project, [event], NOW, Reply(202, b"{}"))], refused))
    for _ in range(2):
        typed("--data", old, "copy", "--to", url)
    assert "1 events are the same" in typed("--data", old, "copy", "--to", url, "--switch")
    assert "1 events are the same" in typed("--data", old, "copy", "--from", url, "--to", tmp_path / "new", "--switch")
    with opened(tmp_path / "new", tmp_path / "a.toml") as (_, store):
        [(_, event)] = store.read_after(0, 9)
    assert (event.name, event.properties) == ("a\\ufffdb", '{"category":"\\\\u0000"}')
