"""What must not be seen is nowhere: not in the database, the audit trail, a repr or a log. Every change is told."""

import logging

import msgspec
import pytest

from saastracker import audit
from saastracker.accounts import people, totp
from saastracker.accounts.csrf import check_csrf, csrf_token
from saastracker.accounts.invitations import first_owner
from saastracker.accounts.model import INVITATION_MS, OPERATOR, SESSION_MS, Signed
from saastracker.errors import Forbidden, Unauthorized

from .conftest import HERE, NOW, PASSWORD, SHOP, Place

ADA = "ada@example.com"


def test_nothing_secret_is_kept_or_shown(place: Place, owner: Signed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own, accounts = place.accounts.own, place.accounts
    entered, invited = place.enter(ADA), place.invite("bob@example.com")
    secret, _ = own.new_factor(owner)
    codes = own.add_factor(
        owner, secret, totp.code_at(secret, NOW // totp.STEP_MS), password=PASSWORD, address=HERE, now=NOW
    )
    needed = place.enter(ADA)
    again = own.new_recovery_codes(owner, password=PASSWORD, address=HERE, now=NOW)
    link = own.reset(owner.user, by=OPERATOR, factor=False, now=NOW)
    with pytest.raises(Unauthorized) as caught:
        place.enter(ADA, "a wrong password")
    user = accounts.snapshot.users[owner.user.id]
    hidden = [PASSWORD, entered.token, invited.link, secret, link, needed.ticket, *codes, *again, "a wrong password"]
    told = repr([accounts.snapshot, owner, entered, invited, needed, caught.value, caplog.text, place.trail()])
    files = b"".join(path.read_bytes() for path in place.folder.glob("saastracker.db*"))
    assert user.id.encode() in files
    for text in hidden:
        assert text not in told
        assert text.encode() not in files
    for text in (owner.user.credentials.password, user.credentials.factor, *user.credentials.recovery):
        assert text
        assert text not in told
    trail = b"".join(bytes(entry.value) for entry in place.trail())
    for text in (owner.user.credentials.password, user.credentials.factor, owner.session.digest):
        assert text.encode() not in trail


def test_the_audit_trail_tells_every_change(place: Place) -> None:
    accounts, own = place.accounts, place.accounts.own
    invited, writes = first_owner(SHOP, NOW)
    place.records.write(writes)
    place.accounts.refresh()
    ada = place.signed(place.sign_up(invited.link, ADA).token)
    by = ada.by(SHOP)
    bob = accounts.invitations.invite(SHOP, "bob@example.com", "viewer", by=by, now=NOW)
    accounts.invitations.withdraw(SHOP, bob.invitation.id, by=by, now=NOW)
    signed = place.join("bob@example.com", "viewer")
    accounts.roles.change(SHOP, signed.user.id, "member", by=by, now=NOW)
    accounts.roles.remove(SHOP, signed.user.id, by=by, now=NOW)
    accounts.sessions.end(signed, signed.session.id, NOW)
    own.rename(ada, "Ada L", NOW)
    own.change_password(ada, old=PASSWORD, new="two owls in the chimney", address=HERE, now=NOW)
    told = [
        (entry.who, entry.action, entry.kind, entry.version, bool(entry.workspace), bytes(entry.value).decode())
        for entry in place.trail()
    ]
    until = NOW + INVITATION_MS
    session = '{{"user":"{}","agent":"Firefox on Linux"}}'.format
    role = '{{"user":"{}","email":"{}","role":{}}}'.format
    owned = f'{{"email":null,"role":"owner","expires_at":{until}}}'
    viewer = f'{{"email":"bob@example.com","role":"viewer","expires_at":{until}}}'
    bob_id, bob_email = signed.user.id, "bob@example.com"
    assert told == [
        ("first start", "create", "invitation", 1, True, owned),
        (ADA, "create", "user", 1, False, '{"name":"Somebody","email":"ada@example.com"}'),
        (ADA, "create", "members", 1, True, role(ada.user.id, ADA, '"owner"')),
        (ADA, "delete", "invitation", 1, True, owned),
        (ADA, "create", "session", 1, False, session(ada.user.id)),
        (ADA, "create", "invitation", 1, True, viewer),
        (ADA, "delete", "invitation", 1, True, viewer),
        ("command line", "create", "invitation", 1, True, viewer),
        (bob_email, "create", "user", 1, False, '{"name":"Somebody","email":"bob@example.com"}'),
        (bob_email, "change", "members", 2, True, role(bob_id, bob_email, '"viewer"')),
        (bob_email, "delete", "invitation", 1, True, viewer),
        (bob_email, "create", "session", 1, False, session(bob_id)),
        (ADA, "change", "members", 3, True, role(bob_id, bob_email, '"member"')),
        (ADA, "change", "members", 4, True, role(bob_id, bob_email, "null")),
        (bob_email, "delete", "session", 1, False, session(bob_id)),
        (ADA, "change", "user", 2, False, '{"name":"Ada L","email":"ada@example.com"}'),
        (ADA, "change", "user", 3, False, '{"email":"ada@example.com","changed":"password"}'),
    ]
    assert {entry.at for entry in place.trail()} == {NOW}


def test_an_edit_and_its_entries_are_one_write(place: Place, owner: Signed) -> None:
    before = place.records.change()
    place.sign_up(place.invite("bob@example.com").link, "bob@example.com")
    place.enter(ADA)
    assert place.records.change() == before + 3


def test_what_is_over_is_removed(place: Place, owner: Signed) -> None:
    invited = place.invite("bob@example.com")
    place.accounts.own.reset(place.join("eve@example.com").user, by=OPERATOR, factor=False, now=NOW)
    kinds = ("session", "invitation", "password-link")
    people.expire(place.records, NOW)
    assert [len(place.records.records(kind)) for kind in kinds] == [1, 1, 1]
    people.expire(place.records, invited.invitation.expires_at)
    assert [len(place.records.records(kind)) for kind in kinds] == [1, 0, 0]
    people.expire(place.records, NOW + SESSION_MS)
    assert [len(place.records.records(kind)) for kind in kinds] == [0, 0, 0]
    assert len(place.records.records("user")) == 2


def test_sign_ins_leave_the_trail_when_they_are_old(place: Place, owner: Signed) -> None:
    place.enter(ADA, now=NOW + 1)
    before = [entry for entry in place.trail() if entry.kind != "session"]
    audit.expire(place.records, "session", NOW + 1)
    assert [entry.at for entry in place.trail() if entry.kind == "session"] == [NOW + 1]
    audit.expire(place.records, "session", NOW + 2)
    assert place.trail() == before


def test_everything_survives_a_restart(place: Place, owner: Signed) -> None:
    place.invite("bob@example.com")
    place.accounts.own.reset(place.join("eve@example.com").user, by=OPERATOR, factor=True, now=NOW)
    assert msgspec.structs.astuple(place.other().snapshot) == msgspec.structs.astuple(place.accounts.snapshot)


def test_forms_carry_a_token_of_the_session() -> None:
    first, second = csrf_token("one session"), csrf_token("another")
    assert len({first, second, "one session"}) == 3
    check_csrf("one session", first)
    for sent in ("", second, first[:-1], "one session", "\N{GRINNING FACE}"):
        with pytest.raises(Forbidden):
            check_csrf("one session", sent)
