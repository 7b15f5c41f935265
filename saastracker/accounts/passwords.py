"""Passwords: rules for new ones, argon2id hashes, and a bound on how many are hashed at a time."""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from saastracker.errors import Invalid, Unavailable

PASSWORD_MIN, PASSWORD_MAX = 10, 200  # characters
DIFFERENT_MIN = 5
AT_A_TIME = 2  # 19 MiB and 30 ms each
WAIT_SECONDS = 1.0  # others wait so long, and no longer: they take threads that reports need

# OWASP's recommendation for argon2id.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_room = threading.BoundedSemaphore(AT_A_TIME)


def check_password(password: str, *taken: str) -> None:
    """Raises Invalid for one that is too easy, or one of `taken`, such as the user's e-mail."""
    wrong = None
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        wrong = f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters; a sentence is a good one."
    elif len(set(password)) < DIFFERENT_MIN:
        wrong = f"A password has at least {DIFFERENT_MIN} different characters."
    elif password.strip().lower() in {text.strip().lower() for text in taken}:
        wrong = "A password is neither the name nor the e-mail: others know those."
    if wrong:
        raise Invalid(wrong, reason="password")


def hash_password(password: str) -> str:
    """Raises Unavailable while too many others are hashed."""
    with _turn():
        return _hasher.hash(_plain(password))


def is_right(kept: str, password: str) -> bool:
    """Whether a hash is this password's; where there is none, finding out takes as long.

    Raises Unavailable while too many others are hashed.
    """
    with _turn():
        try:
            return _hasher.verify(kept or _nobodys(), _plain(password)) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether today's hashes are harder to guess from."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _hasher.hash("")


def _plain(password: str) -> bytes:
    """The same bytes on every keyboard that types it."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@contextmanager
def _turn() -> Iterator[None]:
    if not _room.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("Too many people sign in at this moment. Try again.")
    try:
        yield
    finally:
        _room.release()
