"""How long to wait before a request is sent again, and whether at all."""

import random
import time
from email.utils import parsedate_to_datetime

from saastracker_sdk.transport import Answer

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 60.0
ASKED_SECONDS = 3600.0  # the longest wait that a server may ask for


def sent_again(status: int) -> bool:
    """Whether the same request may be taken later; all other refusals are for good."""
    return status >= 500 or status in {408, 429}


def pause(attempt: int, answer: Answer | None = None) -> float:
    """Seconds after the failed try number `attempt`, from 0: what the answer says, else longer each time.

    A random part keeps many clients from coming back at once.
    """
    asked = _asked(answer) if answer else None
    if asked is not None:
        return min(asked, ASKED_SECONDS) * random.uniform(1, 1.2)
    return min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 10)) * random.uniform(0.5, 1)


def _asked(answer: Answer) -> float | None:
    """Retry-After in seconds; a date counts from the server's own, since this machine's clock may be wrong."""
    said = answer.retry_after.strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        until = parsedate_to_datetime(said).timestamp()
        now = parsedate_to_datetime(answer.date).timestamp() if answer.date else time.time()
        return max(0.0, until - now)
    except (ValueError, TypeError, OverflowError):
        return None
