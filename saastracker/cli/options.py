"""What every command is given: the global options, and the installation they name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saastracker.accounts import Accounts
from saastracker.config import Config, load_config, suggest
from saastracker.contracts import RecordStore
from saastracker.definitions import Definitions
from saastracker.errors import OperatorError
from saastracker.facts import Facts
from saastracker.plugins import Plugins, Registry
from saastracker.records import Workspace
from saastracker.secrets import Secrets
from saastracker.wire import Project


@dataclass(frozen=True)
class Installation:
    """Configuration, plugins and small facts; the store of events is not open."""

    config: Config
    plugins: Plugins
    records: RecordStore
    facts: Facts
    accounts: Accounts
    definitions: Definitions
    registry: Registry
    secrets: Secrets

    def project(self, slug: str) -> Project:
        """Raises OperatorError with the nearest slug."""
        project = self.known_project(slug)
        if not project.active:
            raise OperatorError(
                f'The project "{slug}" is deleted; bring it back with: saastracker project restore {slug}'
            )
        return project

    def known_project(self, slug: str) -> Project:
        """A deleted one, too. Raises OperatorError with the nearest slug."""
        projects = self.facts.snapshot.projects_by_slug
        if slug not in projects:
            raise OperatorError(f'There is no project "{slug}"{suggest(slug, projects)}')
        return projects[slug]

    def workspace(self, name: str) -> Workspace:
        """Raises OperatorError with the nearest name."""
        workspaces = {workspace.name: workspace for workspace in self.facts.snapshot.workspaces.values()}
        if name not in workspaces:
            raise OperatorError(f'There is no workspace "{name}"{suggest(name, workspaces)}')
        return workspaces[name]


@dataclass(frozen=True)
class Options:
    """The global options."""

    data: Path
    config: Path | None

    def load(self, **server: Any) -> Config:
        """The configuration; `server` holds keys of `[server]`, None where the command line is silent."""
        return load_config(self.config, self.data, {key: value for key, value in server.items() if value is not None})

    @contextmanager
    def open(self) -> Iterator[Installation]:
        """The installation, beside a running server too."""
        with opened(self.load()) as installation:
            yield installation


@contextmanager
def opened(config: Config) -> Iterator[Installation]:
    plugins = Plugins(config)
    records = plugins.open_records()
    try:
        secrets = Secrets.open(config.data)
        facts = Facts(records, secrets)
        accounts = Accounts(records, secrets)
        definitions = Definitions(records, plugins.kinds)
        registry = plugins.registry(facts, definitions)
        yield Installation(config, plugins, records, facts, accounts, definitions, registry, secrets)
    finally:
        records.close()
