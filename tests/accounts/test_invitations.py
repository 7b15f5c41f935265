"""A link lets one person in, once, in time, as what it says."""

from collections.abc import Callable
from contextlib import closing

import pytest

from saastracker.accounts import Accounts, invitations
from saastracker.accounts.model import INVITATION_MS, OPERATOR, By, Signed
from saastracker.contracts import RecordStore
from saastracker.errors import Conflict, Forbidden, Invalid, NotFound
from saastracker.roles import Role
from saastracker.secrets import Secrets
from saastracker.testing.opened import in_threads

from .conftest import FIREFOX, NOW, PASSWORD, SHOP, Place


def test_the_first_owner(place: Place, owner: Signed) -> None:
    assert (owner.user.email, owner.roles, owner.session.agent) == ("ada@example.com", {SHOP: "owner"}, FIREFOX)
    assert owner.may(SHOP, "owner")
    assert not owner.may("workspace-2", "viewer")
    assert place.accounts.snapshot.invitations == {}


def test_somebody_is_invited_and_signs_up(place: Place, owner: Signed) -> None:
    by = owner.by(SHOP)
    invited = place.accounts.invitations.invite(SHOP, " Bob@Example.com ", "admin", by=by, now=NOW)
    assert place.accounts.invitations.find(invited.link, NOW) == invited.invitation
    assert (invited.invitation.email, invited.invitation.invited_by) == ("bob@example.com", "ada@example.com")
    entered = place.accounts.invitations.sign_up(
        invited.link, name=" Bob ", email="BOB@example.com", password=PASSWORD, agent=FIREFOX, now=NOW
    )
    bob = place.signed(entered.token)
    assert (bob.user.name, bob.roles) == ("Bob", {SHOP: "admin"})
    assert place.accounts.snapshot.of_workspace(SHOP) == {owner.user.id: "owner", bob.user.id: "admin"}


def test_a_link_works_once(place: Place, owner: Signed) -> None:
    link = place.invite("bob@example.com").link
    place.sign_up(link, "bob@example.com")
    for again in (link, "", "wrong", link[:-1], owner.session.digest):
        with pytest.raises(NotFound, match="for a new link"):
            place.sign_up(again, "bob@example.com")
    with pytest.raises(NotFound):
        place.accounts.invitations.find(link, NOW)


def test_a_link_works_once_for_many_at_once(
    place: Place, owner: Signed, open_records: Callable[[], RecordStore]
) -> None:
    invited, writes = invitations.first_owner("workspace-2", NOW)
    place.records.write(writes)
    came = []

    def come(email: str) -> Callable[[], None]:
        def run() -> None:
            with closing(open_records()) as records:
                accounts = Accounts(records, Secrets.open(place.folder))
                came.append(
                    accounts.invitations.sign_up(
                        invited.link, name="E", email=email, password=PASSWORD, agent="", now=NOW
                    )
                )

        return run

    failed = in_threads([come(f"{name}@example.com") for name in "bcde"])
    place.accounts.refresh()
    assert [type(each) for each in failed] == [NotFound] * 3
    assert place.accounts.snapshot.of_workspace("workspace-2") == {came[0].user.id: "owner"}
    assert len(place.accounts.snapshot.users) == 2


def test_a_link_is_over_after_a_week(place: Place, owner: Signed) -> None:
    invited = place.invite("bob@example.com")
    assert invited.invitation.expires_at == NOW + INVITATION_MS
    with pytest.raises(NotFound):
        place.sign_up(invited.link, "bob@example.com", now=NOW + INVITATION_MS)
    place.sign_up(invited.link, "bob@example.com", now=NOW + INVITATION_MS - 1)


def test_a_link_is_for_its_email(place: Place, owner: Signed) -> None:
    link = place.invite("bob@example.com").link
    with pytest.raises(Forbidden, match=r"is for bob@.+, not for eve@"):
        place.sign_up(link, "eve@example.com")
    with pytest.raises(Forbidden):
        place.accounts.invitations.accept(link, owner, NOW)


def test_who_has_an_account_accepts(place: Place, owner: Signed) -> None:
    link = place.invite("ada@example.com", "viewer", "workspace-2").link
    with pytest.raises(Conflict, match="sign in with it, then open this link again"):
        place.sign_up(link, "ada@example.com")
    assert place.accounts.invitations.accept(link, owner, NOW) == "workspace-2"
    assert place.accounts.snapshot.roles[owner.user.id] == {SHOP: "owner", "workspace-2": "viewer"}
    with pytest.raises(NotFound):
        place.accounts.invitations.accept(link, owner, NOW)


def test_a_newer_link_takes_the_place_of_the_older(place: Place, owner: Signed) -> None:
    older, newer = place.invite("bob@example.com"), place.invite("bob@example.com", "viewer")
    assert place.accounts.snapshot.invitations_to(SHOP, NOW) == [newer.invitation]
    with pytest.raises(NotFound):
        place.sign_up(older.link, "bob@example.com")
    place.sign_up(newer.link, "bob@example.com")
    with pytest.raises(Conflict, match="belongs to this workspace already"):
        place.invite("bob@example.com")


def test_invitations_are_withdrawn(place: Place, owner: Signed) -> None:
    invited = place.invite("bob@example.com")
    with pytest.raises(NotFound):
        place.accounts.invitations.withdraw("workspace-2", invited.invitation.id, by=OPERATOR, now=NOW)
    place.accounts.invitations.withdraw(SHOP, invited.invitation.id, by=owner.by(SHOP), now=NOW)
    with pytest.raises(NotFound):
        place.sign_up(invited.link, "bob@example.com")
    with pytest.raises(NotFound):
        place.accounts.invitations.withdraw(SHOP, invited.invitation.id, by=OPERATOR, now=NOW)


def test_there_are_not_too_many(place: Place, owner: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "INVITATIONS_MAX", 2)
    for name in "bc":
        place.invite(f"{name}@example.com")
    with pytest.raises(Conflict, match="at most 2 open invitations"):
        place.invite("d@example.com")
    place.invite("b@example.com")  # in place of the other
    place.accounts.invitations.invite(SHOP, "d@example.com", "member", by=OPERATOR, now=NOW + INVITATION_MS)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("viewer", ()),
        ("member", ()),
        ("admin", ("viewer", "member", "admin")),
        ("owner", ("viewer", "member", "admin", "owner")),
    ],
)
def test_who_may_invite_whom(place: Place, owner: Signed, role: Role, may: tuple[Role, ...]) -> None:
    given: tuple[Role, ...] = ("viewer", "member", "admin", "owner")
    for number, each in enumerate(given):
        email, by = f"{number}@example.com", By("bob@example.com", role)
        if each in may:
            invited = place.accounts.invitations.invite(SHOP, email, each, by=by, now=NOW)
            place.accounts.invitations.withdraw(SHOP, invited.invitation.id, by=by, now=NOW)
        else:
            with pytest.raises(Forbidden):
                place.accounts.invitations.invite(SHOP, email, each, by=by, now=NOW)
            invited = place.invite(email, each)
            with pytest.raises(Forbidden):
                place.accounts.invitations.withdraw(SHOP, invited.invitation.id, by=by, now=NOW)


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@@example.com", "ada@.", "a\x00@b.c", "a@" + "b" * 260],
)
def test_what_is_no_email(place: Place, email: str) -> None:
    with pytest.raises(Invalid, match="is no e-mail address"):
        place.invite(email)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "10 to 200 characters"),
        ("x" * 201, "10 to 200 characters"),
        ("aaaaaaaaaaaa", "5 different characters"),
        ("Bob-the-great@example.com", "neither the name nor the e-mail"),
        ("BOB-THE-GREAT", "neither the name nor the e-mail"),
    ],
)
def test_passwords_that_are_too_easy(place: Place, password: str, said: str) -> None:
    link = place.invite("bob-the-great@example.com").link
    with pytest.raises(Invalid, match=said):
        place.sign_up(link, "bob-the-great@example.com", password=password)
    place.sign_up(link, "bob-the-great@example.com")


def test_names(place: Place) -> None:
    link = place.invite("bob@example.com").link
    for name in ("", " ", "a\nb", "x" * 256):
        with pytest.raises(Invalid, match="A name has"):
            place.accounts.invitations.sign_up(
                link, name=name, email="bob@example.com", password=PASSWORD, agent="", now=NOW
            )


def test_what_somebody_may_no_longer_give_is_withdrawn(place: Place, owner: Signed) -> None:
    """Else a removed admin would come back by an invitation to another address of their own."""
    eve = place.join("eve@example.com", "owner")
    invite, change = place.accounts.invitations.invite, place.accounts.roles.change
    given: dict[str, Role] = {"e1@example.com": "admin", "e2@example.com": "owner", "e3@example.com": "viewer"}
    links = {to: invite(SHOP, to, role, by=eve.by(SHOP), now=NOW).link for to, role in given.items()}
    invite("workspace-2", "e4@example.com", "admin", by=By("eve@example.com", "owner"), now=NOW)
    place.invite("bob@example.com", "admin")

    def open_to() -> list[str | None]:
        return [each.email for each in place.accounts.snapshot.invitations.values()]

    change(SHOP, eve.user.id, "admin", by=owner.by(SHOP), now=NOW)
    assert open_to() == ["e1@example.com", "e3@example.com", "e4@example.com", "bob@example.com"]
    place.accounts.roles.remove(SHOP, eve.user.id, by=owner.by(SHOP), now=NOW)
    assert open_to() == ["e4@example.com", "bob@example.com"]
    for to, link in links.items():
        with pytest.raises(NotFound):
            place.sign_up(link, to)
    gone = [
        entry
        for entry in place.trail()
        if (entry.kind, entry.action, entry.who) == ("invitation", "delete", "ada@example.com")
    ]
    assert len(gone) == 1 + len(links)  # her own, with which she signed up
