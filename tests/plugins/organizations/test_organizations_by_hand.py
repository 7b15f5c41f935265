"""Numbers of the reports on organizations that were worked out by hand, and how they are found."""

import json
from pathlib import Path

import msgspec
import pytest

from saastracker.errors import NotFound
from saastracker.event import Event
from saastracker.testing import PROJECT
from saastracker.told import Memory
from saastracker.web.faces import iso
from saastracker_organizations import reports
from tests.asking import FOREIGN, LAST, SPAN, START, keys
from tests.indexed import DAY, HOUR, at, reading
from tests.plugins.organizations.test_organizations import COLUMNS, DEFINED, FAILED, TAGGERS, ask, report


def test_by_hand(tmp_path: Path) -> None:
    noon = at("2026-10-24 12:00")
    company = '{"company": {"name": "Acme Ltd", "custom": {"mrr": 99.5}}}'
    first = [
        Event(name="open", time=noon, user="u1", org="acme", plan="team"),
        Event(name="open", time=noon + HOUR, anonymous="a1", org="acme", plan="pro"),
        Event(name="open", time=noon + DAY, user="u2", org="beta"),
        Event(name="identify", time=noon - 90 * DAY, user="u2", org="beta", plan="free"),
    ]
    later = [
        Event(name="identify", time=noon + DAY, user="u1", anonymous="a1", org="acme", traits=company),
        Event(name="open", time=noon + 2 * HOUR, user="u3", org="acme"),
    ]
    with reading(tmp_path, "UTC", first, later, foreign=FOREIGN) as reader:
        answer = ask(reader, SPAN)["organizations"]
        assert keys(answer) == COLUMNS
        # Acme: recency 20 * 19/27, frequency 25 * 2/20, breadth 20, no feature: 36.6 of 85. Beta: 50.3 of 100.
        assert answer["rows"] == [
            *[["acme", "Acme Ltd", "pro", 2, 4, iso(noon), iso(noon + DAY), 43, "onboarding", 99.5]],
            *[["beta", None, "free", 1, 1, iso(noon - 90 * DAY), iso(noon + DAY), 50, "watch", None]],
        ]
        [trend] = {len(row[5]) for row in report(reader, SPAN).tables[0].rows}
        assert trend == 12
        assert report(reader, SPAN).tables[0].rows[0][5] == [0, 3, 1] + [0] * 9
        one = ask(reader, f"{SPAN}&compare=previous", org="acme")
        assert one["organization"]["rows"] == [["acme", "Acme Ltd", "pro", iso(noon), iso(noon + DAY), 99.5]]
        assert [figure["previous"] for figure in one["totals"]["figures"]] == [0, 0, 0, None]
        with pytest.raises(NotFound):
            ask(reader, SPAN, org="nobody")


def test_the_page_by_hand(tmp_path: Path) -> None:
    noon = at("2026-11-03 12:00")  # the last day of the span, which has 12
    ada = '{"user": {"email": "ada@example.com", "first_name": "Ada"}, "company": {"name": "Acme Ltd"}}'
    sent = [
        Event(name="export", time=noon - 90 * DAY, user="u1", org="acme", plan="pro"),
        Event(name="export", time=noon - 20 * DAY, user="u1", org="acme"),
        Event(name="export", time=noon - 20 * DAY + 1, user="u1", org="acme"),
        Event(name="save", time=noon - 1000, user="u1", org="acme", session="s1", path="/a", traits=ada, release="2"),
        Event(name="save", time=noon, anonymous="a1", org="acme", session="s2", environment="staging", value=2.0),
        Event(name="crash", time=noon + 1000, type="error", user="u1", org="acme", session="s1", properties=FAILED),
        Event(name="crash", time=noon + HOUR, type="error", user="u1", org="beta", properties=FAILED),
    ]
    with reading(tmp_path, "UTC", sent, foreign=FOREIGN, taggers=TAGGERS, definitions=DEFINED) as reader:
        page = ask(reader, SPAN, org="acme")
        assert [*page] == [
            *("totals", "days", "organization", "components", "features", "errors", "people", "sessions"),
            *("timeline", "names", "paths"),
        ]
        assert [(figure["value"], figure["previous"]) for figure in page["totals"]["figures"]] == [
            (2, 1),
            (3, 2),
            (2, 0),
            (71, 58),
        ]
        # 2 active days of 20, 2 of at most 2 persons, 2 of 3 features in 28 days, 5 events after none: 70.8. Twelve
        # days before: 20 * 20/27, 1 day of 20, 1 person of 1, 1 feature of 3, 2 events after none: 57.7.
        assert [row[4] for row in page["components"]["rows"]] == [
            pytest.approx(points) for points in (20, 2.5, 20, 40 / 3, 15)
        ]
        assert page["features"]["rows"] == [
            ["Saving", "1", "used", 2, 2, LAST],
            ["Exporting", "2", "lost", 0, 0, None],
            ["Sharing", "3", "not used", 0, 0, None],
        ]
        assert [row[1:] for row in page["errors"]["rows"]] == [["TypeError: no legs", 1, 1, iso(noon + HOUR)]]
        assert page["people"]["rows"] == [
            ["u1", "Ada", "ada@example.com", 2, iso(noon + 1000)],
            ["a1", None, None, 1, iso(noon)],
        ]
        assert page["sessions"]["rows"] == [
            ["s2", "a1", None, iso(noon), 0.0, 1, None],
            ["s1", "u1", "Ada", iso(noon - 1000), 2.0, 2, "2"],
        ]
        assert [row[:7] for row in page["timeline"]["rows"]] == [
            [iso(noon + 1000), "error", "crash", "u1", "Ada", None, "s1"],
            [iso(noon), "custom", "save", "a1", None, None, "s2"],
            [iso(noon - 1000), "custom", "save", "u1", "Ada", "/a", "s1"],
        ]
        assert page["timeline"]["rows"][1][7:] == [2.0, "staging", None, None]
        elsewhere = ask(reader, f"{SPAN}&org=beta", org="acme")
        assert [figure["value"] for figure in elsewhere["totals"]["figures"]] == [0, 0, 0, None]
        assert {row[2] for row in elsewhere["features"]["rows"]} == {"not used"}
        for block in ("errors", "people", "sessions", "timeline", "names", "paths"):
            assert elsewhere[block]["rows"] == [], block


def test_the_timeline_goes_back_as_far_as_it_has_to(tmp_path: Path) -> None:
    sent = [Event(name="open", time=START + number * 5 * HOUR, org="x") for number in range(72)]  # 5 on most days
    with reading(tmp_path, "Europe/Amsterdam", sent) as reader:
        found = ask(reader, "from=2026-10-20&to=2026-11-05", "Europe/Amsterdam", org="x")["timeline"]["rows"]
        assert [row[0] for row in found] == [iso(event.time or 0) for event in reversed(sent[-50:])]


def test_the_plan_is_the_last_of_a_day_with_many_events_after_it(tmp_path: Path) -> None:
    noon = at("2026-10-24 12:00")
    sent = []
    for after in (0, 7, 8, 9, 39, 40, 41):
        org = f"org{after}"
        sent += [
            Event(name="open", time=noon + HOUR, user="u1", org=org, plan="team"),
            Event(name="open", time=noon, user="u2", org=org, plan="pro"),
            *(Event(name="open", time=noon + 2 * HOUR, user=f"u{number}", org=org) for number in range(after)),
        ]
    sent += [
        Event(name="open", time=noon + HOUR, org="y", plan="free"),
        Event(name="open", time=noon + HOUR, org="y", plan="team"),
        Event(name="open", time=noon + HOUR, org="y", plan="pro", environment="staging"),
    ]
    with reading(tmp_path, "UTC", sent) as reader:
        for query, plan in (("", "pro"), ("environment=production", "team")):
            found = {row[0]: row[2] for row in ask(reader, f"{SPAN}&{query}")["organizations"]["rows"]}
            assert found.pop("y") == plan
            assert set(found.values()) == {"team"}
            assert len(found) == 7


def test_a_long_span_has_a_short_trend(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [Event(name="open", time=START + day * DAY, org="x") for day in range(10)]) as reader:
        [[*_, trend, _, _, _, _, _]] = report(reader, "from=2026-01-01&to=2026-12-31").tables[0].rows
        assert len(trend) <= 30
        assert sum(trend) == 10


def test_nobody_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=FOREIGN) as reader:
        assert ask(reader, SPAN)["organizations"]["rows"] == []
        with pytest.raises(NotFound):
            ask(reader, SPAN, org="x")


def test_organizations_are_found_by_ids_and_names(tmp_path: Path) -> None:
    def sent(org: str, name: str | None = None) -> Event:
        traits = json.dumps({"company": {"name": name}}) if name else None
        return Event(name="n", time=at("2026-10-25 12:00"), user="u", org=org, traits=traits)

    [page] = reports(None, DEFINED, Memory())  # type: ignore[arg-type]
    here = [sent("acme_1", "Wile Supplies"), sent("o2", "Supplies of Acme"), sent("o3"), sent("ACME")]
    with reading(tmp_path, "UTC", here, foreign=[sent("acme-9", "Acme 9")]) as reader:

        def found(text: str, limit: int = 9) -> list[tuple[str, str, str]]:
            assert page.search
            return [msgspec.structs.astuple(each) for each in page.search(reader, PROJECT.id, text, limit)]

        wile = ("acme_1", "Wile Supplies", "acme_1")
        assert found("acme") == [("ACME", "ACME", ""), wile, ("o2", "Supplies of Acme", "o2")]
        assert found("supplies") == [("o2", "Supplies of Acme", "o2"), wile]
        assert found("supplies", 1) == [("o2", "Supplies of Acme", "o2")]
        assert found("_") == [wile]
        assert found("9") == []
