"""Accounts on a real store, with a workspace and its owner."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import saastracker_sqlite
from saastracker import audit
from saastracker.accounts import Accounts, passwords
from saastracker.accounts.invitations import Invited, first_owner
from saastracker.accounts.model import OPERATOR, Signed
from saastracker.accounts.sessions import Entered
from saastracker.contracts import RecordStore
from saastracker.roles import Role
from saastracker.secrets import Secrets
from tests.web.conftest import PlainConfig

NOW = 1_795_230_000_000  # 2026-11-21T03:00:00Z
PASSWORD = "an owl in the chimney"
FIREFOX = "Firefox on Linux"
HERE = "203.0.113.9"
SHOP = "workspace-1"


@dataclass
class Place:
    """Accounts, and what tests do with them most."""

    accounts: Accounts
    records: RecordStore
    folder: Path

    def invite(self, email: str, role: Role = "member", workspace: str = SHOP) -> Invited:
        return self.accounts.invitations.invite(workspace, email, role, by=OPERATOR, now=NOW)

    def join(self, email: str, role: Role = "member", workspace: str = SHOP) -> Signed:
        """Somebody new, signed in."""
        entered = self.sign_up(self.invite(email, role, workspace).link, email)
        return self.signed(entered.token)

    def sign_up(self, link: str, email: str, *, password: str = PASSWORD, now: int = NOW) -> Entered:
        return self.accounts.invitations.sign_up(
            link, name="Somebody", email=email, password=password, agent=FIREFOX, now=now
        )

    def enter(self, email: str, password: str = PASSWORD, *, address: str = HERE, now: int = NOW, **more: str) -> Any:
        return self.accounts.sign_in.sign_in(email, password, address=address, agent=FIREFOX, now=now, **more)

    def signed(self, token: str, now: int = NOW) -> Signed:
        found = self.accounts.signed(token, now)
        assert found
        return found

    def trail(self) -> list[audit.Entry]:
        return [audit.read(record) for record in self.records.records(audit.KIND)]

    def other(self) -> Accounts:
        """The same in another process, as of now."""
        return Accounts(self.records, Secrets.open(self.folder))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAASTRACKER_SECRET_KEY", raising=False)
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 60.0)  # tests run beside others


@pytest.fixture
def open_records(tmp_path: Path) -> Callable[[], RecordStore]:
    return saastracker_sqlite.record_stores(PlainConfig(tmp_path))["sqlite"]


@pytest.fixture
def place(tmp_path: Path, open_records: Callable[[], RecordStore]) -> Iterator[Place]:
    with closing(open_records()) as records:
        yield Place(Accounts(records, Secrets.open(tmp_path)), records, tmp_path)


@pytest.fixture
def owner(place: Place) -> Signed:
    """The first owner, signed in, as the first start lets them in."""
    invited, writes = first_owner(SHOP, NOW)
    place.records.write(writes)
    place.accounts.refresh()
    return place.signed(place.sign_up(invited.link, "ada@example.com").token)
