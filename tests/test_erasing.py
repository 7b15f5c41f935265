"""A deleted project is erased when it can no longer be restored, with all that names it, and nothing else."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from saastracker import audit
from saastracker.config import load_config
from saastracker.contracts import Change, Group, RecordStore, Store
from saastracker.definitions import Definitions
from saastracker.erasing import MARGIN_MS, erase_projects
from saastracker.facts import Facts
from saastracker.job import Job, JobContext, Notice
from saastracker.months import month_of
from saastracker.notify import Notices
from saastracker.plugins import Plugins
from saastracker.quota import Usage, workspace_usage
from saastracker.records import RESTORABLE_MS, now_ms
from saastracker.secrets import Secrets
from saastracker.testing import NOW
from saastracker.testing.erasing import at_once
from saastracker.testing.opened import event, submission
from saastracker.wire import Project


@dataclass
class Kept:
    facts: Facts
    records: RecordStore
    store: Store
    definitions: Definitions
    gone: Project
    stays: Project

    @property
    def job(self) -> Job:
        return erase_projects(self.facts, self.records, self.store, at_once)

    def context(self, now: int, *, cancelled: bool = False) -> JobContext:
        return JobContext(
            now=now,
            projects=(),
            definitions=self.definitions,
            reader=self.store.reader,
            progress=lambda _done, _total: None,
            cancelled=lambda: cancelled,
        )

    def naming(self, project: Project) -> list[str]:
        """The kinds of records in which a project is named, and `event` for each of its events."""
        kinds = [
            record.kind for record in self.records.records() if project.id.encode() in record.data + record.id.encode()
        ]
        return sorted(kinds) + ["event"] * len(self.store.read_after(0, 100, project.id))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    plugins = Plugins(load_config(None, tmp_path))
    with closing(plugins.open_records()) as records, closing(plugins.open_store(records)) as store:
        store.claim()
        facts = Facts(records, Secrets.open(tmp_path))
        definitions = Definitions(records, plugins.kinds)
        schemes = plugins.registry(facts, definitions).auth_schemes
        place = facts.add_workspace("Acme").id
        gone, stays = facts.add_project("Gone", place), facts.add_project("Stays", place)
        for project in (gone, stays):
            facts.issue_keys(project, schemes)
            facts.add_token("t", place, "read", project=project.id)
            view = definitions.read("view", b'{"name":"v","report":"stream"}')
            definitions.create(project.id, "view", value=view, who="ada")
            Notices(records).add("job", [Notice(project=project.id, key="k", title="t", text="t")], now_ms())
            store.append(Group([submission(event(), project=project)]))
        facts.add_token("all", place, "read")
        yield Kept(facts, records, store, definitions, gone, stays)


def test_it_stays_as_long_as_it_can_be_restored(kept: Kept) -> None:
    before = kept.naming(kept.gone)
    deleted_at = kept.facts.delete_project(kept.gone.id).deleted_at
    assert deleted_at
    kept.job.run(kept.context(deleted_at + RESTORABLE_MS))
    kept.facts.restore_project(kept.gone.id)
    kept.job.run(kept.context(deleted_at + 10 * RESTORABLE_MS))
    assert kept.naming(kept.gone) == sorted([*before[:-1], "audit", "audit"]) + before[-1:]
    assert kept.facts.snapshot.projects[kept.gone.id].active


def test_then_all_goes_but_what_the_audit_log_says_of_it(kept: Kept) -> None:
    others = kept.naming(kept.stays)
    deleted_at = kept.facts.delete_project(kept.gone.id, who="ada@example.com").deleted_at
    assert deleted_at
    now = deleted_at + RESTORABLE_MS + MARGIN_MS
    kept.job.run(kept.context(now, cancelled=True))
    assert kept.gone.id in kept.facts.snapshot.projects
    kept.job.run(kept.context(now))
    assert kept.naming(kept.gone) == [*["audit"] * 4, "erased-project"]  # one of a token of the workspace
    assert kept.naming(kept.stays) == others
    assert "event" in others
    assert [token.name for token in kept.facts.snapshot.tokens.values()] == ["t", "all"]
    entries = [audit.read(record) for record in kept.records.records(audit.KIND)]
    told = [entry for entry in entries if entry.project == kept.gone.id]
    assert [(entry.who, entry.action, entry.kind, entry.workspace) for entry in told] == [
        ("command line", "create", "project", kept.gone.workspace),
        ("ada@example.com", "change", "project", kept.gone.workspace),
        ("saastracker", "delete", "project", kept.gone.workspace),
    ]
    assert msgspec.json.decode(told[-1].value) == {"name": "Gone", "slug": "gone"}
    assert kept.facts.add_project("Gone", kept.gone.workspace).slug == "gone"


def test_what_a_project_used_of_the_budget_stays_used(kept: Kept) -> None:
    """In the count of requests, before and after a restart, as in that of mails."""
    kept.facts.set_workspace(kept.gone.workspace, budget=2, policy="drop")
    running = Usage(kept.records, lambda: kept.facts.snapshot, NOW)
    deleted_at = kept.facts.delete_project(kept.gone.id).deleted_at
    assert deleted_at
    kept.job.run(kept.context(deleted_at + RESTORABLE_MS + MARGIN_MS))
    for usage in (running, Usage(kept.records, lambda: kept.facts.snapshot, NOW)):
        asked = submission(event(), project=kept.stays)
        asked.over_budget = "drop"
        assert usage.admit([asked]) == []
    stored = kept.records.usage(month_of(NOW))
    assert workspace_usage(kept.facts.snapshot, stored)[kept.gone.workspace] == 2


def test_what_was_interrupted_goes_on(kept: Kept) -> None:
    deleted_at = kept.facts.delete_project(kept.gone.id).deleted_at
    assert deleted_at
    key = kept.records.records("key")[0]
    kept.records.write([Change(key.kind, key.id, key.version, None)])  # as if a run had ended in between
    for _ in range(2):
        kept.job.run(kept.context(deleted_at + RESTORABLE_MS + MARGIN_MS))
    assert kept.naming(kept.gone) == [*["audit"] * 4, "erased-project"]  # one of a token of the workspace
