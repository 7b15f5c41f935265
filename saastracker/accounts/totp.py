"""The second factor: codes that change every 30 seconds (RFC 6238), and recovery codes for a lost phone."""

import hmac
import re
import secrets
from base64 import b32decode, b32encode
from urllib.parse import quote, urlencode

from saastracker.secrets import digest

STEP_MS = 30_000
DIGITS = 6
RECOVERY_CODES = 10
ISSUER = "saastracker"


def new_secret() -> str:
    """160 random bits, as authenticators take them: base32."""
    return b32encode(secrets.token_bytes(20)).decode()


def is_secret(text: str) -> bool:
    """Whether `text` can be one of `new_secret`."""
    return re.fullmatch("[A-Z2-7]{32}", text) is not None


def code_at(secret: str, step: int) -> str:
    """The code of the `step`th half minute since 1970."""
    mac = hmac.digest(b32decode(secret), step.to_bytes(8), "sha1")
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: str, code: str, now: int, after: int) -> int | None:
    """The step later than `after` that a code is of, if it is now's or one beside it: clocks differ."""
    current = now // STEP_MS
    typed = _typed(code).encode()
    found = None
    for step in range(max(current - 1, after + 1), current + 2):
        if hmac.compare_digest(code_at(secret, step).encode(), typed):
            found = step
    return found


def address(secret: str, email: str) -> str:
    """What an authenticator reads from a QR code, or opens as a link."""
    query = urlencode({"secret": secret, "issuer": ISSUER})
    return f"otpauth://totp/{quote(f'{ISSUER}:{email}')}?{query}"


def new_recovery_codes() -> tuple[str, ...]:
    """Codes of 80 random bits, each good once."""
    return tuple(_grouped(b32encode(secrets.token_bytes(10)).decode().lower()) for _ in range(RECOVERY_CODES))


def recovery_digest(code: str) -> str:
    """What is kept of a recovery code; hyphens, blanks and case are passed over."""
    return digest(_typed(code).replace("-", "").lower())


def _grouped(text: str) -> str:
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _typed(code: str) -> str:
    return "".join(code.split())
