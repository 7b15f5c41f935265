"""Roles: each may what it says, and a workspace always keeps an owner."""

import itertools
import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from saastracker.accounts import Accounts, roles
from saastracker.accounts.model import OPERATOR, By, Signed
from saastracker.contracts import RecordStore
from saastracker.errors import Conflict, Forbidden, NotFound
from saastracker.roles import ROLES, Role, may
from saastracker.secrets import Secrets
from saastracker.testing.opened import in_threads

from .conftest import NOW, SHOP, Place


def test_each_role_may_what_those_before_it_may() -> None:
    table = {role: [needed for needed in ROLES if may(role, needed)] for role in ROLES}
    assert table == {
        "viewer": ["viewer"],
        "member": ["viewer", "member"],
        "admin": ["viewer", "member", "admin"],
        "owner": ["viewer", "member", "admin", "owner"],
    }
    assert not any(may(None, needed) for needed in ROLES)


def test_a_role_changes_at_once(place: Place, owner: Signed) -> None:
    bob = place.join("bob@example.com", "viewer")
    place.accounts.roles.change(SHOP, bob.user.id, "admin", by=owner.by(SHOP), now=NOW)
    assert place.accounts.snapshot.roles[bob.user.id] == {SHOP: "admin"}
    place.accounts.roles.remove(SHOP, bob.user.id, by=owner.by(SHOP), now=NOW)
    assert bob.user.id not in place.accounts.snapshot.roles
    assert bob.user.id in place.accounts.snapshot.users


def test_the_last_owner_stays(place: Place, owner: Signed) -> None:
    bob = place.join("bob@example.com", "admin")
    ada, by = owner.user.id, owner.by(SHOP)
    change = place.accounts.roles
    with pytest.raises(Conflict, match="needs an owner"):
        change.remove(SHOP, ada, by=by, now=NOW)
    with pytest.raises(Conflict, match="needs an owner"):
        change.change(SHOP, ada, "admin", by=by, now=NOW)
    with pytest.raises(Conflict, match="needs an owner"):
        change.leave(SHOP, ada, by=by, now=NOW)
    change.change(SHOP, bob.user.id, "owner", by=by, now=NOW)
    change.leave(SHOP, ada, by=by, now=NOW)
    assert place.accounts.snapshot.of_workspace(SHOP) == {bob.user.id: "owner"}


def test_one_of_two_owners_who_go_at_once_stays(
    place: Place, owner: Signed, open_records: Callable[[], RecordStore]
) -> None:
    bob = place.join("bob@example.com", "owner")
    together = threading.Barrier(2)

    def leave(signed: Signed) -> None:
        with closing(open_records()) as records:
            accounts = Accounts(records, Secrets.open(place.folder))
            together.wait()
            accounts.roles.leave(SHOP, signed.user.id, by=signed.by(SHOP), now=NOW)

    failed = in_threads([lambda: leave(owner), lambda: leave(bob)])
    place.accounts.refresh()
    assert [type(each) for each in failed] == [Conflict]
    assert list(place.accounts.snapshot.of_workspace(SHOP).values()) == ["owner"]


@pytest.mark.parametrize("role", ROLES)
def test_who_may_change_whom(place: Place, owner: Signed, role: Role) -> None:
    """Owners all; admins all that has nothing to do with owners; others nothing."""
    user, by, change = place.join("bob@example.com").user.id, By("eve@example.com", role), place.accounts.roles

    def attempt(new: Role | None) -> None:
        if new is None:
            change.remove(SHOP, user, by=by, now=NOW)
        else:
            change.change(SHOP, user, new, by=by, now=NOW)

    for target, new in itertools.product(ROLES, (*ROLES, None)):
        if user in place.accounts.snapshot.of_workspace(SHOP):
            change.change(SHOP, user, target, by=OPERATOR, now=NOW)
        else:
            change.add(SHOP, user, target, by=OPERATOR, now=NOW)
        allowed = role == "owner" or (role == "admin" and "owner" not in {target, new})
        if allowed:
            attempt(new)
        else:
            with pytest.raises(Forbidden):
                attempt(new)
        assert place.accounts.snapshot.of_workspace(SHOP).get(user) == (new if allowed else target)


def test_strangers(place: Place, owner: Signed) -> None:
    foreign = place.join("eve@example.com", "owner", "workspace-2")
    with pytest.raises(NotFound):
        foreign.by(SHOP)
    for user in (foreign.user.id, "nobody"):
        with pytest.raises(NotFound):
            place.accounts.roles.change(SHOP, user, "viewer", by=owner.by(SHOP), now=NOW)
        with pytest.raises(NotFound):
            place.accounts.roles.remove(SHOP, user, by=owner.by(SHOP), now=NOW)
    with pytest.raises(NotFound):
        place.accounts.roles.add(SHOP, "nobody", "viewer", by=OPERATOR, now=NOW)


def test_one_user_in_two_workspaces(place: Place, owner: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    place.accounts.roles.add("workspace-2", owner.user.id, "viewer", by=OPERATOR, now=NOW)
    with pytest.raises(Conflict, match="belongs to this workspace already"):
        place.accounts.roles.add("workspace-2", owner.user.id, "owner", by=OPERATOR, now=NOW)
    signed = place.accounts.snapshot.roles[owner.user.id]
    assert signed == {SHOP: "owner", "workspace-2": "viewer"}
    monkeypatch.setattr(roles, "MEMBERS_MAX", 1)
    with pytest.raises(Conflict, match="at most 1 members"):
        place.join("bob@example.com")
