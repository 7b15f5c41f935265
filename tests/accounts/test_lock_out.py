"""Who fails to sign in waits: by account, by address, and never in a browser one has signed in with."""

import logging
from functools import partial

import pytest

from saastracker.accounts import totp
from saastracker.accounts.model import Signed
from saastracker.errors import TooMany, Unauthorized

from .conftest import HERE, NOW, PASSWORD, Place
from .test_sign_in import ADA, add_factor, confirm


def fail(place: Place, email: str = ADA, *, now: int = NOW, address: str = HERE) -> None:
    with pytest.raises(Unauthorized):
        place.enter(email, "wrong", now=now, address=address)


@pytest.mark.parametrize("email", [ADA, "nobody@example.com"])
def test_an_account_waits_after_five_tries_from_anywhere(place: Place, owner: Signed, email: str) -> None:
    for number in range(5):
        fail(place, email, address=f"198.51.100.{number}")
    with pytest.raises(TooMany, match="Try again in 2 s") as caught:
        place.enter(email, address="198.51.100.9")
    assert (b"retry-after", b"2") in caught.value.headers
    fail(place, email, now=NOW + 2000)
    with pytest.raises(TooMany):
        place.enter(email, now=NOW + 2000 + 3999)
    place.join("bob@example.com")
    assert place.enter("bob@example.com")


def test_the_right_password_ends_the_waiting(place: Place, owner: Signed) -> None:
    for number in range(8):
        fail(place, now=NOW + number * 100_000)
    later = NOW + 1_000_000
    assert place.enter(ADA, now=later)
    for _ in range(5):
        fail(place, now=later)
    with pytest.raises(TooMany):
        place.enter(ADA, now=later)


def test_nobody_is_locked_out_of_a_browser_they_have_signed_in_with(place: Place, owner: Signed) -> None:
    known = place.accounts.sign_in.known_browser(place.enter(ADA))
    place.join("bob@example.com")
    others = place.accounts.sign_in.known_browser(place.enter("bob@example.com"))
    for number in range(5):
        fail(place, address=f"198.51.100.{number}")
    for wrong in ("", others, known[:-1], known[:16], "x" * 500, "é"):
        with pytest.raises(TooMany):
            place.enter(ADA, browser=wrong)
    entered = place.enter(ADA, browser=known)
    with pytest.raises(TooMany):  # what failed elsewhere still counts there
        place.enter(ADA)
    for _ in range(5):
        with pytest.raises(Unauthorized):
            place.enter(ADA, "wrong", browser=known)
    with pytest.raises(TooMany):
        place.enter(ADA, browser=known)

    signed = place.signed(entered.token)
    change = partial(place.accounts.own.change_password, new="an owl in the attic", address=HERE, now=NOW)
    change(signed, old=PASSWORD)
    with pytest.raises(TooMany):  # it ends with the password
        place.enter(ADA, "an owl in the attic", browser=known)


def test_an_address_waits_whatever_accounts_it_tries(place: Place, owner: Signed) -> None:
    place.join("bob@example.com")
    for number in range(20):
        assert place.enter("bob@example.com")  # an account of one's own does not help
        fail(place, f"{number}@example.com")
    with pytest.raises(TooMany):
        place.enter(ADA)
    assert place.enter(ADA, address="198.51.100.1")


def test_codes_are_not_guessed_by_who_knows_the_password(place: Place, owner: Signed) -> None:
    secret, _ = add_factor(place, owner)
    wrong = next(
        code for code in ("000000", "111111", "222222", "333333") if code != totp.code_at(secret, NOW // 30000)
    )
    for _ in range(5):
        with pytest.raises(Unauthorized):
            confirm(place, place.enter(ADA), wrong)
    with pytest.raises(TooMany):
        place.enter(ADA)


def test_a_lock_is_told_once_and_without_address(place: Place, owner: Signed, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for number in range(10):
            fail(place, now=NOW + number * 1_000_000)
    assert [entry.record for entry in place.trail() if entry.action == "lock"] == [owner.user.id]
    assert len(caplog.records) == 1
    assert HERE not in caplog.text
    assert ADA not in caplog.text
