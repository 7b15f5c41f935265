"""What events teach about people."""

from typing import Any

import msgspec

from saastracker.contracts import Reader
from saastracker.persons import Joining, Person


def traits(reader: Reader, project: str, person: Joining) -> dict[Person, dict[str, Any]]:
    """The traits of everybody who has some; of each trait the newest value, by arrival."""
    found: dict[Person, dict[str, Any]] = {}
    rows = reader.query(
        """SELECT "user", anonymous, traits, MAX(sequence) FROM events
        WHERE project = :project AND traits IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 4""",
        project=project,
    )
    for user, anonymous, text, _ in rows:
        who = person(user, anonymous)
        told = msgspec.json.decode(text).get("user")
        if who and isinstance(told, dict):
            found.setdefault(who, {}).update(told)
    return found


def email(told: dict[str, Any]) -> str | None:
    return _text(told.get("email"))


def full_name(told: dict[str, Any]) -> str | None:
    """First and last name, as far as they are known."""
    return " ".join(filter(None, (_text(told.get("first_name")), _text(told.get("last_name"))))) or None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
