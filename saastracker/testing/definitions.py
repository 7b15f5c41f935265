"""Definitions in memory, in place of the server's records."""

from collections.abc import Mapping, Sequence
from typing import Any

from saastracker.definition import Defined


class InMemoryDefinitions:
    """The `Definitions` that reports and jobs read, the same for every project: values by kind, with ids from "1"."""

    def __init__(self, values: Mapping[str, Sequence[Any]] | None = None) -> None:
        self.defined = {
            kind: tuple(
                Defined(id=str(number), version=1, value=value, created_at=0, updated_at=0)
                for number, value in enumerate(of_kind, 1)
            )
            for kind, of_kind in (values or {}).items()
        }

    def of(self, project: str, kind: str) -> tuple[Defined, ...]:  # noqa: ARG002
        return self.defined.get(kind, ())
