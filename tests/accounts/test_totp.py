"""Codes are those of RFC 6238, good once, and for a minute and a half."""

from base64 import b32encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.accounts import totp

RFC_SECRET = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [  # RFC 6238, appendix B, SHA-1: the last six of its eight digits
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(RFC_SECRET, seconds // 30) == code
    assert totp.matching_step(RFC_SECRET, f" {code[:3]} {code[3:]} ", seconds * 1000, 0) == seconds // 30


def test_a_code_is_good_beside_its_half_minute_and_never_again() -> None:
    code = totp.code_at(RFC_SECRET, 1000)
    found = {step: totp.matching_step(RFC_SECRET, code, step * totp.STEP_MS, 0) for step in range(997, 1004)}
    assert found == {997: None, 998: None, 999: 1000, 1000: 1000, 1001: 1000, 1002: None, 1003: None}
    assert totp.matching_step(RFC_SECRET, code, 1000 * totp.STEP_MS, 999) == 1000
    assert totp.matching_step(RFC_SECRET, code, 1000 * totp.STEP_MS, 1000) is None


@given(st.text(max_size=12))
def test_what_is_no_code_is_none(text: str) -> None:
    if "".join(text.split()) not in {totp.code_at(RFC_SECRET, step) for step in (999, 1000, 1001)}:
        assert totp.matching_step(RFC_SECRET, text, 1000 * totp.STEP_MS, 0) is None


def test_secrets_and_their_address() -> None:
    secret = totp.new_secret()
    assert totp.is_secret(secret)
    assert secret != totp.new_secret()
    for text in ("", secret[:-1], secret.lower(), secret[:-1] + "1"):
        assert not totp.is_secret(text)
    assert totp.address(RFC_SECRET, "ada+1@example.com") == (
        f"otpauth://totp/saastracker%3Aada%2B1%40example.com?secret={RFC_SECRET}&issuer=saastracker"
    )


def test_recovery_codes() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    assert all(len(code) == 19 and code.count("-") == 3 for code in codes)
    typed = f" {codes[0].upper().replace('-', ' ')} "
    assert totp.recovery_digest(typed) == totp.recovery_digest(codes[0]) != totp.recovery_digest(codes[1])
