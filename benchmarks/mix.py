"""The events that benchmarks send: one product's day, the same on every run.

Of 20 events one brings a new person, each session has about 10 events; 100 organizations, 30 event
names, 200 paths, 60 bytes of properties.
"""

import hashlib
import random
import uuid
from collections.abc import Iterator
from typing import Any

NAMES = [
    f"{verb}_{noun}"
    for verb in ("open", "save", "share", "export", "invite")
    for noun in ("board", "card", "report", "file", "page", "team")
]
PATHS = [f"/{area}/{page}" for area in ("boards", "cards", "reports", "files", "settings") for page in range(40)]
ORGANIZATIONS = [f"org_{number:04d}" for number in range(100)]
ENVIRONMENTS = ["production"] * 9 + ["staging"]


def events(count: int, start: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """`count` bodies of the saastracker format; times run from `start` (seconds), 50 a second."""
    pick = random.Random(seed)
    persons: list[tuple[str, str]] = []
    session = ""
    left = 0
    person = ("", "")
    for number in range(count):
        if not persons or pick.random() < 0.05:
            persons.append((hashlib.sha256(f"{seed}:{len(persons)}".encode()).hexdigest(), pick.choice(ORGANIZATIONS)))
            left = 0
        if left == 0:
            person = persons[-1] if pick.random() < 0.5 else pick.choice(persons)
            session = str(uuid.UUID(int=pick.getrandbits(128), version=4))
            left = pick.randint(1, 19)
        left -= 1
        yield {
            "event": "page_view" if pick.random() < 0.4 else pick.choice(NAMES),
            "user_hash": person[0],
            "customer_org_id": person[1],
            "path": pick.choice(PATHS),
            "session_id": session,
            "environment": pick.choice(ENVIRONMENTS),
            "ts_epoch": start + number // 50,
            "properties": {
                "plan_seats": pick.randint(1, 500),
                "source": "app",
                "ms": pick.randint(1, 3000),
                "beta": False,
            },
        }


def game_events(count: int, start: int, seed: int = 11) -> Iterator[dict[str, Any]]:
    """The same persons, sessions and names as elements of an owlsignal batch."""
    for body in events(count, start, seed):
        yield {
            "build_version": "1.4.0",
            "session_id": body["session_id"],
            "player_hash": body["user_hash"],
            "ts": f"2026-11-20T12:{body['ts_epoch'] // 60 % 60:02d}:{body['ts_epoch'] % 60:02d}Z",
            "type": "design",
            "name": body["event"],
            "value": body["properties"]["ms"],
            "data": {"seats": body["properties"]["plan_seats"], "source": "app", "beta": False},
        }
