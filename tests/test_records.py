"""Facts are written once, seen by everyone at the next refresh, and secret where they have to be."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from saastracker import audit
from saastracker.config import load_config
from saastracker.contracts import RecordStore
from saastracker.definitions import NOTHING_DEFINED
from saastracker.errors import Conflict, OperatorError
from saastracker.facts import Facts
from saastracker.plugins import Plugins, Registry
from saastracker.records import HOUR_MS, now_ms
from saastracker.secrets import Secrets


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    return Plugins(load_config(None, tmp_path))


@pytest.fixture
def store(plugins: Plugins) -> Iterator[RecordStore]:
    with closing(plugins.open_records()) as store:
        yield store


@pytest.fixture
def facts(tmp_path: Path, store: RecordStore) -> Facts:
    return Facts(store, Secrets.open(tmp_path))


@pytest.fixture
def registry(plugins: Plugins, facts: Facts) -> Registry:
    return plugins.registry(facts, NOTHING_DEFINED)


def test_slugs_are_unique_and_readable(facts: Facts) -> None:
    workspace = facts.default_workspace().id
    names = ["Zürich App!", "Zurich app", "ZURICH  APP", "日本", "日本", "x" * 200]
    slugs = [facts.add_project(name, workspace).slug for name in names]
    assert slugs == ["zurich-app", "zurich-app-2", "zurich-app-3", "project", "project-2", "x" * 60]


def test_edits_at_once_are_all_written_or_none(facts: Facts, registry: Registry, store: RecordStore) -> None:
    before = store.change()
    with pytest.raises(OperatorError), facts.at_once():
        facts.add_project("Lost", facts.default_workspace().id, timezone="Nowhere")
    assert store.records() == []
    with facts.at_once():
        project = facts.add_project("Shop", facts.default_workspace().id)
        issue = facts.issue_key(project, registry.auth_schemes["project-key"])
        assert store.records() == []
    assert issue is not None
    assert [record.kind for record in store.records() if record.kind != "audit"] == ["workspace", "project", "key"]
    assert store.change() == before + 1
    assert [each.project for each in facts.credentials("project-key", issue[1]["key"])] == [project]


def test_a_slug_taken_by_another_process_meanwhile(tmp_path: Path, plugins: Plugins, facts: Facts) -> None:
    workspace = facts.default_workspace().id
    with closing(plugins.open_records()) as other:
        first = Facts(other, Secrets.open(tmp_path)).add_project("App", workspace)
    second = facts.add_project("App", workspace)
    assert (first.slug, second.slug) == ("app", "app-2")
    assert set(facts.snapshot.projects_by_slug) == {"app", "app-2"}


def test_each_edit_tells_who_made_it_and_no_secret(facts: Facts, registry: Registry, store: RecordStore) -> None:
    workspace = facts.add_workspace("W").id
    project = facts.add_project("A", workspace, who="ada@example.com")
    facts.set_project(project.id, name="B", origins=["b.example"], timezone="Asia/Tokyo", who="bob@example.com")
    issue = facts.issue_key(project, registry.auth_schemes["query-token"], who="ada@example.com")
    assert issue
    facts.revoke_key(issue[0].id, who="bob@example.com")
    facts.add_token("t", workspace, "read", who="ada@example.com")
    entries = [audit.read(record) for record in store.records(audit.KIND)]
    assert [(entry.who.partition("@")[0], entry.action, entry.kind, entry.version) for entry in entries] == [
        ("command line", "create", "workspace", 1),
        ("ada", "create", "project", 1),
        ("bob", "change", "project", 2),
        ("ada", "create", "key", 1),
        ("bob", "change", "key", 2),
        ("ada", "create", "token", 1),
    ]
    assert [entry.project for entry in entries] == ["", *[project.id] * 4, ""]
    told = b"".join(bytes(entry.value) for entry in entries)
    assert b'"timezone":"Asia/Tokyo"' in told
    for text in (issue[0].lookup, issue[0].digest, *issue[1].values()):
        assert text.encode() not in told


def test_origins_and_zones(facts: Facts) -> None:
    workspace = facts.default_workspace().id
    project = facts.add_project("A", workspace, origins=("App.Example.com", "*.example.com"), timezone="Europe/Berlin")
    assert project.origins == ("app.example.com", "*.example.com")
    for origin in (
        "https://example.com",
        "example.com/x",
        "*",
        "*.",
        "a b",
        "exa*mple.com",
        "example.com:80",
        "",
        "-a",
    ):
        with pytest.raises(OperatorError, match="Wrong origin"):
            facts.add_project("B", workspace, origins=(origin,))
    for zone in ("Europe/Atlantis", "../etc/passwd", "/etc/passwd", "Europe", "", "right/UTC", "localtime", "Factory"):
        with pytest.raises(OperatorError, match="Unknown time zone"):
            facts.add_project("B", workspace, timezone=zone)
    for name in ("", " ", "a\nb", "x" * 256):
        with pytest.raises(OperatorError, match="A name has 1 to 255 printable"):
            facts.add_project(name, workspace)
    assert list(facts.snapshot.projects) == [project.id]


def test_a_key_is_live_until_it_is_revoked(facts: Facts, registry: Registry) -> None:
    project = facts.add_project("A", facts.default_workspace().id)
    issue = facts.issue_key(project, registry.auth_schemes["hmac"])
    assert issue
    key, shown = issue
    (credential,) = facts.credentials("hmac", project.id)
    assert credential.project == project
    assert credential.secret.decode() == shown["api_secret"]
    assert shown["api_secret"] not in repr(facts.snapshot.keys)
    assert key.hint == shown["api_secret"][-4:]
    facts.revoke_key(key.id)
    assert facts.credentials("hmac", project.id) == ()
    assert facts.snapshot.keys[key.id].revoked_at


def test_nothing_secret_is_in_the_database(facts: Facts, registry: Registry, tmp_path: Path) -> None:
    project = facts.add_project("A", facts.default_workspace().id)
    secrets = [facts.add_token("t", project.workspace, "read")[1]]
    for scheme in registry.auth_schemes.values():
        issue = facts.issue_key(project, scheme)
        if issue:
            key, shown = issue
            secrets += [text for text in shown.values() if text not in (key.lookup, project.id)]
    assert len(secrets) == 4  # token, api_secret, bearer key, server_token
    files = b"".join(path.read_bytes() for path in tmp_path.glob("saastracker.db*"))
    assert project.id.encode() in files
    for secret in secrets:
        assert secret.encode() not in files


def test_rotation_overlaps(facts: Facts, registry: Registry) -> None:
    project = facts.add_project("A", facts.default_workspace().id)
    scheme = registry.auth_schemes["hmac"]
    first = facts.issue_key(project, scheme)
    second = facts.rotate(project, scheme)
    assert first
    assert second
    live = {credential.secret.decode() for credential in facts.credentials("hmac", project.id)}
    assert live == {first[1]["api_secret"], second[1]["api_secret"]}
    expires = facts.snapshot.keys[first[0].id].expires_at
    assert expires == second[0].created_at + 24 * HOUR_MS
    third = facts.rotate(project, scheme, overlap_ms=0)
    assert third
    (credential,) = facts.credentials("hmac", project.id)
    assert credential.secret.decode() == third[1]["api_secret"]


def test_a_key_dies_without_a_write(facts: Facts, registry: Registry) -> None:
    project = facts.add_project("A", facts.default_workspace().id)
    scheme = registry.auth_schemes["hmac"]
    facts.issue_key(project, scheme)
    facts.rotate(project, scheme, overlap_ms=60)
    assert not facts.refresh() or now_ms() >= max(key.expires_at or 0 for key in facts.snapshot.keys.values())
    while len(facts.credentials("hmac", project.id)) == 2:
        facts.refresh()
    assert not facts.refresh()


def test_a_scheme_without_keys(facts: Facts, registry: Registry) -> None:
    project = facts.add_project("A", facts.default_workspace().id)
    assert facts.issue_key(project, registry.auth_schemes["query-key"]) is None
    assert facts.rotate(project, registry.auth_schemes["query-key"]) is None
    assert not facts.snapshot.keys


def test_tokens(facts: Facts) -> None:
    workspace = facts.default_workspace()
    project = facts.add_project("A", workspace.id)
    token, text = facts.add_token("ci", workspace.id, "read", project=project.id)
    assert facts.snapshot.token(text) == token
    assert facts.snapshot.token(text[:-1]) is None
    assert facts.snapshot.token("") is None
    facts.revoke_token(token.id)
    assert facts.snapshot.token(text) is None
    assert facts.snapshot.tokens[token.id].revoked_at


def test_others_writes_are_seen_at_a_refresh(tmp_path: Path, plugins: Plugins, facts: Facts) -> None:
    workspace = facts.default_workspace()
    assert not facts.refresh()
    with closing(plugins.open_records()) as store:
        Facts(store, Secrets.open(tmp_path)).set_workspace(workspace.id, budget=5, policy="drop")
    before = facts.snapshot
    assert facts.refresh()
    assert before.workspaces[workspace.id].budget is None
    assert facts.snapshot.workspaces[workspace.id] == msgspec.structs.replace(workspace, budget=5, policy="drop")


def test_the_slower_of_two_edits_conflicts(tmp_path: Path, plugins: Plugins, facts: Facts) -> None:
    workspace = facts.default_workspace()
    with closing(plugins.open_records()) as store:
        other = Facts(store, Secrets.open(tmp_path))
        facts.set_workspace(workspace.id, budget=1, policy=None)
        with pytest.raises(Conflict):
            other.set_workspace(workspace.id, budget=2, policy=None)
        assert other.snapshot.workspaces[workspace.id].budget == 1
        other.set_workspace(workspace.id, budget=2, policy=None)
    with pytest.raises(Conflict):
        facts.add_workspace("Default")


def test_the_wrong_secret_key_stops_the_start(
    tmp_path: Path, store: RecordStore, facts: Facts, registry: Registry
) -> None:
    project = facts.add_project("A", facts.default_workspace().id)
    facts.issue_key(project, registry.auth_schemes["hmac"])
    (tmp_path / "secret_key").unlink()
    with pytest.raises(OperatorError, match="secret_key is not the key that this database's secrets"):
        Facts(store, Secrets.open(tmp_path))
