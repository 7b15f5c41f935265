"""A store's database while nothing has it open: what an upgrade would do to it, and putting a backup in its place."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec


class DatabaseState(msgspec.Struct, frozen=True, kw_only=True):
    """What a database holds, found without changing anything."""

    place: str  # a path or an address, without secrets
    exists: bool = True
    bytes: int = 0
    events: int = 0  # about
    applied: tuple[str, ...] = ()  # migrations, each named after the release that brought it
    pending: tuple[str, ...] = ()  # that this release would apply
    unknown: tuple[str, ...] = ()  # that a newer release applied: this one refuses it
    index: str = ""  # version of the code that made the index; empty without one
    copy: str = ""  # where a copy is kept before anything is changed


class Database(Protocol):
    """Offered beside a store, under the same name."""

    def state(self) -> DatabaseState:
        """Raises OperatorError where it cannot be read."""

    def restoring(self, path: Path, progress: Callable[[int, int], None]) -> AbstractContextManager[Path | None]:
        """Put a copy of the backup `path`, checked, in place of the database; yields where the replaced one is now.

        What is raised within puts that back. Raises OperatorError for a file that is no backup, is damaged or
        was made by a newer release, and while a process writes to the database.
        """


DatabaseFactory: TypeAlias = Callable[[], Database]
