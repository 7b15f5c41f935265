"""What names of game events say: `Start:dungeon` starts the run "dungeon", `Sink:gold` spends the resource "gold"."""

from collections.abc import Iterable
from typing import TypeAlias

from saastracker.tagger import KEY_MAX

NAMESPACE = "game"
START, COMPLETE, FAIL = "Start:", "Complete:", "Fail:"
SOURCE, SINK = "Source:", "Sink:"
VERBS: dict[str, tuple[str, ...]] = {"progression": (START, COMPLETE, FAIL), "resource": (SOURCE, SINK)}  # by type

Named: TypeAlias = dict[str, tuple[str, str]]  # name of an event → verb, and what that is about


def keys(kind: str, name: str) -> tuple[str, ...]:
    """The name of an event whose type and name go together."""
    return (name,) if len(name) <= KEY_MAX and named(kind, [name]) else ()


def named(kind: str, names: Iterable[str]) -> Named:
    """Those names that say something in events of a type."""
    return {
        name: (verb, name[len(verb) :])
        for name in names
        for verb in VERBS[kind]
        if name.startswith(verb) and len(name) > len(verb)
    }
