"""Browsers that a user has signed in with: their tries count by themselves, so that nobody's failures lock them out."""

import hashlib
import hmac
import secrets

from saastracker.accounts.model import User

NAME_LENGTH = 16  # characters


def known_browser(user: User) -> str:
    """For a cookie: proves an earlier sign-in, lets nobody in, and ends with the password it was made for."""
    name = secrets.token_urlsafe(NAME_LENGTH * 3 // 4)
    return name + _proof(user, name)


def browser_name(user: User, text: str) -> str:
    """Which of the user's browsers holds this cookie; empty if none of them does."""
    name, proof = text[:NAME_LENGTH], text[NAME_LENGTH:]
    known = user.credentials.password and hmac.compare_digest(_proof(user, name).encode(), proof.encode())
    return name if known else ""


def _proof(user: User, name: str) -> str:
    """Keyed by the hash of the password, which no browser knows."""
    return hmac.new(user.credentials.password.encode(), f"{user.id} {name}".encode(), hashlib.sha256).hexdigest()
