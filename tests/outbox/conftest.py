"""An outbox on a real store, with a workspace of people and a channel that keeps what it is given."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import saastracker_sqlite
from saastracker.accounts import Accounts, passwords
from saastracker.accounts.invitations import first_owner
from saastracker.accounts.model import OPERATOR, Signed
from saastracker.contracts import RecordStore, Store
from saastracker.deliveries import Deliveries, Delivery
from saastracker.facts import Facts
from saastracker.job import Notice, Topic
from saastracker.metrics import Metrics
from saastracker.notify import Notices
from saastracker.outbox import Outbox
from saastracker.records import Workspace
from saastracker.roles import Role
from saastracker.secrets import Secrets
from saastracker.web import digest
from saastracker.web.messages import Messages
from saastracker.wire import Project
from saastracker_sqlite.store import SqliteStore
from tests.keeping import Keeper
from tests.web.conftest import PlainConfig

NOW = 1_795_230_000_000  # 2026-11-21T03:00:00Z
MINUTE, HOUR = 60_000, 3_600_000
TOPICS = {
    "errors": Topic(title="New errors", default="admin"),
    "budgets": Topic(title="Budget", needed="admin", default="admin", grouped=False),
}


@dataclass
class Office:
    """Everything around an outbox."""

    records: RecordStore
    facts: Facts
    accounts: Accounts
    folder: Path
    workspace: Workspace
    shop: Project
    post: Keeper
    hook: Keeper
    messages: Messages
    topics: dict[str, Topic] = field(default_factory=lambda: dict(TOPICS))
    metrics: Metrics = field(default_factory=Metrics)

    def outbox(self) -> Outbox:
        """As another process has it, too."""
        return Outbox(
            self.records,
            facts=self.facts,
            accounts=self.accounts,
            channels={each.name: each for each in (self.post, self.hook)},
            topics=self.topics,
            compose=self.messages.compose,
            metrics=self.metrics,
        )

    def join(self, email: str, role: Role) -> Signed:
        invited = self.accounts.invitations.invite(self.workspace.id, email, role, by=OPERATOR, now=NOW)
        entered = self.accounts.invitations.sign_up(
            invited.link, name=email[:3], email=email, password="an owl in the chimney", agent="Firefox", now=NOW
        )
        signed = self.accounts.signed(entered.token, NOW)
        assert signed
        return signed

    def tell(self, *keys: str, job: str = "errors", now: int = NOW) -> None:
        """Queue notices about the shop."""
        notices = [
            Notice(project=self.shop.id, key=key, title=f"About {key}", text="What happened.", link=f"errors/{key}")
            for key in keys
        ]
        Notices(self.records).add(job, notices, now)

    def run(self, now: int = NOW) -> None:
        """One run of the job, as a server's would be."""
        outbox = self.outbox()
        outbox.route(now)
        outbox.send(now, lambda: False)

    def deliveries(self) -> Sequence[Delivery]:
        return [kept.delivery for kept in Deliveries(self.records).all()]

    def states(self) -> list[str]:
        return [delivery.state for delivery in self.deliveries()]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.delenv("SAASTRACKER_SECRET_KEY", raising=False)
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 60.0)
    with closing(saastracker_sqlite.record_stores(PlainConfig(tmp_path))["sqlite"]()) as records:
        sealing = Secrets.open(tmp_path)
        facts = Facts(records, sealing)
        workspace = facts.default_workspace()
        yield Office(
            records=records,
            facts=facts,
            accounts=Accounts(records, sealing),
            folder=tmp_path,
            workspace=workspace,
            shop=facts.add_project("Shop", workspace.id),
            post=Keeper(),
            hook=Keeper("hook", "Hook", personal=False),
            messages=Messages(facts, sealing, "https://analytics.example/"),
        )


@pytest.fixture
def owner(office: Office) -> Signed:
    """Ada, who owns the workspace."""
    invited, writes = first_owner(office.workspace.id, NOW)
    office.records.write(writes)
    office.accounts.refresh()
    entered = office.accounts.invitations.sign_up(
        invited.link, name="Ada", email="ada@shop.example", password="an owl in the chimney", agent="Firefox", now=NOW
    )
    signed = office.accounts.signed(entered.token, NOW)
    assert signed
    return signed


@pytest.fixture
def store(office: Office) -> Iterator[Store]:
    with closing(SqliteStore(office.folder / "saastracker.db")) as store:
        store.claim()
        yield store


@pytest.fixture
def shop(office: Office, owner: Signed) -> Project:
    """A project in Berlin, whose digest Ada follows."""
    office.accounts.subscriptions.choose(owner, office.workspace.id, {digest.NAME: True}, NOW)
    office.topics[digest.NAME] = digest.TOPIC
    return office.facts.add_project("Bäckerei", office.workspace.id, timezone="Europe/Berlin")
