"""What is behind the components of a score, and what moved them, in words."""

from typing import NamedTuple

from saastracker.health.model import HealthModel

AS_BEFORE = "as before"
MINUS = "\N{MINUS SIGN}"


class Look(NamedTuple):
    """What was seen of an organization in the window of one day."""

    silent: int  # days since the last one with an event
    active_days: int
    persons: int
    best: int
    used: int
    eligible: int
    events: int
    before: int
    members: frozenset[int]  # who the persons were
    features: frozenset[str]  # names of those used

    @property
    def ratio(self) -> str:
        """Events against those of the window before."""
        return f"{self.events / self.before:.0%}" if self.before else "nothing before"


def seen(component: str, look: Look, model: HealthModel) -> str:
    """The raw figures of a component."""
    length = model.window_days
    match component:
        case "recency":
            return _recency(look.silent, length)
        case "frequency":
            return f"{many(look.active_days, 'active day')} of {model.active_days}"
        case "breadth":
            return f"{many(look.persons, 'person')} of its best {look.best:,}" if look.best else "nobody is known"
        case "adoption":
            return f"{look.used:,} of {many(look.eligible, 'feature')}" if look.eligible else "no features"
        case _:
            return f"{many(look.events, 'event')}, {look.before:,} in the {length} days before"


def _recency(silent: int, length: int) -> str:
    if silent == 0:
        return "an event on the last day"
    return f"last event {many(silent, 'day')} before" if silent < length else f"no event for {length} days"


def moved(component: str, now: Look, then: Look, length: int) -> str:
    """What is different from an earlier day; `length` is that of a window."""
    match component:
        case "recency":
            changed = "" if now.silent == then.silent else f"was: {_recency(then.silent, length)}"
        case "frequency":
            changed = "" if now.active_days == then.active_days else f"was {many(then.active_days, 'day')}"
        case "breadth":
            changed = _persons(now, then)
        case "adoption":
            changed = _features(now, then)
        case _:
            changed = "" if now.ratio == then.ratio else f"now {now.ratio}, was {then.ratio}"
    return changed or AS_BEFORE


def many(count: int, one: str) -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else f'{one}s'}"


def _persons(now: Look, then: Look) -> str:
    quiet, new = len(then.members - now.members), len(now.members - then.members)
    parts = [
        *([f"{many(quiet, 'person')} went quiet"] if quiet else []),
        *([f"{many(new, 'person')} came"] if new else []),
        *([f"its best was {then.best:,}"] if now.best != then.best else []),
    ]
    return ", ".join(parts)


def _features(now: Look, then: Look) -> str:
    lost, gained = sorted(then.features - now.features), sorted(now.features - then.features)
    parts = [
        *([f"lost {' and '.join(lost)}"] if lost else []),
        *([f"gained {' and '.join(gained)}"] if gained else []),
        *([f"{now.eligible} are meant for it, were {then.eligible}"] if now.eligible != then.eligible else []),
    ]
    return ", ".join(parts)
