"""Accounts: who may come in, where they are signed in, and what they are in which workspace."""

from saastracker.accounts.invitations import Invitations
from saastracker.accounts.model import Signed, User
from saastracker.accounts.own import Own
from saastracker.accounts.people import People, Snapshot
from saastracker.accounts.roles import Roles, founded
from saastracker.accounts.sessions import Sessions
from saastracker.accounts.shares import Shares
from saastracker.accounts.sign_in import SignIn
from saastracker.accounts.subscriptions import Subscriptions
from saastracker.contracts import RecordStore
from saastracker.facts import Facts
from saastracker.records import Workspace
from saastracker.secrets import Secrets


class Accounts:
    """All accounts of an installation. Safe from several threads.

    `snapshot` and `signed` read memory; whatever changes something, or looks at a password, takes a while and goes
    to a thread. Each edit is one write with its entries in the audit trail.
    """

    def __init__(self, store: RecordStore, secrets: Secrets) -> None:
        self._people = People(store)
        self.invitations = Invitations(self._people)
        self.roles = Roles(self._people)
        self.sessions = Sessions(self._people)
        self.shares = Shares(self._people)
        self.sign_in = SignIn(self._people, secrets)
        self.own = Own(self._people, self.sign_in, secrets)
        self.subscriptions = Subscriptions(self._people, secrets)

    @property
    def snapshot(self) -> Snapshot:
        return self._people.snapshot

    def add_workspace(self, facts: Facts, name: str, owner: User, now: int) -> Workspace:
        """A new workspace with its owner. Raises WrongField, Conflict if the name is taken."""
        people = self.snapshot
        made = facts.add_workspace(name, who=owner.email, beside=lambda new: founded(people, owner, new.id, now))
        self.refresh()
        return made

    def signed(self, token: str, now: int) -> Signed | None:
        """Who the token of a session's cookie is of, and what they are, as of the last refresh."""
        return self._people.signed(token, now)

    def refresh(self) -> None:
        """Look for writes by anyone, and write down which sessions and shared reports were used."""
        self._people.refresh()
