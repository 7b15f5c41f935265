"""The weekly digest: what it says of which week, when, to whom, and that it is computed only for somebody."""

import re
from datetime import date

import pytest

from saastracker.accounts.model import Signed
from saastracker.contracts import Digest, Reader, ReportPage, Store
from saastracker.report import (
    Report,
)
from saastracker.scope import Scope
from saastracker.web import digest
from saastracker.wire import Project
from tests.indexed import DAY, HOUR, at
from tests.outbox.conftest import MINUTE, Office
from tests.outbox.digesting import MONDAY, READ, URL, event, run, store_events, words


def test_what_it_says(store: Store, office: Office, shop: Project) -> None:
    week = [event(MONDAY + day * DAY + hour * HOUR) for day in range(7) for hour in range(day + 1)]  # 28 events
    week += [event(MONDAY + 3 * DAY, "globex", f"u{number}") for number in range(3)]
    before = [event(MONDAY - 2 * DAY, "globex", f"u{number}") for number in range(20)]
    outside = [event(MONDAY - 8 * DAY), event(MONDAY + 7 * DAY)]  # not in one of the two weeks
    failures = [
        event(MONDAY - DAY, name="error", type="error", properties='{"message":"Old and known"}'),
        event(MONDAY + DAY, name="error", type="error", properties='{"message":"Old and known"}'),
        event(MONDAY + DAY, name="error", type="error", properties='{"message":"<b>Out</b> of cheese"}'),
    ]
    store_events(store, shop, [*before, *week, *outside, *failures])
    [notice] = run(store, office, READ, project=shop)
    assert (notice.project, notice.key) == (shop.id, "2026-W47")
    assert notice.title == "The week of 16 Nov \N{EN DASH} 22 Nov"
    assert notice.link == "home?from=2026-11-16&to=2026-11-22"
    lines = notice.text.split("\n")
    # 28 + 3 + 2 events against 20 + 1; ada and u0 to u2 against u0 to u19 and ada
    assert lines[:4] == [
        "Events: 33 (↑ 12)",
        "Active persons: 4 (↓ 17)",
        "Active organizations: 2 (no change)",
        "Sessions: 33 (↑ 12)",
    ]
    assert lines[5:7] == ["Events a day:", "Mon 1, Tue 4, Wed 3, Thu 7, Fri 5, Sat 6, Sun 7"]
    assert "- acme: events 30, before 1, change +29" in lines
    assert "- globex: events 3, before 20, change \N{MINUS SIGN}17" in lines
    assert next(line for line in lines if "cheese" in line).endswith("errors 1, persons 1, organizations 1")
    assert "Old and known" not in notice.text
    text = words(notice.html)
    for told in (
        "Events 33 ↑ 12",
        "acme 30 1 +29",
        "globex 3 20 \N{MINUS SIGN}17",
        "New errors",
        "&lt;b&gt;Out&lt;/b&gt; of cheese",
    ):
        assert told in text, (told, text)
    assert "<b>Out" not in notice.html
    assert f'href="{URL}/p/backerei/organizations/acme?from=2026-11-16&amp;to=2026-11-22"' in notice.html
    assert not re.search(r"<(script|style|svg|img|link)|url\(", notice.html)
    assert set(re.findall(r'href="(https?://[^/"]+)', notice.html)) == {URL}


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-11-23 06:59", False),  # Monday, before the morning
        ("2026-11-23 07:00", True),
        ("2026-11-24 15:00", True),  # the server was down
        ("2026-11-25 23:59", True),
        ("2026-11-26 00:00", False),
        ("2026-11-29 12:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"])
def test_when(zone: str, now: str, told: bool) -> None:
    project = Project(id="x", slug="x", name="x", workspace="w", timezone=zone)
    expected = date(2026, 11, 16) if told else None
    assert digest.due(project, at(now, zone)) == expected


def test_weeks_of_new_year() -> None:
    assert digest.key(date(2026, 12, 28)) == "2026-W53"
    assert digest.key(date(2027, 1, 4)) == "2027-W01"


def test_each_week_once(store: Store, office: Office, shop: Project) -> None:
    store_events(store, shop, [event(MONDAY + HOUR), event(MONDAY + 8 * DAY)])
    assert [notice.key for notice in run(store, office, READ)] == ["2026-W47"]
    assert run(store, office, READ + HOUR) == []
    assert run(store, office, READ + DAY) == []
    assert [notice.key for notice in run(store, office, READ + 7 * DAY)] == ["2026-W48"]


def test_nobody_follows_nothing_is_read(store: Store, office: Office, owner: Signed, shop: Project) -> None:
    store_events(store, shop, [event(MONDAY)])
    office.accounts.subscriptions.choose(owner, office.workspace.id, {digest.NAME: False}, READ)

    def load(reader: Reader, scope: Scope) -> Report:
        raise AssertionError("nobody asked")

    page = ReportPage(slug="x", title="X", section="Web", load=load, digest=Digest(blocks={"x": ""}))
    assert run(store, office, READ, {"x": page}) == []
    given = {"name": "Ops", "address": "a", "topics": [digest.NAME], "now": READ}
    by = owner.by(office.workspace.id)
    office.accounts.subscriptions.add(office.workspace.id, office.hook, project=office.shop.id, by=by, **given)  # type: ignore[arg-type]
    assert run(store, office, READ) == [], "the destination hears of another project"
    office.accounts.subscriptions.add(office.workspace.id, office.hook, project=shop.id, by=by, **given)  # type: ignore[arg-type]
    assert len(run(store, office, READ)) == 1


def test_a_project_without_events_says_nothing(store: Store, office: Office, shop: Project) -> None:
    assert run(store, office, READ) == []
    store_events(store, shop, [event(MONDAY - 20 * DAY)])
    assert run(store, office, READ) == []
    store_events(store, shop, [event(MONDAY - 2 * DAY)])
    [notice] = run(store, office, READ)
    assert "Events: 0 (↓ 1)" in notice.text


def test_several_projects_make_one_mail(store: Store, office: Office, shop: Project) -> None:
    store_events(store, office.shop, [event(MONDAY + HOUR)])
    store_events(store, shop, [event(MONDAY + HOUR)])
    for now in (READ + 2 * HOUR, READ + 2 * HOUR + 5 * MINUTE):
        run(store, office, now)
        office.run(now)
    [message] = office.post.sent
    assert message.subject == "Default: Weekly digest (2)"
    assert [item.project for item in message.items] == ["Shop", "Bäckerei"]
    assert "Bäckerei: The week of" in message.text
    assert words(message.html).count("Active persons 1") == 2
