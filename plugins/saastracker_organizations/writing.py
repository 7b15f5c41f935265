"""What people can write about an organization on its page: a name, its revenue, which other one it is."""

from typing import Any

import msgspec

from saastracker.definition import Defined, Definitions
from saastracker.merging import ORGANIZATION
from saastracker.report import Action, Column, Table
from saastracker.scope import Scope
from saastracker.written import Organization, Written

MRR = "Monthly recurring revenue: what was typed on the organization's page, else the trait company.custom.mrr."
MERGED = (
    Column("merged", "Organization", "code", about="As events carry it; all of them count here."),
    Column("undo", "Undo", "action"),
)


def actions(definitions: Definitions, scope: Scope, org: str) -> tuple[Action, ...]:
    defined = _defined(definitions, scope, org)
    value = _fields(defined.value if defined else Organization(org=org))
    place: dict[str, Any] = {"replaces": defined.id, "version": defined.version} if defined else {}
    edit = Action(label="Set name and MRR", kind=ORGANIZATION.kind, value=value, asks=("name", "mrr"), **place)
    merge = Action(label="Merge into", kind=ORGANIZATION.kind, value=value, asks=("merged_into",), **place)
    return edit, merge


def merged(definitions: Definitions, scope: Scope, written: Written, org: str) -> list[Table]:
    """Those that were merged into an organization; none if there are none."""
    rows = [[each, _undo(definitions, scope, each)] for each in written.into(org)]
    return [Table(key="merged", title="Merged into this", columns=MERGED, rows=rows)] if rows else []


def _undo(definitions: Definitions, scope: Scope, org: str) -> Action | None:
    defined = _defined(definitions, scope, org)
    if defined is None:
        return None
    rest = _fields(msgspec.structs.replace(defined.value, merged_into=None))
    place: dict[str, Any] = {"replaces": defined.id, "version": defined.version}
    return Action(label="Undo", kind=ORGANIZATION.kind, value=rest if len(rest) > 1 else None, **place)


def _defined(definitions: Definitions, scope: Scope, org: str) -> Defined | None:
    return next((each for each in definitions.of(scope.project, ORGANIZATION.kind) if each.value.org == org), None)


def _fields(value: Organization) -> dict[str, Any]:
    return {name: given for name, given in msgspec.structs.asdict(value).items() if given is not None}
