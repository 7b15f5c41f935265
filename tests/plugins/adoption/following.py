"""Features of every sort, and a reader whose index follows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from saastracker.contracts import Reader, ReportPage
from saastracker.definition import Definitions
from saastracker.event import Event
from saastracker.scope import Scope
from saastracker.testing import InMemoryDefinitions
from saastracker_adoption import reports, taggers
from saastracker_adoption.feature import Feature
from tests.asking import FOREIGN, blocks
from tests.indexed import reading

COLUMNS = [
    *("feature", "active_orgs", "adopters", "adoption", "active_persons", "person_adopters", "person_adoption"),
    *("depth", "breadth", "median_days_to_adopt", "gained", "kept", "lost", "id"),
]
BODIES: list[dict[str, Any]] = [
    {"name": "Opening", "rules": [{"name": "open"}]},
    {"name": "Keeping", "rules": [{"name": "save"}, {"name": "export", "path_prefix": "/a"}], "min_events": 2},
    {"name": "First n", "rules": [{"name": "open", "properties": {"n": 1}}, {"name": "save"}], "plans": ["pro"]},
    {
        "name": "Labelled",
        "rules": [{"name": "open", "path_prefix": "/a/", "properties": {"label": "m"}}, {"name": "nothing"}],
        "plans": ["pro", "team"],
    },
    {"name": "Both", "rules": [{"name": "save", "properties": {"category": "a", "n": "2"}}], "min_events": 2},
    {"name": "Never", "rules": [{"name": "nothing"}]},
]
DEFINED = InMemoryDefinitions({"feature": [msgspec.convert(body, Feature) for body in BODIES]})


def page(defined: Definitions = DEFINED) -> ReportPage:
    [found] = reports(None, defined)  # type: ignore[arg-type]
    return found


@contextmanager
def following(
    folder: Path, zone: str, *batches: list[Event], rebuilt: bool = False, defined: Definitions = DEFINED
) -> Iterator[Reader]:
    with reading(
        folder,
        zone,
        *batches,
        foreign=FOREIGN,
        rebuilt=rebuilt,
        taggers=taggers(None),  # type: ignore[arg-type]
        definitions=defined,
    ) as reader:
        yield reader


def ask(reader: Reader, asked: Scope, feature: str | None = None, defined: Definitions = DEFINED) -> dict[str, Any]:
    found = page(defined)
    assert found.detail is not None
    return blocks(found.load(reader, asked) if feature is None else found.detail(reader, asked, feature), asked)
