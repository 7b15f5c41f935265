"""Cells made from raw events are those of the index."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.index import Cell
from saastracker.scope import Scope
from saastracker.testing import PROJECT
from tests.indexed import at, events, reading

ZONE = "America/New_York"  # its clocks change on 2026-03-08
START = at("2026-02-26 00:00")


def asked(reader: Reader, query: str, namespace: str, keys: Sequence[str] | None = None) -> dict[tuple[int, str], Cell]:
    """Cells of all environments by day and key."""
    scope = Scope.parse(query, project=PROJECT.id, timezone=ZONE, now=at("2026-03-12 12:00"))
    together: dict[tuple[int, str], Cell] = {}
    for day, key, cell in cells(reader, scope, reader.actors(PROJECT.id), scope.span, namespace, keys):
        known = together.get((day, key))
        together[day, key] = known.plus(cell) if known else cell
    return together


def facts(found: dict[tuple[int, str], Cell]) -> dict[tuple[int, str], object]:
    return {
        place: (cell.events, cell.total, cell.valued, [members.tolist() for members in cell.per_actor()])
        for place, cell in found.items()
    }


@settings(max_examples=30, deadline=None)
@given(batches=st.lists(events(START, 14), min_size=1, max_size=2), environment=st.sampled_from(["", "staging"]))
def test_raw_events_make_the_same_cells(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Event]], environment: str
) -> None:
    span = f"from={date(2026, 2, 28)}&to={date(2026, 3, 10)}&environment={environment}"
    with reading(tmp_path_factory.mktemp("cells"), ZONE, *batches) as reader:
        for namespace in ("all", "hour", "name", "country", "org"):
            indexed = asked(reader, span, namespace)
            assert facts(asked(reader, f"{span}&f=name:is_not:none", namespace)) == facts(indexed)
        indexed = asked(reader, span, "name", ["open", "save"])
        assert facts(asked(reader, f"{span}&f=path:is_not:none", "name", ["open", "save"])) == facts(indexed)
        german = {day: cell for (day, key), cell in asked(reader, span, "country").items() if key == "DE"}
        standing_in = asked(reader, f"{span}&f=country:is:DE", "all")
        assert list(facts(standing_in).values()) == [facts({(day, ""): cell})[day, ""] for day, cell in german.items()]
