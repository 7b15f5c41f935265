"""Signing in: the right password, then the right code, and waiting after wrong ones."""

from collections.abc import Callable
from contextlib import closing

import msgspec
import pytest
from argon2 import PasswordHasher

from saastracker.accounts import Accounts, passwords, totp
from saastracker.accounts.model import SESSION_MS, Signed
from saastracker.accounts.sessions import SESSIONS_MAX, Entered
from saastracker.accounts.sign_in import CodeNeeded
from saastracker.contracts import Change, RecordStore
from saastracker.errors import Unauthorized, Unavailable
from saastracker.records import HOUR_MS
from saastracker.secrets import Secrets
from saastracker.testing.opened import in_threads

from .conftest import FIREFOX, HERE, NOW, PASSWORD, SHOP, Place

ADA = "ada@example.com"


def add_factor(place: Place, signed: Signed) -> tuple[str, tuple[str, ...]]:
    """A second factor, added ten minutes ago."""
    secret, _ = place.accounts.own.new_factor(signed)
    code = totp.code_at(secret, (NOW - 600_000) // totp.STEP_MS)
    codes = place.accounts.own.add_factor(signed, secret, code, password=PASSWORD, address=HERE, now=NOW - 600_000)
    return secret, codes


def confirm(place: Place, ticket: CodeNeeded, code: str, now: int = NOW) -> Entered:
    return place.accounts.sign_in.confirm(ticket.ticket, code, address=HERE, agent=FIREFOX, now=now)


def test_the_right_password(place: Place, owner: Signed) -> None:
    for email in (ADA, " ADA@Example.com "):
        entered = place.enter(email)
        signed = place.signed(entered.token)
        assert (signed.user.id, signed.roles, signed.user.signed_in_at) == (owner.user.id, {SHOP: "owner"}, NOW)
        assert len(entered.token) == 43  # 256 bits in base64


@pytest.mark.parametrize(("email", "password"), [(ADA, "wrong"), (ADA, ""), ("eve@example.com", PASSWORD), ("", "")])
def test_wrong_ones_are_all_told_the_same(place: Place, owner: Signed, email: str, password: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        place.enter(email, password)
    assert caught.value.detail == "E-mail or password is wrong."


def test_a_password_is_the_same_on_every_keyboard(place: Place, owner: Signed) -> None:
    place.sign_up(place.invite("bob@example.com").link, "bob@example.com", password="Zwo\u0308lf Ka\u0308uze")
    assert place.enter("bob@example.com", "Zw\u00f6lf K\u00e4uze").user.email == "bob@example.com"


def test_a_session_ends_a_month_after_it_was_used_last(
    place: Place, owner: Signed, open_records: Callable[[], RecordStore]
) -> None:
    token = place.enter(ADA).token
    assert place.accounts.signed(token, NOW + SESSION_MS) is None
    later = NOW + SESSION_MS - 1
    assert place.signed(token, later)
    place.accounts.refresh()
    assert place.signed(token, later + SESSION_MS - 1).session.seen_at == later
    with closing(open_records()) as records:
        other = Accounts(records, Secrets.open(place.folder))
        assert other.signed(token, later + SESSION_MS - 1)


def test_using_a_session_writes_once_an_hour(place: Place, owner: Signed) -> None:
    token = place.enter(ADA).token
    before, trail = place.records.change(), len(place.trail())
    for minutes in range(0, 180, 5):
        assert place.signed(token, NOW + minutes * 60_000)
        place.accounts.refresh()
    assert place.records.change() == before + 2
    assert place.signed(token, NOW + 2 * HOUR_MS).session.seen_at == NOW + 2 * HOUR_MS
    assert len(place.trail()) == trail


def test_two_processes_may_see_a_session_at_once(
    place: Place, owner: Signed, open_records: Callable[[], RecordStore]
) -> None:
    token = place.enter(ADA).token
    with closing(open_records()) as records:
        other = Accounts(records, Secrets.open(place.folder))
        for accounts in (place.accounts, other):
            assert accounts.signed(token, NOW + HOUR_MS)
        in_threads([place.accounts.refresh, other.refresh])
        for accounts in (place.accounts, other):
            accounts.refresh()
            found = accounts.signed(token, NOW)
            assert found
            assert found.session.seen_at == NOW + HOUR_MS


def test_signing_out(place: Place, owner: Signed, open_records: Callable[[], RecordStore]) -> None:
    tokens = [place.enter(ADA).token for _ in range(3)]
    first = place.signed(tokens[0])
    bob = place.join("bob@example.com")
    with pytest.raises(Exception, match="not signed in there"):
        place.accounts.sessions.end(bob, first.session.id, NOW)
    assert len(place.accounts.snapshot.sessions_of(owner.user.id, NOW)) == 4
    with closing(open_records()) as records:
        other = Accounts(records, Secrets.open(place.folder))
        place.accounts.sessions.end(first, place.signed(tokens[1]).session.id, NOW)
        assert [place.accounts.signed(token, NOW) is None for token in tokens] == [False, True, False]
        assert other.signed(tokens[1], NOW)
        other.refresh()
        assert other.signed(tokens[1], NOW) is None
    place.accounts.sessions.end_others(first, NOW)
    assert place.accounts.snapshot.sessions_of(owner.user.id, NOW) == [first.session]
    assert place.signed(tokens[0])


def test_sessions_are_bounded(place: Place, owner: Signed) -> None:
    tokens = [place.enter(ADA, now=NOW + number).token for number in range(SESSIONS_MAX + 1)]
    assert [place.accounts.signed(token, NOW) is None for token in tokens] == [True] + [False] * SESSIONS_MAX
    listed = place.accounts.snapshot.sessions_of(owner.user.id, NOW)
    assert [session.seen_at for session in listed] == [NOW + number for number in range(SESSIONS_MAX, 0, -1)]


def test_no_other_text_is_a_session(place: Place, owner: Signed) -> None:
    invited = place.invite("bob@example.com")
    for text in ("", "x", invited.link, owner.session.digest, owner.session.id, "\N{GRINNING FACE}"):
        assert place.accounts.signed(text, NOW) is None


# --- The second factor ---


def test_a_code_is_needed_and_good_once(place: Place, owner: Signed) -> None:
    secret, _ = add_factor(place, owner)
    needed = place.enter(ADA)
    assert isinstance(needed, CodeNeeded)
    code = totp.code_at(secret, NOW // totp.STEP_MS)
    with pytest.raises(Unauthorized, match="wrong, or was used"):
        confirm(place, needed, "000000" if code != "000000" else "000001")
    assert place.signed(confirm(place, needed, code).token).user.id == owner.user.id
    with pytest.raises(Unauthorized, match="wrong, or was used"):
        confirm(place, place.enter(ADA), code)
    assert confirm(place, place.enter(ADA), totp.code_at(secret, NOW // totp.STEP_MS + 1))


def test_a_code_used_at_once_in_many_processes_lets_in_one(
    place: Place, owner: Signed, open_records: Callable[[], RecordStore]
) -> None:
    secret, _ = add_factor(place, owner)
    needed, code = place.enter(ADA), totp.code_at(secret, NOW // totp.STEP_MS)
    came = []

    def come() -> None:
        with closing(open_records()) as records:
            accounts = Accounts(records, Secrets.open(place.folder))
            came.append(accounts.sign_in.confirm(needed.ticket, code, address=HERE, agent="", now=NOW))

    failed = in_threads([come] * 4)
    assert (len(came), [type(each) for each in failed]) == (1, [Unauthorized] * 3)


def test_recovery_codes_are_good_once(place: Place, owner: Signed) -> None:
    _, codes = add_factor(place, owner)
    assert confirm(place, place.enter(ADA), f" {codes[3].upper()} ")
    with pytest.raises(Unauthorized):
        confirm(place, place.enter(ADA), codes[3])
    assert confirm(place, place.enter(ADA), codes[4])
    assert len(place.accounts.snapshot.users[owner.user.id].credentials.recovery) == totp.RECOVERY_CODES - 2
    left = [msgspec.json.decode(entry.value) for entry in place.trail() if b"recovery" in bytes(entry.value)]
    assert [told["left"] for told in left] == [9, 8]


def test_a_ticket_ends(place: Place, owner: Signed) -> None:
    secret, _ = add_factor(place, owner)
    needed = place.enter(ADA)
    later = NOW + 5 * 60_000
    code = totp.code_at(secret, later // totp.STEP_MS)
    for ticket in (needed, CodeNeeded(""), CodeNeeded("x"), CodeNeeded("\xe9"), CodeNeeded(needed.ticket[:-2] + "xx")):
        with pytest.raises(Unauthorized, match="Start again"):
            confirm(place, ticket, code, later)
    assert confirm(place, needed, totp.code_at(secret, (later - 1) // totp.STEP_MS), later - 1)
    needed = place.enter(ADA)
    link = place.accounts.own.reset(owner.user, by=owner.by(SHOP), factor=False, now=NOW)
    place.accounts.own.set_password(link, PASSWORD, NOW)
    with pytest.raises(Unauthorized, match="Start again"):
        confirm(place, needed, totp.code_at(secret, NOW // totp.STEP_MS + 1))


def test_other_secrets_are_no_tickets(place: Place, owner: Signed) -> None:
    for text in (b"hidden", b"{}", b'{"type":"other","user":"x","password":"","until":9e15}'):
        sealed = Secrets.open(place.folder).encrypt(text)
        with pytest.raises(Unauthorized, match="Start again"):
            confirm(place, CodeNeeded(sealed), "000000")


# --- Passwords ---


def test_too_many_at_once_are_sent_away(place: Place, owner: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.01)
    with passwords._turn(), passwords._turn(), pytest.raises(Unavailable, match="Try again"):
        place.enter(ADA)
    assert place.enter(ADA)


def test_passwords_are_argon2id(costly_passwords: None, owner: Signed) -> None:
    assert owner.user.credentials.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_of_an_older_release_is_renewed(place: Place, owner: Signed) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    old = msgspec.structs.replace(
        owner.user, credentials=msgspec.structs.replace(owner.user.credentials, password=weak)
    )
    place.records.write([Change("user", old.id, 1, msgspec.json.encode(old), old.email)])
    place.accounts.refresh()
    assert place.enter(ADA)
    renewed = place.accounts.snapshot.users[old.id].credentials.password
    assert not passwords.is_outdated(renewed)
    assert passwords.is_outdated(weak)
    assert place.enter(ADA)
