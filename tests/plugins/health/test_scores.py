"""Scores worked out by hand: each component, rounding, bands, what is left out, and how a score explains itself."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.errors import Invalid, NotFound
from saastracker.event import Event
from saastracker.health.model import HealthModel, Weights, check
from saastracker.health.scoring import Raw, components, rounded, scores, weighed
from saastracker.testing import InMemoryDefinitions
from saastracker_health.explaining import explained
from saastracker_health.kinds import Churn
from saastracker_health.listing import ONLY_NEW, listing
from saastracker_health.previewing import preview
from tests.asking import FOREIGN, blocks, keys, scope
from tests.indexed import HOUR, at, reading
from tests.plugins.health.slow import FEATURES, TAGGER, Feature

LAST = date(2026, 11, 20)
SPAN = f"to={LAST}&from={LAST - timedelta(27)}"
NOTHING = InMemoryDefinitions()


def days_ago(days: int, count: int = 1, **fields: Any) -> list[Event]:
    """Events of the organization acme at noon."""
    noon = at(f"{LAST - timedelta(days)} 12:00")
    return [Event(**{"name": "open", "time": noon, "org": "acme", **fields}) for _ in range(count)]


def ask(reader: Reader, definitions: Definitions = NOTHING, query: str = SPAN, org: str | None = None) -> Any:
    asked = scope(query)
    answer = listing(reader, asked, definitions) if org is None else explained(reader, asked, definitions, org)
    return blocks(answer, asked)


def row(reader: Reader, definitions: Definitions = NOTHING, query: str = SPAN) -> list[Any]:
    [found] = ask(reader, definitions, query)["organizations"]["rows"]
    return found  # type: ignore[no-any-return]


# --- Components ---


def raw(**given: list[int]) -> Raw:
    """One day; what is not given is 1."""
    [length] = {len(values) for values in given.values()}
    shown = {name: np.array([given.get(name, [1] * length)]) for name in Raw.__struct_fields__}
    return Raw(**{**shown, "young": np.array([given.get("young", [0] * length)], bool)})


@pytest.mark.parametrize(
    ("component", "given", "expected"),
    [
        ("recency", {"silent": [0, 1, 2, 10, 27, 28, 400]}, [100, 100, 2600 / 27, 1800 / 27, 100 / 27, 0, 0]),
        ("frequency", {"active_days": [0, 1, 17, 20, 28]}, [0, 5, 85, 100, 100]),
        ("breadth", {"persons": [0, 9, 17], "best": [0, 17, 17]}, [None, 900 / 17, 100]),
        ("adoption", {"used": [0, 4, 0], "eligible": [0, 8, 3]}, [None, 50, 0]),
        (
            "trend",
            {"events": [0, 49, 50, 75, 100, 125, 150, 900], "before": [100] * 8},
            [0, 0, 0, 30, 60, 80, 100, 100],
        ),
        ("trend", {"events": [0, 3, 3], "before": [0, 0, 3], "young": [0, 0, 1]}, [None, 100, None]),
    ],
)
def test_components(component: str, given: dict[str, list[int]], expected: list[float | None]) -> None:
    [found] = components(raw(**given), HealthModel())[component].tolist()
    assert [None if np.isnan(value) else value for value in found] == [
        None if value is None else pytest.approx(value) for value in expected
    ]


def test_a_model_has_its_own_windows_and_target() -> None:
    model = HealthModel(window_days=11, active_days=4)
    found = components(raw(silent=[2], active_days=[3]), model)
    assert (found["recency"].tolist(), found["frequency"].tolist()) == ([[90]], [[75]])


def test_the_weights_of_what_is_left_out_go_to_the_others() -> None:
    values = {
        "recency": [[100.0, 100, 100]],
        "frequency": [[85.0, 0, 20]],
        "breadth": [[900 / 17, np.nan, np.nan]],
        "adoption": [[50.0, np.nan, 40]],
        "trend": [[44 / 3, np.nan, np.nan]],
    }
    exact = weighed({name: np.array(each) for name, each in values.items()}, Weights())
    # 20 + 21.25 + 10.588 + 10 + 2.2; 20 of 45; (20 + 5 + 8) of 65
    assert exact.tolist() == [[pytest.approx(64.038, abs=0.001), pytest.approx(2000 / 45), pytest.approx(3300 / 65)]]
    assert rounded(exact).tolist() == [[64, 44, 51]]


def test_rounding_is_half_up() -> None:
    given = [0.0, 0.4999, 0.5, 1.5, 2.5, 69.4999, 69.5, 69.5 - 1e-13, 100.0]
    assert rounded(np.array(given)).tolist() == [0, 0, 1, 2, 3, 69, 70, 70, 100]


@pytest.mark.parametrize(
    ("score", "band"),
    [(100, "healthy"), (70, "healthy"), (69, "watch"), (40, "watch"), (39, "at risk"), (0, "at risk")],
)
def test_bands(score: int, band: str) -> None:
    assert HealthModel().level(score) == band


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (HealthModel(weights=Weights(recency=0, frequency=0)), r"\$\.weights"),
        (HealthModel(window_days=14), r"\$\.active_days"),
        (HealthModel(watch=70), r"\$\.watch"),
    ],
)
def test_models_that_make_no_sense(model: HealthModel, field: str) -> None:
    check(HealthModel())
    with pytest.raises(Invalid, match=field):
        check(model)


# --- From events ---


def test_an_organization_by_hand(tmp_path: Path) -> None:
    """In the window 17 days with two events of nine persons, at best 17 persons, four of eight features."""
    events = [event for day in range(17) for event in days_ago(day, 2, user=f"u{day % 9}")]
    events += [event for day in range(17) for event in days_ago(100 + day, user=f"v{day}")]
    events += [event for name in "abcd" for event in days_ago(3, name=name, user="u3")]
    events += days_ago(30, 60, user="u1")
    features = [Feature(name.upper(), name) for name in "abcdefgh"]
    definitions = InMemoryDefinitions({"feature": features})
    with reading(tmp_path, "UTC", events, foreign=FOREIGN, taggers=[TAGGER], definitions=definitions) as reader:
        # 38 events against 60: 120 * (38 / 60 - 0.5) = 16; 20 + 21.25 + 10.588 + 10 + 2.4 = 64.238
        # 28 days before: no feature, one person, one day: 100 * 26 / 27, 5, 100 / 17, 0, and 100 after 0 events
        values = [100, 85, pytest.approx(900 / 17), 50, pytest.approx(16)]
        then = 20 * 26 / 27 + 25 * 0.05 + 20 / 17 + 0 + 15
        assert round(then, 2) == 36.69
        [found] = ask(reader, definitions)["organizations"]["rows"]
        assert found[:8] == ["acme", 64, "watch", *values]
        assert found[9] == 64 - 37
        detail = ask(reader, definitions, org="acme")
        recency = detail["components"]["rows"][0]
        assert recency[2:7] == [100, 20, 20, 0, pytest.approx(20 / 27)]
        assert [each[1] for each in detail["components"]["rows"]] == [
            "an event on the last day",
            "17 active days of 20",
            "9 persons of its best 17",
            "4 of 8 features",
            "38 events, 60 in the 28 days before",
        ]
        assert [each[7] for each in detail["components"]["rows"]] == [
            "was: last event 2 days before",
            "was 1 day",
            "8 persons came",
            "gained A and B and C and D",
            "now 63%, was nothing before",
        ]
        assert detail["verdict"]["text"] == "Up 27 in 28 days; frequency moved it most (+20.0)."


def test_the_keys_other_programs_rely_on(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", days_ago(60), days_ago(0), foreign=FOREIGN) as reader:
        found = ask(reader)
        assert keys(found["organizations"]) == [
            *("org", "score", "band", "recency", "frequency", "breadth", "adoption", "trend", "change_7", "change_28")
        ]
        # 20 + 25 / 20 + 15 of 60: nobody is known, there are no features
        assert found["organizations"]["rows"] == [["acme", 60, "watch", 100, 5, None, None, 100, None, None]]
        assert [(figure["key"], figure["value"], figure["previous"]) for figure in found["bands"]["figures"]] == [
            ("healthy", 0, 0),
            ("watch", 1, 0),
            ("at_risk", 0, 0),
            ("dormant", 0, 1),
            ("onboarding", 0, 0),
        ]


@pytest.mark.parametrize(
    ("days", "first", "band", "trend"),
    [
        (27, 27, "onboarding", None),
        (27, 28, "at risk", None),
        (27, 55, "at risk", None),
        (27, 56, "at risk", 100),
        (28, 28, "dormant", None),
        (28, 90, "dormant", None),
    ],
)
def test_what_an_age_means(tmp_path: Path, days: int, first: int, band: str, trend: float | None) -> None:
    with reading(tmp_path, "UTC", days_ago(days), days_ago(first, environment="staging")) as reader:
        found = ask(reader, query=f"{SPAN}&environment=production")
        shown = found["onboarding" if band == "onboarding" else "organizations"]["rows"]
        assert [(each[2], each[7]) for each in shown] == [(band, trend)]
        assert (shown[0][1] is None) == (band == "dormant")


def test_an_organization_that_left_long_ago_is_dormant(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", days_ago(1000), days_ago(3, org="new")) as reader:
        assert row(reader) == ["acme", None, "dormant", *[None] * 7]
        [new] = ask(reader)["onboarding"]["rows"]  # 20 * 25 / 27 and 25 / 20, of 45
        assert new == ["new", 44, "onboarding", pytest.approx(2500 / 27), 5, *[None] * 5]
        assert ask(reader, query=f"{SPAN}&environment=production")["organizations"]["rows"] == []
        for query, why in ((SPAN, ""), (f"{SPAN}&org=new", ONLY_NEW)):
            assert listing(reader, scope(query), NOTHING).tables[0].none == why
        left = ask(reader, org="acme")
        assert left["verdict"]["text"] == "No event in the 28 days to the end of the span: it is dormant."
        assert [each[1] for each in left["components"]["rows"]] == [
            "no event for 28 days",
            "0 active days of 20",
            "nobody is known",
            "no features",
            "0 events, 0 in the 28 days before",
        ]
        assert ask(reader, org="new")["verdict"]["text"].startswith("First seen less than 28 days")
        earlier = f"from={LAST - timedelta(9)}&to={LAST - timedelta(5)}"
        assert [each[0] for each in ask(reader, query=earlier)["organizations"]["rows"]] == ["acme"]
        unseen = ask(reader, query=earlier, org="new")
        assert unseen["verdict"]["text"] == "No event named it until the end of the span."
        assert {point["values"]["score"] for point in unseen["scores"]["points"]} == {None}


def test_nobody_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", days_ago(3, org=None), foreign=FOREIGN) as reader:
        assert ask(reader)["organizations"]["rows"] == []
        with pytest.raises(NotFound):
            ask(reader, org="acme")


def test_plans_are_those_of_the_day(tmp_path: Path) -> None:
    """Upgraded six days ago, on a day with both plans: since then a feature more is meant for it."""
    features = [Feature("Saving", "save"), Feature("Sharing", "share", plans=("pro",))]
    definitions = InMemoryDefinitions({"feature": features})
    events = [*days_ago(80), *days_ago(20, name="save", plan="team"), *days_ago(6, plan="team")]
    noon = at(f"{LAST - timedelta(6)} 12:00")
    events += [Event(name="open", time=noon + HOUR, org="acme", plan="pro")]
    with reading(tmp_path, "UTC", events, taggers=[TAGGER], definitions=definitions) as reader:
        assert row(reader, definitions)[6] == 50
        assert row(reader, definitions, f"from={LAST}&to={LAST - timedelta(0)}")[6] == 50
        before = LAST - timedelta(7)
        assert row(reader, definitions, f"from={before}&to={before}")[6] == 100
        [*_, adoption, _] = ask(reader, definitions, org="acme")["components"]["rows"]
        assert adoption[1] == "1 of 2 features"
        assert adoption[7] == "gained Saving, 2 are meant for it, were 1"


def test_what_adoption_waits_for(tmp_path: Path) -> None:
    definitions = InMemoryDefinitions({"feature": FEATURES})
    with reading(tmp_path, "UTC", days_ago(1, name="save")) as reader:
        assert "0% so far" in ask(reader, definitions)["counting"]["text"]
        assert "counting" not in ask(reader)
        assert ask(reader, definitions, f"{SPAN}&name=save")["adoption"]["text"].startswith("Under these filters")


# --- Back-test and preview ---


def test_scores_before_they_left(tmp_path: Path) -> None:
    """Without persons and features: silent for n days 20 * (28 - n) / 27 + 25 / 20 + 15 after nothing, of 60."""
    events = [*days_ago(130), *days_ago(60), *days_ago(130, org="b"), *days_ago(130, org="c"), *days_ago(40, org="c")]
    events += [*days_ago(50, org="b", count=3), *days_ago(130, org="d"), *days_ago(60, org="d")]
    churn = Churn(org="acme", date=LAST - timedelta(10))
    others = [Churn(org="nobody", date=LAST), Churn(org="b", date=LAST + timedelta(1))]
    definitions = InMemoryDefinitions({"churn": [churn, *others, Churn(org="b", date=LAST - timedelta(365))]})
    with reading(tmp_path, "UTC", events) as reader:
        found = ask(reader, definitions)["backtest"]
        assert keys(found) == ["org", "churned", "days_before", "score", "others", "lower"]
        assert found["rows"][:3] == [
            *(["nobody", LAST, 90, None, None, None], ["nobody", LAST, 60, None, 60, None]),
            *[["nobody", LAST, 30, None, 43, None]],
        ]
        # 40 days ago acme and d were silent for 20 days: 37, b for 10: 49, c for none: 60
        assert found["rows"][3:] == [
            ["acme", churn.date, 90, None, None, None],
            ["acme", churn.date, 60, None, None, None],
            ["acme", churn.date, 30, 37, 49, 0],
        ]
        assert "backtest" not in ask(reader)


def test_a_preview_tells_who_changes_band(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", days_ago(60), days_ago(0), days_ago(60, org="b"), days_ago(20, org="b")) as reader:
        asked = scope(SPAN)
        model = HealthModel(watch=61)
        found = blocks(preview(reader, asked, NOTHING, model, None), asked)
        assert found["changes"]["rows"] == [["acme", 60, "watch", 60, "at risk"]]
        assert [(each["value"], each["previous"]) for each in found["bands"]["figures"]] == [
            *((0, 0), (0, 1), (2, 1), (0, 0), (0, 0))
        ]
        longer = HealthModel(window_days=61, weights=Weights(recency=1, frequency=0))
        found = blocks(preview(reader, asked, NOTHING, longer, model), asked)
        assert found["changes"]["rows"] == [
            *(["acme", 60, "at risk", 100, "onboarding"], ["b", 37, "at risk", 68, "onboarding"])
        ]
        current = scores(reader, asked, reader.actors(asked.project), InMemoryDefinitions({"health-model": [model]}))
        assert [each.band for each in current.healths(0)] == ["at risk", "at risk"]
