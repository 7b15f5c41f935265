"""The workspace's name, and another workspace."""

import re

from .conftest import Running
from .settling import entries, look, people, send
from .test_sign_in import join

WORKSPACE, NEW = "/settings/workspace", "/settings/workspaces"


def test_an_owner_renames_it(running: Running) -> None:
    cookies = people(running)
    answer = send(running, WORKSPACE, cookies["owner"], name=" Acme ")
    assert answer.status_code == 303
    page = look(running, answer.headers["location"], cookies["owner"]).text
    assert 'role="status">Saved.' in page
    assert "Workspace Acme; you are owner." in page
    assert running.facts.snapshot.workspaces[running.shop.workspace].name == "Acme"
    assert entries(running, "workspace")[-1] == ("owner@example.com", "change")
    assert 'name="name"' not in look(running, WORKSPACE, cookies["admin"]).text
    assert 'name="new"' in look(running, WORKSPACE, cookies["admin"]).text
    assert "<form" not in re.sub(r'(?s)<form class="(seg|drop)[^>]*>.*?</form>', "", main(running, cookies["member"]))


def test_a_new_one_has_an_owner_and_nothing_else(running: Running) -> None:
    cookies = join(running, role="admin")
    answer = send(running, NEW, cookies, new="Second")
    [made] = [each for each in running.facts.snapshot.workspaces.values() if each.name == "Second"]
    assert (answer.status_code, f"workspace={made.id}" in answer.headers["location"]) == (303, True)
    page = look(running, answer.headers["location"], cookies).text
    assert "The workspace is made; you are its owner." in page
    assert "Workspace Second; you are owner." in page
    people = running.site.accounts.snapshot
    assert people.of_workspace(made.id) == {people.by_email["ada@example.com"].id: "owner"}
    listed = look(running, f"/settings/projects?workspace={made.id}", cookies).text
    assert "There is no project yet." in listed
    assert "/settings/projects/shop" not in listed
    added = send(running, f"/settings/projects?workspace={made.id}", cookies, name="Inside", timezone="UTC")
    assert added.status_code == 200
    assert running.facts.snapshot.projects_by_slug["inside"].workspace == made.id
    log = look(running, f"/settings/audit?workspace={made.id}", cookies).text
    assert {"Workspace made", "Project made"} <= set(re.findall(r"\w+ made", log))


def test_what_is_wrong_stands_beside_the_field(running: Running) -> None:
    cookies = people(running)["owner"]
    for path, field in ((WORKSPACE, "name"), (NEW, "new")):
        for value, status, said in (
            ("", 400, "A name has 1 to 255"),
            ("a\nb", 400, "A name has 1 to 255"),
            ("Other", 409, "There is already a workspace named Other."),
        ):
            answer = send(running, path, cookies, **{field: value})
            assert answer.status_code == status, (path, value)
            assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text) == [field]
            assert said in answer.text
    assert sorted(each.name for each in running.facts.snapshot.workspaces.values()) == ["Default", "Other"]


def main(running: Running, cookies: dict[str, str]) -> str:
    found = re.search(r"(?s)<main.*</main>", look(running, WORKSPACE, cookies).text)
    assert found
    return found[0]
