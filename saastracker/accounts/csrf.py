"""The token that every form of a signed-in person carries, so that no other site can send it for them."""

import hashlib
import hmac

from saastracker.errors import Forbidden

FIELD = "csrf"


def csrf_token(session: str) -> str:
    """The forms' token for what the cookie holds, which cannot be told from it."""
    return hmac.new(session.encode(), b"saastracker csrf", hashlib.sha256).hexdigest()


def check_csrf(session: str, sent: str) -> None:
    """Raises Forbidden unless a form of this session sent it."""
    if not hmac.compare_digest(csrf_token(session).encode(), sent.encode()):
        raise Forbidden("This form is from an earlier sign-in. Load the page again, and send it from there.")
