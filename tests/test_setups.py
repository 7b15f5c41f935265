"""What home is told of keys and members is what there is."""

from contextlib import closing
from pathlib import Path

import pytest

from saastracker.accounts import Accounts
from saastracker.accounts.model import OPERATOR
from saastracker.config import load_config
from saastracker.contracts import Setup
from saastracker.definitions import NOTHING_DEFINED
from saastracker.facts import Facts
from saastracker.plugins import Plugins
from saastracker.records import now_ms
from saastracker.secrets import Secrets
from saastracker.setups import setups


def test_keys_members_and_invitations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    plugins = Plugins(load_config(None, tmp_path))
    with closing(plugins.open_records()) as records:
        secrets = Secrets.open(tmp_path)
        facts, accounts = Facts(records, secrets), Accounts(records, secrets)
        scheme = plugins.registry(facts, NOTHING_DEFINED).auth_schemes["bearer"]
        place = facts.add_workspace("Acme").id
        project, other = facts.add_project("A", place), facts.add_project("B", place)
        view = setups(facts, accounts)
        assert view(project.id) == Setup(workspace=place)
        assert view("none") == Setup()
        issue = facts.issue_key(project, scheme)
        accounts.invitations.invite(place, "ada@example.com", "owner", by=OPERATOR, now=now_ms())
        assert issue
        assert view(project.id) == Setup(workspace=place, keys=1, invited=1)
        assert view(other.id) == Setup(workspace=place, invited=1)
        facts.revoke_key(issue[0].id)
        assert view(project.id) == Setup(workspace=place, invited=1)
