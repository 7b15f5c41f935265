"""A server with a trimmed demo, an empty project, things in every list of the settings, and somebody of each role."""

from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import httpx
import msgspec
from click.testing import CliRunner

from saastracker.accounts.model import OPERATOR
from saastracker.cli import main
from saastracker.cli.options import Installation, Options
from saastracker.cli.serving import first_start
from saastracker.demo.load import DEMOS, Demo, define, load
from saastracker.event import Event
from saastracker.records import now_ms
from saastracker.roles import ROLES, Role
from saastracker.web.site import SESSION_COOKIE
from tests.serving import Server

PASSWORD = "an owl in the chimney"
ONE_OF = 12  # of the organizations, visitors and players


@dataclass(frozen=True)
class Site:
    """A running server; `sessions` are the cookies of somebody of each role."""

    server: Server
    sessions: dict[str, str]

    @property
    def url(self) -> str:
        return self.server.url

    def client(self, role: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, cookies={SESSION_COOKIE: self.sessions[role]}, timeout=30)


def start(folder: Path, *, one_of: int = ONE_OF) -> Site:
    """Make the data with its index, and serve it."""
    with Options(folder / "data", None).open() as installation:
        with redirect_stdout(StringIO()):  # keys that nobody needs to see
            first_start(installation)
        with closing(installation.plugins.open_store(installation.records)) as store:
            store.claim()
            for demo in DEMOS:
                load(_trimmed(demo, one_of), installation.facts, store, now_ms(), lambda done, total: None)
        for demo in DEMOS:
            define(demo, installation.facts, installation.definitions, now_ms())
        _fill_settings(installation)
        sessions: dict[str, str] = {role: _join(installation, role) for role in ROLES}
    rebuilt = CliRunner().invoke(main, ["--data", str(folder / "data"), "rebuild"])
    assert rebuilt.exit_code == 0, rebuilt.output
    return Site(Server(folder), sessions)


def _trimmed(demo: Demo, one_of: int) -> Demo:
    return msgspec.structs.replace(demo, events=lambda now: _few(demo.events(now), one_of))


def _few(events: Iterator[Event], one_of: int) -> Iterator[Event]:
    """All events of one organization in some, and of one actor without an organization in as many."""
    seen: dict[str, int] = {}
    for event in events:
        whose = event.org or event.user or event.anonymous or ""
        number = seen.setdefault(whose, len(seen))
        if number % one_of == 0:
            yield event


def _fill_settings(installation: Installation) -> None:
    facts, now = installation.facts, now_ms()
    workspace = facts.default_workspace().id
    for project in list(facts.snapshot.projects.values()):
        facts.issue_keys(project, installation.registry.auth_schemes)
    facts.add_token("nightly report", workspace, "read")
    installation.accounts.invitations.invite(workspace, "guest@example.com", "viewer", by=OPERATOR, now=now)
    facts.add_project("Next door", facts.add_workspace("Other").id)


def _join(installation: Installation, role: Role) -> str:
    """The token of somebody's session."""
    invitations, now, email = installation.accounts.invitations, now_ms(), f"{role}@example.com"
    workspace = installation.facts.default_workspace().id
    invited = invitations.invite(workspace, email, role, by=OPERATOR, now=now)
    name = f"{role.title()} Example"
    return invitations.sign_up(invited.link, name=name, email=email, password=PASSWORD, agent="Chrome", now=now).token
