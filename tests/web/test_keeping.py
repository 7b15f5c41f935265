"""How long a project keeps events, and erasing and exporting somebody: pages and their twins."""

import re

import msgspec

from saastracker import audit
from saastracker.event import Event
from saastracker.records import now_ms

from .conftest import Running
from .erased import follow, wait
from .settling import entries, look, people, send

KEEPING = "/settings/projects/shop/keeping"
DAY = 86_400_000


def crowd(running: Running) -> None:
    now = now_ms()
    running.add(
        *(
            Event(name="open", user=who, anonymous=f"device-of-{who}", org="acme/eu", time=now - day * DAY)
            for day in range(20)
            for who in ("grace/hopper", "alan")
        )
    )
    follow(running)


def test_days_are_set_and_told(running: Running) -> None:
    crowd(running)
    cookies = people(running)["admin"]
    page = look(running, KEEPING, cookies)
    assert "Nothing goes." in page.text
    assert ">40, the oldest of 20" in page.text
    answer = send(running, KEEPING, cookies, keep_days="9")
    assert answer.status_code == 303
    page = look(running, answer.headers["location"], cookies)
    assert "until then it can be changed back" in page.text
    assert re.search(r">20 events of 10 days go for good, about \d", page.text)
    assert "9 days before today." in look(running, "/settings/projects/shop", cookies).text
    assert entries(running, "project")[-1] == ("admin@example.com", "change")
    # The other form of the project leaves it as it is.
    send(running, "/settings/projects/shop", cookies, name="Shop", timezone="UTC", origins="")
    assert running.facts.snapshot.projects[running.shop.id].keep_days == 9
    send(running, KEEPING, cookies, keep_days="")
    assert running.facts.snapshot.projects[running.shop.id].keep_days is None


def test_days_that_cannot_be_kept(running: Running) -> None:
    cookies = people(running)["owner"]
    for typed, says in (("some", "Give a number of days"), ("0", "1 to 36500 days"), ("99999999", "1 to 36500 days")):
        answer = send(running, KEEPING, cookies, keep_days=typed)
        assert answer.status_code == 400
        assert says in answer.text
        assert f'value="{typed}"' in answer.text


def test_viewers_see_what_is_kept_and_change_nothing(running: Running) -> None:
    page = look(running, KEEPING, people(running)["viewer"]).text
    assert "All days." in page
    assert f'action="{KEEPING}"' not in page
    assert " in all" not in page, "what other workspaces take is for admins"


def test_the_forecast_over_the_api(running: Running) -> None:
    crowd(running)
    token = running.token("admin")
    change = {"name": "Shop", "timezone": "Europe/Berlin", "keep_days": 5}
    version = str(running.facts.snapshot.versions[running.shop.id])
    put = running.request("PUT", "/api/v1/projects/shop", token=token, json=change, headers={"if-match": version})
    assert put.json()["keep_days"] == 5
    told = running.get("/api/v1/projects/shop/forecast", token=token).json()
    assert (told["keep_days"], told["events"], told["going_events"], told["going_days"]) == (5, 40, 28, 14)
    assert [each["days"] for each in told["later"]] == [30, 365]
    assert told["database_bytes"] > 0
    read = running.get("/api/v1/projects/shop/forecast", token=running.token("write")).json()
    assert (read["events"], read["database_bytes"]) == (40, None)


def test_a_person_is_erased_by_typing_the_id(running: Running) -> None:
    crowd(running)
    cookies = people(running)["admin"]
    address = "/settings/projects/shop/erase/person/grace%2Fhopper"
    page = look(running, address, cookies).text
    assert "20 on 20 days" in page
    assert "<code>device-of-grace/hopper</code>" in page
    assert "/p/shop/everything/grace%2Fhopper" in page
    wrong = send(running, address, cookies, id="grace")
    assert wrong.status_code == 400
    assert "Type grace/hopper to erase." in wrong.text
    answer = send(running, address, cookies, id="grace/hopper")
    assert answer.status_code == 303
    assert "They are being erased." in look(running, answer.headers["location"], cookies).text
    wait(running)
    assert {event.user for _, event in running.store.read_after(0, 100)} == {"alan"}
    assert look(running, address, cookies).status_code == 404
    assert entries(running, "person") == [("admin@example.com", "delete")]
    log = look(running, "/settings/audit", cookies).text
    assert "grace" not in log


def test_an_organization_is_erased_over_the_api(running: Running) -> None:
    crowd(running)
    running.add(Event(name="alone", user="alan", time=now_ms()))
    follow(running)
    token, erasures = running.token("admin"), "/api/v1/projects/shop/erasures"
    unknown = running.request("POST", erasures, token=token, json={"of": "org", "id": "acme"})
    assert unknown.status_code == 404
    answer = running.request("POST", erasures, token=token, json={"of": "org", "id": "acme/eu"})
    assert answer.status_code == 202
    told = answer.json()
    assert (told["events"], told["days"], told["ids"], told["who"]) == (40, 20, ["acme/eu"], "test")
    wait(running)
    assert running.get(erasures, token=token).json() == []
    assert [event.name for _, event in running.store.read_after(0, 100)] == ["alone"]
    [entry] = [each for each in map(audit.read, running.records.records(audit.KIND)) if each.kind == "organization"]
    assert entry.record == told["record"]


def test_everything_about_a_person_is_a_file(running: Running) -> None:
    crowd(running)
    address = "/p/shop/everything/device-of-grace%2Fhopper"
    answer = running.get(address, token=running.token("read"))
    assert answer.headers["content-disposition"] == 'attachment; filename="shop-person.json"'
    document = msgspec.json.decode(answer.content)
    assert (document["person"], len(document["events"])) == ("device-of-grace/hopper", 20)
    assert {event["user"] for event in document["events"]} == {"grace/hopper"}
    assert running.get("/p/shop/everything/nobody", token=running.token("read")).status_code == 404
    foreign = running.token("admin", workspace=running.foreign.workspace)
    assert running.get(address, token=foreign).status_code == 404
    assert running.get(address, token=running.token("admin", project=running.game)).status_code == 404
    assert running.get(address, headers={"accept": "text/html"}).headers["location"].partition("?")[0] in {
        "/sign-in",
        "/login",
    }
    assert look(running, address, people(running)["stranger"]).status_code == 404


def test_nothing_else_is_erased(running: Running) -> None:
    cookies = people(running)["owner"]
    assert look(running, "/settings/projects/shop/erase/planet/mars", cookies).status_code == 404
    assert look(running, "/settings/projects/shop/erase/person/nobody", cookies).status_code == 404
