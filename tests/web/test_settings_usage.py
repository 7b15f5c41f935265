"""Usage: figures worked out by hand, the form, the bar above pages, and notes on reports with events missing."""

import html
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from saastracker.contracts import Change, Reader, Refused, ReportPage
from saastracker.event import Event
from saastracker.meter import forecast
from saastracker.months import month_span
from saastracker.records import ERASED, ErasedProject, now_ms
from saastracker.report import Figure, Figures, Report
from saastracker.scope import Scope

from .conftest import Running
from .settling import Cookies, entries, look, send
from .test_api_settings import ask
from .test_sign_in import join

PAGE = "/settings/usage"


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


def store(running: Running, count: int, project: Any = None) -> None:
    running.add(*(Event(name="a", received_at=now_ms()) for _ in range(count)), project=project)
    running.site.meter.refresh()


def limit(running: Running, budget: int | None, policy: Any = None) -> None:
    running.facts.set_workspace(running.shop.workspace, budget=budget, policy=policy)
    running.site.meter.refresh()


def drop(running: Running, count: int, at: int | None = None) -> None:
    at = now_ms() if at is None else at
    running.refuse(
        *(Refused(running.shop.id, at, "budget", "Events over the month's budget: 1", "/") for _ in range(count))
    )


@pytest.mark.parametrize(
    ("since", "now", "used", "expected"),
    [
        (ms(2026, 1, 1), ms(2026, 11, 11), 100, 300),  # 10 days of 30
        (ms(2026, 11, 6), ms(2026, 11, 11), 100, 500),  # 20 a day since it was made, 20 days to come
        (ms(2026, 1, 1), ms(2026, 11, 1, 23, 59, 59), 100, None),
        (ms(2026, 1, 1), ms(2026, 11, 2), 1, 30),
        (ms(2026, 11, 10, 12), ms(2026, 11, 11), 100, None),
        (0, ms(2024, 2, 15, 12), 29, 58),  # 14.5 of 29 days
        (ms(2026, 1, 1), ms(2026, 12, 31, 23, 59, 59), 7, 7),
        (ms(2026, 1, 1), ms(2026, 12, 16), 0, 0),
    ],
)
def test_the_forecast_goes_on_as_the_month_did(since: int, now: int, used: int, expected: int | None) -> None:
    assert forecast(used, since, now) == expected


def test_months_begin_and_end() -> None:
    assert month_span("2026-11") == (ms(2026, 11, 1), ms(2026, 12, 1))
    assert month_span("2026-12") == (ms(2026, 12, 1), ms(2027, 1, 1))
    assert month_span("2024-02") == (ms(2024, 2, 1), ms(2024, 3, 1))


def test_the_budget_over_the_api(running: Running) -> None:
    store(running, 3)
    store(running, 2, running.game)
    store(running, 5, running.foreign)
    drop(running, 4)
    drop(running, 2, ms(2026, 1, 31))
    running.refuse(
        Refused(running.game.id, now_ms(), "bot", "Bot", "/"), Refused(running.foreign.id, now_ms(), "bot", "", "/")
    )
    path, admin = f"/workspaces/{running.shop.workspace}/budget", running.token("admin")
    version = running.facts.snapshot.versions[running.shop.workspace]
    told = ask(running, "PUT", path, admin, {"budget": 5}, if_match=str(version))
    assert told.status_code == 200, told.text
    assert ask(running, "PUT", path, admin, {"budget": 6}, if_match=str(version)).status_code == 412
    for wrong in ({"budget": -1}, {"budget": 10**16}, {"policy": "drown"}, {"name": "x"}):
        assert ask(running, "PUT", path, admin, wrong, if_match=str(version + 1)).status_code == 400, wrong
    read = ask(running, "GET", path, running.token()).json()
    assert read.pop("database_bytes") is None
    assert told.json()["database_bytes"] > 0
    assert read == {
        "version": version + 1,
        "budget": 5,
        "policy": None,
        "month": f"{datetime.now(UTC):%Y-%m}",
        "used": 5,
        "forecast": None,  # the workspace was made a moment ago
        "dropped": 4,
        "refusals": {"bot": 1, "budget": 4},
    }
    assert entries(running, "workspace")[-1] == ("test", "change")
    months = ask(running, "GET", f"/workspaces/{running.shop.workspace}/usage?months=36", running.token()).json()
    dropped = {each["month"]: each["dropped"] for each in months if each["dropped"]}
    assert dropped == {read["month"]: 4, "2026-01": 2}


def test_the_page_shows_it_and_sets_it(running: Running) -> None:
    store(running, 3)
    store(running, 1, running.game)
    drop(running, 4)
    cookies = join(running, role="admin")
    assert send(running, PAGE, cookies, budget="4,000 000", policy="drop").headers["location"].endswith("notice=saved")
    place = running.facts.snapshot.workspaces[running.shop.workspace]
    assert (place.budget, place.policy) == (4_000_000, "drop")
    shown = html.unescape(look(running, PAGE, cookies).text)
    assert 'value="4,000,000"' in shown
    assert '<option value="drop" selected>' in shown
    assert re.search(r"<b>0%</b> of 4,000,000 events", shown)
    assert re.findall(r'"Events" class="num">([\d,]+)</td>', shown) == ["3", "1"], "the largest first"
    assert '<code>200 {"accepted":0,"rejected":1,"errors":[],"reason":"tier_limit"}</code>' in shown
    assert "Over budget" in shown
    for field, value in (("budget", "many"), ("budget", "-1"), ("budget", "1" * 17), ("policy", "drown")):
        wrong = send(running, PAGE, cookies, **{"budget": "5", "policy": "", field: value})
        assert wrong.status_code == 400
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', wrong.text) == [field]
    assert send(running, PAGE, cookies, budget="", policy="").status_code == 303
    assert running.facts.snapshot.workspaces[running.shop.workspace].budget is None
    viewer = look(running, PAGE, join(running, "bo@example.com", "viewer")).text
    assert 'name="budget"' not in viewer
    assert "Database" not in viewer


def test_what_erased_projects_stored_stays_counted(running: Running) -> None:
    store(running, 3)
    gone = running.facts.add_project("Gone", running.shop.workspace)
    store(running, 5, gone)
    record = next(each for each in running.records.records("project") if each.id == gone.id)
    left = msgspec.json.encode(ErasedProject(workspace=running.shop.workspace))
    running.records.write([Change(record.kind, record.id, record.version, None), Change(ERASED, gone.id, 0, left)])
    running.facts.refresh()
    limit(running, 10)
    token, path = running.token(), f"/workspaces/{running.shop.workspace}"
    [month] = ask(running, "GET", f"{path}/usage?months=1", token).json()
    assert (month["events"], month["erased"], len(month["projects"])) == (8, 5, 1)
    assert ask(running, "GET", f"{path}/budget", token).json()["used"] == 8
    shown = look(running, PAGE, join(running, role="admin")).text
    assert "Projects that were erased" in shown
    assert "<b>80%</b> of 10 events" in shown


def test_an_empty_workspace_is_told_what_to_do(running: Running) -> None:
    shown = look(running, PAGE, join(running, role="owner")).text
    assert "Nothing was stored this month yet." in shown
    assert "Nothing was refused or dropped." in shown


def bar(running: Running, path: str, cookies: Cookies) -> str:
    found = re.search(r'<section class="budget.*?</section>', look(running, path, cookies).text, re.S)
    return html.unescape(found[0]) if found else ""


def test_the_bar_tells_who_should_know(running: Running) -> None:
    admin, viewer = join(running, role="admin"), join(running, "bo@example.com", "viewer")
    stranger = join(running, "eve@example.com", "owner", running.foreign.workspace)
    token = {"saastracker_token": running.token()}
    everybody = (admin, viewer, stranger, token)
    pages = ("/p/shop/stream", "/settings/projects")
    store(running, 79)
    assert [bar(running, "/p/shop/stream", who) for who in everybody] == [""] * 4, "there is no budget"
    limit(running, 100)
    assert [bar(running, "/p/shop/stream", who) for who in everybody] == [""] * 4
    store(running, 1, running.game)
    for path in pages:
        assert "80% of the 100 events that Default may store in" in bar(running, path, admin)
    assert [bar(running, "/p/shop/stream", who) for who in (viewer, stranger, token)] == [""] * 3
    store(running, 20)
    for who in (admin, viewer):
        for path in pages:
            told = bar(running, path, who)
            assert "All of the 100 events that Default may store in" in told
            assert "owlsignal drops them, the others are stored" in told
            assert f'href="/settings/usage?workspace={running.shop.workspace}"' in told
    assert "All of the 100 events" in bar(running, "/p/shop/stream", token)
    assert "<form" not in bar(running, "/p/shop/stream", token), "it has no settings"
    assert bar(running, "/p/foreign/stream", stranger) == ""
    limit(running, 100, "drop")
    assert "and dropped" in bar(running, "/p/shop/stream", viewer)
    limit(running, 0)
    assert "All of the 0 events" in bar(running, "/p/shop/stream", viewer)
    limit(running, None)
    assert bar(running, "/p/shop/stream", viewer) == ""


def test_the_bar_is_dismissed_until_there_is_more_to_say(running: Running) -> None:
    admin = join(running, role="admin")
    address = f"{PAGE}/dismiss?workspace={running.shop.workspace}"
    limit(running, 10)
    store(running, 8)
    gone = send(running, address, admin, next="/p/shop/stream?a=b")
    assert (gone.status_code, gone.headers["location"]) == (303, "/p/shop/stream?a=b")
    assert "httponly" in gone.headers["set-cookie"].lower()
    quiet = {**admin, **gone.cookies}
    assert bar(running, "/p/shop/stream", quiet) == ""
    assert "80%" in bar(running, "/p/shop/stream", admin)
    store(running, 2)
    assert "All of the 10" in bar(running, "/p/shop/stream", quiet)
    quiet |= send(running, address, quiet).cookies
    assert bar(running, "/p/shop/stream", quiet) == ""
    last = {
        name: re.sub(r"\d{4}-\d\d$", "2020-01", value) if "budget" in name else value for name, value in quiet.items()
    }
    assert "All of the 10" in bar(running, "/p/shop/stream", last), "another month"
    assert send(running, address, admin, next="//evil.example/").headers["location"] == "/"


def count(reader: Reader, scope: Scope) -> Report:
    return Report(blocks=(Figures(key="count", title="Count", figures=(Figure(key="n", label="Events", value=1),)),))


def test_reports_of_days_with_dropped_events_say_how_many(running: Running) -> None:
    running.site.reports["count"] = ReportPage(slug="count", title="Count", section="Overview", load=count)  # type: ignore[index]
    reader = running.token()
    drop(running, 1, ms(2026, 3, 31, 23))  # 1 April in Berlin
    drop(running, 2, ms(2026, 4, 2))

    def notes(query: str, project: str = "shop") -> list[str]:
        blocks = running.get(f"/p/{project}/count.json?{query}", token=reader).json()["blocks"]
        return [block["text"] for block in blocks if block["type"] == "note"]

    assert notes("from=2026-04-02&to=2026-04-30") == [
        "Events that came on 2 Apr \N{EN DASH} 30 Apr (UTC) and were dropped, as the month's budget was used up: 2."
    ]
    assert notes("from=2026-04-01&to=2026-04-01") == [
        "Events that came on 1 Apr (UTC) and were dropped, as the month's budget was used up: 1."
    ]
    assert notes("from=2026-03-01&to=2026-03-30") == notes("from=2026-05-01&to=2026-05-30") == []
    assert notes("from=2026-04-02&to=2026-04-30", "game") == []
    page = running.get("/p/shop/count?from=2026-04-02&to=2026-04-30", token=reader, headers={"accept": "text/html"})
    assert "Events that came on 2 Apr \N{EN DASH} 30 Apr (UTC)" in page.text
    assert "Events that came" not in running.get("/p/shop/stream?from=2026-04-02&to=2026-04-30", token=reader).text
