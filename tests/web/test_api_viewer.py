"""The API's reference as a page: every operation, what it takes and answers, without another host."""

from .conftest import Running

PAGE_MAX = 150_000  # bytes


def test_every_operation_is_on_the_page_and_has_one_of_its_own(running: Running) -> None:
    described = running.get("/api/openapi.json").json()
    listed = running.get("/api", headers={"accept": "text/html"})
    assert (listed.status_code, len(listed.content) < PAGE_MAX) == (200, True)
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            assert f'href="/api?of={one["operationId"]}"' in listed.text
            shown = running.get(f"/api?of={one['operationId']}")
            assert shown.status_code == 200
            assert path in shown.text
            assert "Bearer $TOKEN" in shown.text
            assert (
                all(f"<code>{name}</code>" in shown.text for name in ("limit", "after"))
                or method != "get"
                or "Link" not in str(one)
            )


def test_an_operation_tells_its_body_answer_and_statuses(running: Running) -> None:
    page = running.get("/api?of=add_project").text
    for part in (
        "timezone",
        "one of Africa/Abidjan",
        "needed",
        "shown this once",
        "&#34;name&#34;: &#34;Shop&#34;",
        "201",
        "415",
    ):
        assert part in page
    assert "If-Match: $VERSION" in running.get("/api?of=change_project").text.replace("&#34;", '"')
    assert running.get("/api?of=nothing").status_code == 404


def test_no_two_operations_are_called_the_same(running: Running) -> None:
    described = running.get("/api/openapi.json").json()
    names = [one["operationId"] for methods in described["paths"].values() for one in methods.values()]
    assert len(set(names)) == len(names)
