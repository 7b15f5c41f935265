"""Definition: a kind of settings that projects have, such as features, and how plugins see those that exist."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from saastracker.contracts import Reader
from saastracker.report import Report
from saastracker.scope import Scope

ADDED = ("id", "version", "created_at", "updated_at")  # what the API puts beside a definition's own fields
DEFINED_MAX = 500  # of one kind in one project
NAME = re.compile("[a-z][a-z0-9-]{0,59}")  # of kinds and jobs: it stands in addresses


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of settings of which each project may have any number; the core gives it API, versions and audit trail.

    Raises ValueError for a wrong kind or struct.
    """

    kind: str  # as addresses name it: `feature`
    title: str  # of all there are: "Features"
    about: str = ""  # one sentence beside the title: what is defined with it
    struct: type[msgspec.Struct]  # frozen; better with forbid_unknown_fields, so that a typing error is told
    check: Callable[[Any], None] | None = None  # raises Invalid that names the field by path, as in `$.rules[0].name`
    # The same for a value beside the others that the project has.
    check_among: Callable[[Any, Sequence[Any]], None] | None = None
    # What would change if a value were saved in place of another one, None for a new definition. Of reader, scope,
    # what is defined, the value and the other one.
    preview: "Callable[[Reader, Scope, Definitions, Any, Any], Report] | None" = None
    most: int = DEFINED_MAX  # how many a project may have
    by_hand: bool = True  # whether people begin with an empty form; others come from the actions of reports

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.kind):
            raise ValueError(f"kind {self.kind!r}: use lower-case letters, digits and hyphens")
        if taken := sorted({field.encode_name for field in msgspec.structs.fields(self.struct)} & {*ADDED}):
            raise ValueError(f"kind {self.kind!r}: the API adds {', '.join(taken)} itself; name the field otherwise")


class Defined(msgspec.Struct, frozen=True, kw_only=True):
    """One definition of a project."""

    id: str
    version: int  # from 1
    value: Any  # of the kind's struct
    created_at: int
    updated_at: int


class Definitions(Protocol):
    """A live view of what is defined: always the newest, never a database read."""

    def of(self, project: str, kind: str) -> tuple[Defined, ...]:
        """All of a kind that the project with this id has, oldest first."""
