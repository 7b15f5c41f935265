"""The health report equals a plain computation over the raw events."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.health.model import COMPONENTS, HealthModel, Weights
from saastracker_health.explaining import explained
from saastracker_health.listing import listing
from tests.asking import FOREIGN, blocks, rows, scope
from tests.indexed import ZONES, reading, stores
from tests.plugins.health.slow import FEATURES, LAST, ORGS, TAGGER, Asked, defined, made, slow

SPAN = f"from={LAST - timedelta(11)}&to={LAST}"
OTHER_MODEL = HealthModel(
    weights=Weights(recency=3, frequency=0.5, breadth=7, adoption=2, trend=1),
    window_days=14,
    best_days=40,
    active_days=5,
    healthy=60,
    watch=55,
)
QUERIES: dict[str, Any] = {
    "": lambda event: True,
    "&environment=staging": lambda event: event.environment == "staging",
    "&org=x": lambda event: event.org == "x",
    "&name=open": lambda event: event.name == "open",
    "&f=plan:is:pro&environment=production": lambda event: event.plan == "pro" and event.environment == "production",
}


def ask(reader: Reader, query: str, definitions: Definitions, zone: str = "UTC", org: str | None = None) -> Any:
    asked = scope(query, zone)
    answer = listing(reader, asked, definitions) if org is None else explained(reader, asked, definitions, org)
    return blocks(answer, asked)


def row_of(asked: Asked, org: str) -> list[Any] | None:
    """The row of an organization in the table, or None."""
    now = slow(asked, org, LAST)
    if now is None:
        return None
    changes = []
    for days in (7, 28):
        then = slow(asked, org, LAST - timedelta(days))
        known = now.score is not None and then is not None and then.score is not None
        changes.append((now.score or 0) - (then.score or 0) if known and then else None)
    values = [None if now.score is None else now.values[name] for name in COMPONENTS]
    return [org, now.score, now.band, *values, *changes]


def same(found: list[Any], expected: list[Any]) -> bool:
    return [*found[:3], *found[8:]] == [*expected[:3], *expected[8:]] and all(
        one is other if None in (one, other) else one == pytest.approx(float(other))
        for one, other in zip(found[3:8], expected[3:8], strict=True)
    )


@stores
@given(
    seed=st.integers(0, 10**6),
    zone=st.sampled_from(ZONES),
    model=st.sampled_from([HealthModel(), HealthModel(), OTHER_MODEL]),
    rebuilt=st.booleans(),
)
def test_equals_a_slow_computation(
    tmp_path_factory: pytest.TempPathFactory, seed: int, zone: str, model: HealthModel, rebuilt: bool
) -> None:
    sent = made(seed)
    found = rows(sent, zone)
    definitions = defined(model, HealthModel(window_days=7))  # of several the oldest counts
    folder, parts = tmp_path_factory.mktemp("health"), (sent[:40], sent[40:])
    with reading(
        folder, zone, *parts, foreign=FOREIGN, rebuilt=rebuilt, taggers=[TAGGER], definitions=definitions
    ) as reader:
        for query, chosen in QUERIES.items():
            environment = query.rpartition("environment=")[2] or None if "environment" in query else None
            known = "name" not in query and "plan" not in query  # the use of features
            asked = Asked(found, chosen, environment, FEATURES if known else (), model)
            answer = ask(reader, f"{SPAN}{query}", definitions, zone)
            expected = {org: row for org in ORGS if (row := row_of(asked, org))}
            shown = {
                row[0]: row
                for name in ("organizations", "onboarding")
                for row in answer.get(name, {"rows": []})["rows"]
            }
            assert shown.keys() == expected.keys(), query
            for org, row in shown.items():
                assert same(row, expected[org]), (query, row, expected[org])
            assert all(row[2] != "onboarding" for row in answer["organizations"]["rows"])
            assert all(row[2] == "onboarding" for row in answer.get("onboarding", {"rows": []})["rows"])
            bands = {figure["key"]: figure["value"] for figure in answer["bands"]["figures"]}
            counts = Counter(row[2].replace(" ", "_") for row in expected.values())
            assert bands == {band: counts[band] for band in ("healthy", "watch", "at_risk", "dormant", "onboarding")}
            assert ("adoption" in answer) == (not known)
        check_detail(reader, definitions, Asked(found, QUERIES[""], None, FEATURES, model), zone)


def check_detail(reader: Reader, definitions: Definitions, asked: Asked, zone: str) -> None:
    for org in ORGS:
        if all(row.event.org != org for row in asked.found):
            continue
        answer = ask(reader, SPAN, definitions, zone, org)
        now = slow(asked, org, LAST)
        points = {point["at"]: point["values"]["score"] for point in answer["scores"]["points"]}
        assert len(points) == 12
        for back in (0, 1, 11):
            then = slow(asked, org, LAST - timedelta(back))
            assert points[LAST - timedelta(back)] == (then and then.score)
        figures = {figure["key"]: figure for figure in answer["health"]["figures"]}
        before = slow(asked, org, LAST - timedelta(12))
        assert (figures["score"]["value"], figures["score"]["previous"]) == (now and now.score, before and before.score)
        points_of = [row[4] for row in answer["components"]["rows"]]
        if now is None or now.exact is None:
            assert points_of == [None] * 5
        else:
            assert sum(point for point in points_of if point is not None) == pytest.approx(float(now.exact))
            for row, name in zip(answer["components"]["rows"], COMPONENTS, strict=True):
                value = now.values[name]
                assert row[2] == (None if value is None else pytest.approx(float(value)))
                assert row[4] == (None if value is None else pytest.approx(row[2] * row[3] / 100))
