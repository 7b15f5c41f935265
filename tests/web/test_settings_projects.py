"""Projects and their keys in the settings."""

import html
import re

from saastracker.records import HOUR_MS

from .conftest import Running
from .settling import entries, look, people, send
from .test_sign_in import join

PROJECTS = "/settings/projects"
ADMIN = "ada@example.com"


def test_a_new_project_shows_its_keys_once(running: Running) -> None:
    cookies = join(running, role="admin")
    fields = {"name": "Café <b>", "timezone": "Asia/Tokyo", "origins": "App.Example.com\n\n *.example.com "}
    made = send(running, PROJECTS, cookies, **fields)
    assert made.status_code == 200, made.text
    project = running.facts.snapshot.projects_by_slug["cafe-b"]
    assert (project.name, project.timezone) == ("Café <b>", "Asia/Tokyo")
    assert project.origins == ("app.example.com", "*.example.com")
    assert project.workspace == running.shop.workspace
    assert "Café &lt;b&gt;" in made.text
    [line] = [line for line in re.findall(r"<pre[^>]*>(.*?)</pre>", made.text, re.S) if "openssl dgst" in line]
    secret = re.search(r"-hmac '(\w{64})'", html.unescape(line))
    assert secret
    assert made.text.count(secret[1]) == 5  # once by itself, and in each language
    [credential] = running.facts.credentials("hmac", project.id)
    assert credential.secret.decode() == secret[1]
    later = look(running, f"{PROJECTS}/cafe-b", cookies)
    assert later.status_code == 200
    assert secret[1] not in later.text
    assert "<mark>your-secret</mark>" in later.text
    assert entries(running, "project")[-1] == (ADMIN, "create")
    assert {who for who, _ in entries(running, "key")} == {ADMIN}


def test_what_is_wrong_stands_beside_the_field(running: Running) -> None:
    cookies = join(running, role="admin")
    right = {"name": "New", "timezone": "UTC", "origins": ""}
    for path in (PROJECTS, f"{PROJECTS}/shop"):
        for field, value, said in (
            ("name", " ", "A name has 1 to 255"),
            ("timezone", "Europe/Atlantis", "Unknown time zone"),
            ("origins", "https://x.example/", "use a host such as"),
            ("origins", "\n".join(["a.example.com"] * 101), "at most 100 origins"),
        ):
            answer = send(running, path, cookies, **{**right, field: value})
            assert answer.status_code == 400
            assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text) == [field]
            assert said in answer.text
            assert "Traceback" not in answer.text
    assert set(running.facts.snapshot.projects_by_slug) == {"shop", "game", "foreign"}
    assert running.facts.snapshot.projects_by_slug["shop"] == running.shop


def test_a_project_is_changed(running: Running) -> None:
    cookies = join(running, role="admin")
    fields = {"name": "Store", "timezone": "UTC", "origins": "a.example"}
    answer = send(running, f"{PROJECTS}/shop", cookies, **fields)
    assert answer.status_code == 303
    page = look(running, answer.headers["location"], cookies).text
    assert 'role="status">Saved.' in page
    project = running.facts.snapshot.projects_by_slug["shop"]
    assert (project.name, project.timezone, project.origins) == ("Store", "UTC", ("a.example",))
    assert entries(running, "project")[-1] == (ADMIN, "change")


def test_keys_are_made_rotated_and_revoked(running: Running) -> None:
    cookies = join(running, role="admin")
    path = f"{PROJECTS}/shop/keys"
    first = send(running, path, cookies, scheme="hmac", overlap="")
    assert first.status_code == 200
    send(running, path, cookies, scheme="hmac", overlap="")
    assert len(running.facts.credentials("hmac", running.shop.id)) == 2
    send(running, path, cookies, scheme="hmac", overlap="1")
    old, older, new = running.facts.snapshot.keys.values()
    assert old.expires_at == older.expires_at == new.created_at + HOUR_MS
    assert new.expires_at is None
    send(running, path, cookies, scheme="hmac", overlap="0")
    assert len(running.facts.credentials("hmac", running.shop.id)) == 1
    last = list(running.facts.snapshot.keys.values())[-1]
    answer = send(running, f"{path}/{last.id}/revoke", cookies)
    assert answer.status_code == 303
    assert "The key is revoked." in look(running, answer.headers["location"], cookies).text
    assert running.facts.credentials("hmac", running.shop.id) == ()
    assert send(running, f"{path}/{last.id}/revoke", cookies).status_code == 303
    for scheme, overlap in (("absent", ""), ("", ""), ("hmac", "2"), ("query-key", "")):
        assert send(running, path, cookies, scheme=scheme, overlap=overlap).status_code == 400
    assert {who for who, _ in entries(running, "key")} == {ADMIN}


def test_kinds_of_key_say_what_they_are_for_and_a_new_ones_code_stands_first(running: Running) -> None:
    running.facts.issue_keys(running.shop, running.site.registry.auth_schemes)
    cookies = join(running, role="admin")
    page = look(running, f"{PROJECTS}/shop", cookies).text
    assert '<option value="hmac">hmac, for saastracker</option>' in page
    made = send(running, f"{PROJECTS}/shop/keys", cookies, scheme="bearer", overlap="").text
    first, *others = (re.findall(r"<b>(\w+)</b> <span", text) for text in (made, page))
    assert first == ["owlsignal", *(each for each in others[0] if each != "owlsignal")]


def test_a_key_belongs_to_its_project(running: Running) -> None:
    cookies = join(running, role="owner")
    schemes = running.site.registry.auth_schemes
    for project in (running.game, running.foreign):
        issue = running.facts.issue_key(project, schemes["bearer"])
        assert issue
        assert send(running, f"{PROJECTS}/shop/keys/{issue[0].id}/revoke", cookies).status_code == 404
    assert send(running, f"{PROJECTS}/shop/keys/absent/revoke", cookies).status_code == 404
    assert all(key.revoked_at is None for key in running.facts.snapshot.keys.values())


def test_many_origins_are_taken_whole(running: Running) -> None:
    origins = tuple(f"{'x' * 60}.{'y' * 60}.shop{number}.example.com" for number in range(100))
    cookies = join(running, role="admin")
    sent = send(running, f"{PROJECTS}/shop", cookies, name="Shop", timezone="UTC", origins="\r\n".join(origins))
    assert sent.status_code == 303
    assert running.facts.snapshot.projects_by_slug["shop"].origins == origins


def test_who_has_no_project_yet_comes_to_the_settings(running: Running) -> None:
    cookies = join(running, role="owner", workspace=running.facts.add_workspace("Empty").id)
    assert look(running, "/", cookies).headers["location"] == "/settings"
    page = look(running, look(running, "/settings", cookies).headers["location"], cookies)
    assert (page.status_code, "There is no project yet" in page.text) == (200, True)


def test_a_viewer_reads_and_has_no_forms(running: Running) -> None:
    running.facts.issue_keys(running.shop, running.site.registry.auth_schemes)
    cookies = people(running)
    for path in (PROJECTS, f"{PROJECTS}/shop"):
        admin, viewer = (look(running, path, cookies[role]).text for role in ("admin", "viewer"))
        assert f'action="{PROJECTS}' in admin
        assert f'action="{PROJECTS}' not in viewer
        assert "Europe/Berlin" in viewer
        assert "Foreign" not in viewer
