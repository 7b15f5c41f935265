"""Definitions over the API: made, read, changed under optimistic versions, deleted, previewed, by those who may."""

from typing import Any

import httpx
import pytest

from saastracker.event import Event
from tests.web.conftest import Running

FLAGS = "/api/v1/projects/shop/definitions/flag"
CHECKOUT = {"name": "Checkout", "rules": [{"name": "paid", "path_prefix": "/buy"}]}


@pytest.fixture
def write(running: Running) -> str:
    return running.token("write")


def make(running: Running, token: str, **value: Any) -> dict[str, Any]:
    answer = running.request("POST", FLAGS, token=token, json={**CHECKOUT, **value})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["detail"]


def test_a_definition_from_beginning_to_end(running: Running, write: str) -> None:
    answer = running.request("POST", FLAGS, token=write, json=CHECKOUT)
    made = answer.json()
    place = f"{FLAGS}/{made['id']}"
    assert (answer.status_code, answer.headers["location"], answer.headers["etag"]) == (201, place, '"1"')
    assert {name: made[name] for name in ("version", *CHECKOUT)} == {"version": 1, **CHECKOUT}
    assert running.get(place, token=write).json() == made
    assert running.get(FLAGS, token=write).json() == [made]

    answer = running.request("PUT", place, token=write, json={**made, "name": "Pay"}, headers={"if-match": "1"})
    changed = answer.json()
    assert (answer.status_code, changed["version"], changed["name"], changed["id"]) == (200, 2, "Pay", made["id"])
    assert (changed["created_at"], answer.headers["etag"]) == (made["created_at"], '"2"')
    assert running.get(place, token=write).json() == changed

    answer = running.request("DELETE", place, token=write)
    assert (answer.status_code, answer.content) == (204, b"")
    assert problem(running.get(place, token=write))[0] == 404
    assert running.get(FLAGS, token=write).json() == []


def test_every_version_stays_readable_with_who_made_it(running: Running, write: str) -> None:
    place = f"{FLAGS}/{make(running, write)['id']}"
    running.request("PUT", place, token=write, json={"name": "Pay"}, headers={"if-match": '"1"'})
    running.request("DELETE", place, token=write)
    versions = running.get(f"{place}/versions", token=write).json()
    assert [(each["version"], each["action"], each["who"]) for each in versions] == [
        (1, "create", "test"),
        (2, "change", "test"),
        (2, "delete", "test"),
    ]
    assert [each["value"] for each in versions] == [CHECKOUT, {"name": "Pay", "rules": []}, None]
    assert problem(running.get(f"{FLAGS}/absent/versions", token=write))[0] == 404


@pytest.mark.parametrize(
    ("sent", "status"), [(None, 428), ("2", 412), ('"0"', 412), ("*", 412), ("", 412), ("9" * 40, 412), ("²", 412)]
)
def test_a_change_names_the_version_it_was_made_for(
    running: Running, write: str, sent: str | None, status: int
) -> None:
    place = f"{FLAGS}/{make(running, write)['id']}"
    headers = {} if sent is None else {"if-match": sent.encode("latin-1")}
    answer = running.request("PUT", place, token=write, json={"name": "Pay"}, headers=headers)  # type: ignore[arg-type]
    assert problem(answer)[0] == status
    assert running.get(place, token=write).json()["version"] == 1


def test_a_stale_deletion_deletes_nothing(running: Running, write: str) -> None:
    place = f"{FLAGS}/{make(running, write)['id']}"
    assert problem(running.request("DELETE", place, token=write, headers={"if-match": "2"}))[0] == 412
    assert running.get(place, token=write).status_code == 200
    assert running.request("DELETE", place, token=write, headers={"if-match": "1"}).status_code == 204


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"name": "a", "rules": [{"name": 1}]}', "$.rules[0].name: Expected `str`, got `int`"),
        (b'{"name": "a", "rule": []}', "$: Object contains unknown field `rule`"),
        (b'{"rules": []}', "$: Object missing required field `name`"),
        (b'{"name": ""}', "$.name: Expected at least one character"),
        (b"[]", "$: Expected `object`, got `array`"),
        (b"{", "The body is not valid JSON: "),
        (b"", "The body is not valid JSON: "),
        (b'{"name": "\xff"}', "The body is not UTF-8"),
    ],
)
def test_a_wrong_body_is_refused_with_the_path_of_the_field(
    running: Running, write: str, body: bytes, detail: str
) -> None:
    place = f"{FLAGS}/{make(running, write)['id']}"
    for method, path in (("POST", FLAGS), ("PUT", place), ("POST", f"{FLAGS}/preview"), ("POST", f"{place}/preview")):
        answer = running.request(method, path, token=write, content=body, headers={"if-match": "1"})
        status, said = problem(answer)
        assert (status, said[: len(detail)]) == (400, detail)
    assert running.get(FLAGS, token=write).json()[0]["version"] == 1


def test_a_body_is_limited(running: Running, write: str) -> None:
    assert problem(running.request("POST", FLAGS, token=write, json={"name": "x" * 70_000}))[0] == 413


def test_who_may_what(running: Running, write: str) -> None:
    made = make(running, write)
    place, read = f"{FLAGS}/{made['id']}", running.token("read")
    assert running.get(place, token=read).json() == made
    assert running.request("POST", f"{FLAGS}/preview", token=read, json=CHECKOUT).status_code == 200
    for method, path in (("POST", FLAGS), ("PUT", place), ("DELETE", place)):
        headers = {"if-match": "1"}
        status, said = problem(running.request(method, path, token=read, json=CHECKOUT, headers=headers))
        assert (status, "token of scope write" in said) == (403, True)
        assert problem(running.request(method, path, json=CHECKOUT, headers=headers))[0] == 401
        cookies = {"saastracker_token": write}
        assert problem(running.request(method, path, json=CHECKOUT, headers=headers, cookies=cookies))[0] == 401
    assert problem(running.get(FLAGS))[0] == 401
    assert running.get(FLAGS, cookies={"saastracker_token": read}).json() == [made]
    assert running.request("DELETE", place, token=running.token("admin")).status_code == 204


def test_a_project_of_another_workspace_is_not_there(running: Running, write: str) -> None:
    made = make(running, write)
    for token in (
        running.token("admin", workspace=running.foreign.workspace),
        running.token("admin", project=running.game),
    ):
        for method, path in (
            ("GET", FLAGS),
            ("POST", FLAGS),
            ("POST", f"{FLAGS}/preview"),
            ("GET", f"{FLAGS}/{made['id']}"),
            ("GET", f"{FLAGS}/{made['id']}/versions"),
            ("PUT", f"{FLAGS}/{made['id']}"),
            ("POST", f"{FLAGS}/{made['id']}/preview"),
            ("DELETE", f"{FLAGS}/{made['id']}"),
        ):
            sent = running.request(method, path, token=token, json=CHECKOUT, headers={"if-match": "1"})
            assert problem(sent) == (404, "There is no project shop here.")


def test_a_definition_belongs_to_its_project_and_kind(running: Running, write: str) -> None:
    made = make(running, write)
    for other in (FLAGS.replace("shop", "game"), FLAGS.replace("flag", "rule")):
        assert running.get(other, token=write).json() == []
        for method, path in (("GET", ""), ("GET", "/versions"), ("PUT", ""), ("DELETE", "")):
            value = {"name": "mine"}
            headers = {"if-match": "1"}
            place = f"{other}/{made['id']}{path}"
            assert problem(running.request(method, place, token=write, json=value, headers=headers))[0] == 404
    assert running.get(FLAGS, token=write).json() == [made]


def test_an_unknown_kind_is_named_with_those_there_are(running: Running, write: str) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("PUT", "/x"), ("DELETE", "/x"), ("POST", "/preview")):
        place = f"/api/v1/projects/shop/definitions/falg{path}"
        answer = running.request(method, place, token=write, json={}, headers={"if-match": "1"})
        assert problem(answer) == (404, "There is no kind of definition falg; there are: flag, rule, view.")


def test_lists_are_read_page_by_page(running: Running, write: str) -> None:
    made = [make(running, write, name=f"{number}") for number in range(5)]
    names, address = [], f"{FLAGS}?limit=2"
    while address:
        answer = running.get(address, token=write)
        names += [each["name"] for each in answer.json()]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
    assert sorted(names) == [each["name"] for each in made]
    assert len(running.get(FLAGS, token=write).json()) == 5
    for wrong in ("limit=0", "limit=1001", "limit=x", "limit=", "page=2"):
        assert problem(running.get(f"{FLAGS}?{wrong}", token=write))[0] == 400


def test_a_preview_is_a_report_and_saves_nothing(running: Running, write: str) -> None:
    running.add(Event(name="paid"), Event(name="left"))
    made = make(running, write)
    for path in (f"{FLAGS}/preview?range=7d", f"{FLAGS}/{made['id']}/preview?range=7d"):
        answer = running.request("POST", path, token=write, json={"name": "Other"})
        said = answer.json()
        assert (answer.status_code, said["project"], said["report"]) == (200, "shop", "flag")
        assert said["blocks"][0]["rows"] == [["Other", "Europe/Berlin", 2]]
    assert running.get(FLAGS, token=write).json() == [made]
    assert problem(running.request("POST", f"{FLAGS}/absent/preview", token=write, json=CHECKOUT))[0] == 404
    assert problem(running.request("POST", f"{FLAGS}/preview?range=8d", token=write, json=CHECKOUT))[0] == 400
    rules = FLAGS.replace("flag", "rule")
    answer = running.request("POST", f"{rules}/preview", token=write, json={"name": "paid"})
    assert problem(answer) == (404, "A rule has no preview.")


def test_the_api_describes_itself(running: Running) -> None:
    described = running.get("/api/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert all(path.startswith(("/api/v1/", "/p/{slug}/")) for path in described["paths"])
    assert set(described["paths"]["/api/v1/projects/{slug}/definitions/flag/{definition}"]) == {"get", "put", "delete"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/nothing"), ("GET", "/api/nothing"), ("PATCH", FLAGS)])
def test_programs_are_told_no_as_problem_details(running: Running, method: str, path: str) -> None:
    headers = {"accept": "text/html"}
    assert problem(running.request(method, path, headers=headers))[0] == (405 if method == "PATCH" else 404)
