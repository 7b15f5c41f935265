"""What is made of definitions once, when they change, and not with every event."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from saastracker.definition import Defined, Definitions

T = TypeVar("T")


class Compiled(Generic[T]):
    """By project, what a kind of which it has at most one definition comes to; should there be more, the oldest."""

    def __init__(self, definitions: Definitions, kind: str, make: Callable[[Any], T]) -> None:
        self._definitions = definitions
        self._kind = kind
        self._make = make
        self._made: dict[str, tuple[tuple[Defined, ...], T]] = {}  # by project

    def of(self, project: str) -> T | None:
        """None where nothing is defined. Looks only whether what is defined is still what it was."""
        defined = self._definitions.of(project, self._kind)
        if not defined:
            self._made.pop(project, None)
            return None
        known = self._made.get(project)
        if known is not None and known[0] is defined:
            return known[1]
        same = known is not None and known[0] == defined  # read again, as after any other change
        made = known[1] if known is not None and same else self._make(defined[0].value)
        self._made[project] = defined, made
        return made
