"""New keys and what is shown of them once."""

from collections.abc import Mapping
from typing import Any

import click

from saastracker.cli.options import Installation
from saastracker.config import suggest
from saastracker.errors import OperatorError
from saastracker.wire import AuthScheme, Project

Shown = dict[str, Mapping[str, str]]  # by auth scheme


def scheme(installation: Installation, name: str) -> AuthScheme:
    """Raises OperatorError with the nearest name."""
    schemes = installation.registry.auth_schemes
    if name not in schemes:
        raise OperatorError(f'No enabled plugin offers the auth scheme "{name}"{suggest(name, schemes)}')
    return schemes[name]


def without_keys(name: str) -> OperatorError:
    return OperatorError(f'The auth scheme "{name}" has no keys of its own; it reads those of another scheme')


def document(project: Project, keys: Shown) -> dict[str, Any]:
    """A project and its new keys for `--json`."""
    return {"id": project.id, "uuid": project.id, "slug": project.slug, "name": project.name, "keys": keys}


def show_keys(keys: Shown) -> None:
    for name, shown in keys.items():
        for label, text in shown.items():
            click.echo(f"  {name:<12} {label:<13} {text}")
