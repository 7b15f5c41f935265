"""What projects are set up with, beside their definitions."""

from saastracker.accounts import Accounts
from saastracker.contracts import Setup, Setups
from saastracker.facts import Facts
from saastracker.records import now_ms


def setups(facts: Facts, accounts: Accounts) -> Setups:
    """A live view: by a project's id, as of the last refresh."""

    def setup(project: str) -> Setup:
        snapshot, people, now = facts.snapshot, accounts.snapshot, now_ms()
        found = snapshot.projects.get(project)
        if found is None:
            return Setup()
        keys = sum(key.project == project and key.live(now) for key in snapshot.keys.values())
        members = len(people.of_workspace(found.workspace))
        invited = len(people.invitations_to(found.workspace, now))
        return Setup(workspace=found.workspace, keys=keys, members=members, invited=invited)

    return setup
