"""What the page of an organization offers to write, and how it is undone."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.definitions import Definitions
from saastracker.errors import Invalid
from saastracker.merging import ORGANIZATION
from saastracker.report import Action, Table
from saastracker.scope import Scope
from saastracker.testing import PROJECT
from saastracker.written import Organization, written
from saastracker_organizations.writing import actions, merged
from saastracker_sqlite.records import SqliteRecords
from tests.asking import scope

KIND = ORGANIZATION.kind


@pytest.fixture
def definitions(tmp_path: Path) -> Definitions:
    return Definitions(SqliteRecords(tmp_path / "records.db"), {KIND: ORGANIZATION})


def press(definitions: Definitions, action: Action, **typed: Any) -> None:
    """What the form of an action does."""
    if action.value is None:
        definitions.delete(PROJECT.id, KIND, action.replaces, version=action.version, who="ada")
        return
    assert typed.keys() == {*action.asks}
    value = definitions.read(KIND, msgspec.json.encode(action.value | typed))
    if action.replaces:
        definitions.replace(PROJECT.id, KIND, action.replaces, version=action.version, value=value, who="ada")
    else:
        definitions.create(PROJECT.id, KIND, value=value, who="ada")


def values(definitions: Definitions) -> list[Organization]:
    return [each.value for each in definitions.of(PROJECT.id, KIND)]


def undoing(definitions: Definitions, asked: Scope, org: str) -> list[list[Any]]:
    tables: list[Table] = merged(definitions, asked, written(values(definitions)), org)
    return [row for table in tables for row in table.rows]


def test_a_name_and_revenue(definitions: Definitions) -> None:
    asked = scope("")
    press(definitions, actions(definitions, asked, "acme")[0], name="Acme", mrr=None)
    press(definitions, actions(definitions, asked, "acme")[0], name="Acme Ltd", mrr=12.5)
    assert values(definitions) == [Organization(org="acme", name="Acme Ltd", mrr=12.5)]


def test_merging_and_its_undoing(definitions: Definitions) -> None:
    asked = scope("")
    press(definitions, actions(definitions, asked, "acme-old")[0], name="Acme (old)", mrr=None)
    for org in ("acme-old", "acme-test"):
        press(definitions, actions(definitions, asked, org)[1], merged_into="acme")
    rows = undoing(definitions, asked, "acme")
    assert [row[0] for row in rows] == ["acme-old", "acme-test"]
    with pytest.raises(Invalid, match=r"\$\.merged_into: acme-old is itself merged into acme; undo that first"):
        press(definitions, actions(definitions, asked, "acme")[1], merged_into="acme-old")
    for row in rows:
        press(definitions, row[1])
    assert values(definitions) == [Organization(org="acme-old", name="Acme (old)")]
    assert undoing(definitions, asked, "acme") == []


def test_a_second_definition_of_an_organization_is_refused(definitions: Definitions) -> None:
    value = Organization(org="acme", name="Acme")
    definitions.create(PROJECT.id, KIND, value=value, who="ada")
    with pytest.raises(Invalid, match=r"\$\.org: There is a definition of acme already"):
        definitions.create(PROJECT.id, KIND, value=value, who="ada")
    definitions.create("another project", KIND, value=value, who="ada")
