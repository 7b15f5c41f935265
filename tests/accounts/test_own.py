"""What users change of their own account needs their password, and ends what it should."""

import pytest

from saastracker.accounts import totp
from saastracker.accounts.model import OPERATOR, PASSWORD_LINK_MS, Signed
from saastracker.accounts.sign_in import CodeNeeded
from saastracker.errors import Conflict, Invalid, NotFound, TooMany, Unauthorized

from .conftest import HERE, NOW, PASSWORD, SHOP, Place

ADA = "ada@example.com"
NEW = "two owls in the chimney"
STEP = NOW // totp.STEP_MS


def test_a_new_password_ends_all_other_sessions(place: Place, owner: Signed) -> None:
    here, there = (place.enter(ADA).token for _ in range(2))
    bob = place.join("bob@example.com")
    place.accounts.own.change_password(place.signed(here), old=PASSWORD, new=NEW, address=HERE, now=NOW)
    assert place.signed(here).user.id == owner.user.id
    assert place.accounts.signed(there, NOW) is None
    assert [each.id for each in place.accounts.snapshot.sessions_of(bob.user.id, NOW)] == [bob.session.id]
    with pytest.raises(Unauthorized):
        place.enter(ADA, PASSWORD)
    assert place.enter(ADA, NEW)


def test_the_old_password_is_needed_and_not_guessed(place: Place, owner: Signed) -> None:
    own = place.accounts.own
    with pytest.raises(Invalid, match="10 to 200"):
        own.change_password(owner, old=PASSWORD, new="short", address=HERE, now=NOW)
    for attempt in (
        lambda: own.change_password(owner, old="wrong", new=NEW, address=HERE, now=NOW),
        lambda: own.add_factor(owner, totp.new_secret(), "000000", password="wrong", address=HERE, now=NOW),
        lambda: own.remove_factor(owner, password="wrong", address=HERE, now=NOW),
        lambda: own.new_recovery_codes(owner, password="wrong", address=HERE, now=NOW),
        lambda: own.change_password(owner, old="", new=NEW, address=HERE, now=NOW),
    ):
        with pytest.raises(Unauthorized, match="Your password is another one"):
            attempt()
    with pytest.raises(TooMany):
        own.change_password(owner, old=PASSWORD, new=NEW, address=HERE, now=NOW)
    signed = place.signed(place.enter(ADA).token)  # each session counts its own
    for _ in range(5):
        with pytest.raises(Unauthorized):
            place.enter(ADA, "wrong")
    own.change_password(signed, old=PASSWORD, new=NEW, address=HERE, now=NOW)


def test_a_password_that_changes_while_somebody_signs_in(place: Place, owner: Signed) -> None:
    """What was right when it was looked at lets nobody in once it is wrong."""
    other = place.other()
    other.own.change_password(owner, old=PASSWORD, new=NEW, address=HERE, now=NOW)
    with pytest.raises(Unauthorized, match="E-mail or password is wrong"):
        place.enter(ADA, PASSWORD)  # place.accounts has not refreshed: it looks again when it writes
    assert len(place.accounts.snapshot.sessions_of(owner.user.id, NOW)) == 1


def test_the_second_factor_from_beginning_to_end(place: Place, owner: Signed) -> None:
    own, elsewhere = place.accounts.own, place.enter(ADA).token
    secret, address = own.new_factor(owner)
    assert secret in address
    right, wrong = totp.code_at(secret, STEP), totp.code_at(secret, STEP + 9)
    for given, code in ((secret, wrong), (secret, ""), ("", right), ("secret", right)):
        with pytest.raises(Invalid, match="This code is wrong"):
            own.add_factor(owner, given, code, password=PASSWORD, address=HERE, now=NOW)
    assert not place.accounts.snapshot.users[owner.user.id].credentials.factor
    with pytest.raises(Conflict, match="no second factor"):
        own.new_recovery_codes(owner, password=PASSWORD, address=HERE, now=NOW)
    codes = own.add_factor(owner, secret, right, password=PASSWORD, address=HERE, now=NOW)
    assert place.accounts.signed(elsewhere, NOW) is None
    with pytest.raises(Conflict, match="already"):
        own.add_factor(owner, secret, right, password=PASSWORD, address=HERE, now=NOW)
    assert isinstance(place.enter(ADA), CodeNeeded)
    others = own.new_recovery_codes(owner, password=PASSWORD, address=HERE, now=NOW)
    assert not set(codes) & set(others)
    own.remove_factor(owner, password=PASSWORD, address=HERE, now=NOW)
    assert place.accounts.signed(place.enter(ADA).token, NOW)


def test_a_code_that_added_the_factor_signs_nobody_in(place: Place, owner: Signed) -> None:
    secret, _ = place.accounts.own.new_factor(owner)
    code = totp.code_at(secret, STEP)
    place.accounts.own.add_factor(owner, secret, code, password=PASSWORD, address=HERE, now=NOW)
    needed = place.enter(ADA)
    with pytest.raises(Unauthorized):
        place.accounts.sign_in.confirm(needed.ticket, code, address=HERE, agent="", now=NOW)


@pytest.mark.parametrize("factor", [False, True])
def test_a_reset_ends_everything_until_the_link_is_used(place: Place, owner: Signed, factor: bool) -> None:
    own = place.accounts.own
    secret, _ = own.new_factor(owner)
    own.add_factor(owner, secret, totp.code_at(secret, STEP), password=PASSWORD, address=HERE, now=NOW)
    first = own.reset(owner.user, by=OPERATOR, factor=factor, now=NOW)
    link = own.reset(owner.user, by=OPERATOR, factor=factor, now=NOW)
    assert place.accounts.snapshot.sessions == {}
    for password in (PASSWORD, ""):
        with pytest.raises(Unauthorized):
            place.enter(ADA, password)
    for wrong, now in ((first, NOW), (link, NOW + PASSWORD_LINK_MS), ("", NOW), (place.invite("b@c.de").link, NOW)):
        with pytest.raises(NotFound, match="for a new one"):
            own.set_password(wrong, NEW, now)
    with pytest.raises(Invalid):
        own.set_password(link, ADA, NOW)
    assert own.password_link(link, NOW).email == ADA
    assert own.set_password(link, NEW, NOW + PASSWORD_LINK_MS - 1).email == ADA
    with pytest.raises(NotFound):
        own.set_password(link, NEW, NOW)
    assert isinstance(place.enter(ADA, NEW), CodeNeeded) == (not factor)


def test_a_link_for_a_password_is_no_invitation(place: Place, owner: Signed) -> None:
    link = place.accounts.own.reset(owner.user, by=OPERATOR, factor=False, now=NOW)
    with pytest.raises(NotFound):
        place.sign_up(link, "bob@example.com")


def test_names_change(place: Place, owner: Signed) -> None:
    place.accounts.own.rename(owner, " Ada Lovelace ", NOW)
    assert place.accounts.snapshot.users[owner.user.id].name == "Ada Lovelace"
    with pytest.raises(Invalid):
        place.accounts.own.rename(owner, "", NOW)
    assert owner.may(SHOP, "owner")
