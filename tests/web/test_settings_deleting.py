"""Deleting a project and bringing it back."""

import re

import msgspec

from saastracker.contracts import Change
from saastracker.event import Event
from saastracker.records import RESTORABLE_MS, now_ms

from .conftest import Running
from .settling import entries, look, people, send
from .test_sign_in import join

PROJECTS = "/settings/projects"


def test_a_deleted_project_is_nowhere_but_in_its_list(running: Running) -> None:
    cookies, token = join(running, role="admin"), running.token("admin")
    [scheme] = [each for each in running.site.registry.auth_schemes.values() if each.name == "bearer"]
    issue = running.facts.issue_key(running.shop, scheme)
    assert issue
    running.add(Event(name="kept"))
    answer = send(running, f"{PROJECTS}/shop/delete", cookies, slug="shop")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, PROJECTS)
    page = look(running, answer.headers["location"], cookies).text
    assert "The project is deleted." in page
    assert re.search(r"Will be erased\"><time[^>]*>on ", page)
    for path in ("/p/shop/", "/p/shop/stream", "/p/shop/stream.json", f"{PROJECTS}/shop", "/p/shop/define"):
        assert look(running, path, cookies).status_code == 404, path
    assert running.get("/p/shop/stream.json", token=token).status_code == 404
    assert running.get("/api/v1/projects/shop/definitions/flag", token=token).status_code == 404
    assert running.facts.credentials("bearer", issue[0].lookup) == ()
    assert 'href="/p/shop/' not in look(running, "/p/game/", cookies).text
    assert send(running, f"{PROJECTS}/shop/delete", cookies, slug="shop").status_code == 404

    back = send(running, f"{PROJECTS}/shop/restore", cookies)
    assert (back.status_code, back.headers["location"].partition("?")[0]) == (303, f"{PROJECTS}/shop")
    assert "The project is back, with its keys." in look(running, back.headers["location"], cookies).text
    assert len(running.facts.credentials("bearer", issue[0].lookup)) == 1
    assert "kept" in running.get("/p/shop/stream.json", token=token).text
    assert send(running, f"{PROJECTS}/shop/restore", cookies).status_code == 404
    assert entries(running, "project")[-2:] == [("ada@example.com", "change")] * 2


def test_nothing_is_deleted_unless_its_address_is_typed(running: Running) -> None:
    cookies = people(running)["owner"]
    for typed in ("", "Shop", "game"):
        answer = send(running, f"{PROJECTS}/shop/delete", cookies, slug=typed)
        assert answer.status_code == 400
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text) == ["slug"]
        assert "Type shop to delete the project." in answer.text
    assert running.facts.snapshot.projects[running.shop.id].active


def test_the_address_stays_taken_until_all_is_erased(running: Running) -> None:
    running.facts.delete_project(running.shop.id)
    assert running.facts.add_project("Shop", running.shop.workspace).slug == "shop-2"


def deleted(running: Running, ago: int) -> None:
    """As if the shop had been deleted so long ago."""
    [record] = [each for each in running.records.records("project") if each.id == running.shop.id]
    data = msgspec.json.encode(msgspec.structs.replace(running.shop, deleted_at=now_ms() - ago))
    running.records.write([Change("project", record.id, record.version, data, record.name)])
    running.facts.refresh()


def test_after_a_week_nothing_brings_it_back(running: Running) -> None:
    cookies = join(running, role="admin")
    deleted(running, RESTORABLE_MS - 60_000)
    assert "Restore<" in look(running, PROJECTS, cookies).text
    deleted(running, RESTORABLE_MS)
    page = look(running, PROJECTS, cookies).text
    assert "Restore<" not in page
    assert "now, bit by bit" in page
    assert send(running, f"{PROJECTS}/shop/restore", cookies).status_code == 409
    assert not running.facts.snapshot.projects[running.shop.id].active


def test_settings_open_when_all_is_deleted(running: Running) -> None:
    for each in list(running.facts.snapshot.projects):
        running.facts.delete_project(each)
    cookies = join(running, role="admin")
    assert look(running, PROJECTS, cookies).text.count("Restore<") == 2
    assert look(running, "/", cookies).headers["location"] == "/settings"
