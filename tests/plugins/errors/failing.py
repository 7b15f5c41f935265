"""Made-up errors that say themselves which cause they have, and reports about them."""

import json
import random
from collections.abc import Mapping
from typing import Any

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.event import Event
from saastracker.issues.grouping import failure, key
from saastracker.testing import InMemoryDefinitions
from saastracker_errors import STATUS, detail, load, taggers
from tests.asking import START, blocks, scope
from tests.indexed import HOUR

TAGGERS = tuple(taggers(None))  # type: ignore[arg-type]
STACK = "    at renderLegs (quotes/compare.js:{line}:31)\n    at {caller} (quotes/compare.js:88:9)"
CAUSES: list[tuple[str, str, dict[str, str]]] = [  # name, type, properties
    ("error", "error", {"type": "TypeError", "message": "no {n}", "stack": STACK.replace("{caller}", "update")}),
    ("error", "error", {"type": "TypeError", "message": "no {n}", "stack": STACK.replace("{caller}", "refresh")}),
    ("crash", "error", {"signature": "garage", "message": "out of memory: {n} KB", "scene": "garage"}),
    ("exception", "design", {"message": "lost host{n}.example.com", "dim01": "sea"}),
    ("error", "design", {"message": "nothing to say"}),
    ("Null" + "Ref" * 80, "error", {}),
]


def error(cause: int, number: int = 0, **columns: Any) -> Event:
    name, kind, sent = CAUSES[cause]
    filled = {key: text.replace("{n}", str(number)).replace("{line}", str(number)) for key, text in sent.items()}
    return Event(name=name, type=kind, properties=json.dumps({**filled, "cause": cause}), **columns)


def key_of(cause: int) -> str:
    event = error(cause)
    return key(failure(event.name, event.properties))


KEYS = [key_of(cause) for cause in range(len(CAUSES))]


def failing(seed: int, count: int) -> list[Event]:
    """Errors among other events, in no order of time: of few persons, some anonymous until later."""
    pick = random.Random(seed)
    return [_event(pick) for _ in range(count)]


def _event(pick: random.Random) -> Event:
    columns: dict[str, Any] = {
        "time": START + pick.randrange(18 * 24 * 4) * HOUR // 4,
        "user": pick.choice([None, None, "u1", "u2", "u3"]),
        "anonymous": pick.choice([None, "a1", "a2", "u1"]),
        "org": pick.choice([None, "x", "y", "z"]),
        "session": pick.choice([None, "s1", "s2"]),
        "path": pick.choice([None, "/a", "/a/b", "/c"]),
        "plan": pick.choice([None, "pro"]),
        "environment": pick.choice(["production", "production", "staging"]),
        "release": pick.choice([None, "1.0", "1.1", "1.2"]),
        "browser": pick.choice([None, "Firefox"]),
    }
    if pick.random() < 0.3:
        return Event(name=pick.choice(["open", "crash"]), properties=pick.choice([None, '{"n": 2}']), **columns)
    return error(pick.randrange(len(CAUSES)), pick.randrange(10_000), **columns)


def listed(
    reader: Reader, query: str, zone: str = "UTC", definitions: Definitions | None = None
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The rows of the table by issue, in their order, and all blocks."""
    asked = scope(query, zone, declared=(STATUS,))
    found = blocks(load(reader, asked, definitions=definitions or InMemoryDefinitions()), asked)
    names = [column["key"] for column in found["issues"]["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in found["issues"]["rows"]]
    return {row["issue"]: row for row in rows}, found


def opened(
    reader: Reader, key: str, query: str, zone: str = "UTC", definitions: Definitions | None = None
) -> Mapping[str, Any]:
    """The blocks of one issue's page."""
    asked = scope(query, zone, declared=(STATUS,))
    return blocks(detail(reader, asked, key, definitions=definitions or InMemoryDefinitions()), asked)
