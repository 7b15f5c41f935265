"""What the scope bar offers of a project: its saved views and its environments."""

import pytest

from saastracker.event import Event
from tests.web.conftest import Running
from tests.web.erased import follow
from tests.web.test_api import problem

VIEWS = "/api/v1/projects/shop/definitions/view"


@pytest.fixture
def write(running: Running) -> str:
    return running.token("write")


def test_a_saved_view_is_offered_on_its_page(running: Running, write: str) -> None:
    token = running.token("read")
    view = {"name": "Acme & sons", "report": "stream", "query": "range=7d&f=org:is:acme"}
    assert running.request("POST", VIEWS, token=write, json=view).status_code == 201
    page = running.get("/p/shop/stream", token=token).text
    assert '<a href="/p/shop/stream?range=7d&amp;f=org:is:acme">Acme &amp; sons</a>' in page
    assert running.get("/p/shop/stream?range=7d&f=org:is:acme", token=token).status_code == 200
    assert "Acme &amp; sons" not in running.get("/p/game/stream", token=token).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "", "report": "stream"},
        {"name": "a", "report": "//evil"},
        {"name": "a", "report": "Stream"},
        {"name": "a", "report": "stream", "query": "a=b#c"},
        {"name": "a", "report": "stream", "query": "nonsense"},
        {"name": "a", "report": "stream", "query": "a=%00"},
        {"name": "a", "report": "stream", "range": "7d"},
    ],
)
def test_a_view_that_leads_nowhere_is_refused(running: Running, write: str, wrong: dict[str, str]) -> None:
    assert problem(running.request("POST", VIEWS, token=write, json=wrong))[0] == 400


def test_the_environments_of_a_project_are_offered(running: Running) -> None:
    token = running.token("read")
    offered = '<a href="?range=7d&amp;environment=staging">staging</a>'
    assert offered not in running.get("/p/shop/stream?range=7d", token=token).text
    running.add(Event(name="deployed", environment="staging"), Event(name="deployed"))
    running.add(Event(name="deployed", environment="foreign"), project=running.foreign)
    follow(running)
    page = running.get("/p/shop/stream?range=7d", token=token).text
    assert offered in page
    assert "All environments" in page
    assert "environment=production" in page
    assert "environment=foreign" not in page
