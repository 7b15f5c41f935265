"""All operations of the API, by what they are about."""

from collections.abc import Iterable, Iterator

from saastracker.definition import Definition
from saastracker.web.api import (
    account,
    audits,
    definitions,
    issues,
    jobs,
    keeping,
    keys,
    members,
    notifications,
    plugin_list,
    projects,
    shares,
    status,
    tokens,
    topics,
    usage,
    workspaces,
)
from saastracker.web.api.operation import Operation, operations

_MODULES = (
    projects,
    keys,
    definitions,
    issues,
    keeping,
    shares,
    workspaces,
    usage,
    members,
    tokens,
    notifications,
    audits,
    status,
    jobs,
    plugin_list,
    account,
    topics,
)
OPERATIONS = tuple(each for module in _MODULES for each in operations(module))


def described(kinds: Iterable[Definition]) -> list[Operation]:
    """As they are described: those of definitions once for each kind there is."""
    return list(_described(list(kinds)))


def _described(kinds: list[Definition]) -> Iterator[Operation]:
    for module in _MODULES:
        if module is definitions:
            yield from definitions.of_kinds(kinds, definitions)
        else:
            yield from operations(module)
