"""Tags without an SDK, written by hand: browser events under a public key, a game's telemetry under a bearer key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.browsing import Site, Visit
from tests.serving import Served

SESSION = "0b6ac2f4-9a0c-4f0e-8f57-0d9f2f1a9c11"
PLAYER = "0123456789abcdef0123456789abcdef"

TAG = """
<script>
  const about = () => ({
    projectKey: KEY, url: location.href, page_path: location.pathname, page_title: document.title,
    userAgent: navigator.userAgent, sessionId: 'visitor-1', timestamp: new Date().toISOString(),
  });
  const post = (kind, body) => fetch(`${HOST}/api/tags/${kind}`, {
    method: 'POST', credentials: 'include', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({...about(), ...body}),
  });
  const beacon = (kind, body) =>
    navigator.sendBeacon(`${HOST}/api/tags/${kind}`, JSON.stringify({...about(), ...body}));
  post('analytics', {event_name: 'page_view'});
  post('insights', {metric_type: 'web-vitals', metric_name: 'LCP', metric_value: 812.5, metric_unit: 'ms'});
  beacon('custom', {event_name: 'ButtonClick', event_data: {category: 'CTA', label: 'Hero', value: 1}});
  addEventListener('pagehide', () => beacon('custom', {eventType: 'left', userId: 'jane'}));
</script>
"""

GAME = """
<script>
  const send = (...events) => fetch(`${HOST}/api/v1/events`, {
    method: 'POST', keepalive: true, headers: {Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json'},
    body: JSON.stringify({events: events.map(([type, name, more]) => ({
      build_version: '1.4.0', session_id: SESSION, player_hash: PLAYER, ts: new Date().toISOString(),
      type, name, ...more,
    }))}),
  }).then(answer => answer.json());
  addEventListener('pagehide', () => send(['session', 'Session:End']));
</script>
"""


def filled(page: str, **values: str) -> str:
    constants = ";".join(f"const {name} = {json.dumps(value)}" for name, value in values.items())
    return f"<script>{constants}</script>{page}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site({})
    yield site
    site.close()


def leave(visit: Visit, site: Site) -> None:
    site.page = ""
    visit.page.goto(f"{site.url}/elsewhere")


def test_beacons_and_fetches_with_a_project_key(site: Site, visit: Visit, served: Served) -> None:
    arrivals = served.arrivals()
    site.page = filled(TAG, HOST=served.url, KEY=served.keys["project-key"]["key"])
    visit.page.goto(f"{site.url}/pricing?utm_source=news")
    events = {event["name"]: event for event in arrivals(3)}
    assert events.keys() == {"page_view", "LCP", "ButtonClick"}
    assert [events[name]["type"] for name in ("page_view", "LCP", "ButtonClick")] == ["pageview", "vital", "custom"]
    assert (events["LCP"]["value"], events["ButtonClick"]["value"]) == (812.5, 1)
    assert {(event["session"], event["path"]) for event in events.values()} == {("visitor-1", "/pricing")}
    visit.settle()
    assert visit.complaints == []
    assert visit.statuses == [202, 202, 202]
    assert set(visit.preflights) == {204}
    assert sorted(request.headers["content-type"].partition(";")[0] for request in visit.sent) == [
        "application/json",
        "application/json",
        "text/plain",
    ]
    leave(visit, site)
    *_, left = arrivals(4)
    assert (left["name"], left["user"], left["path"]) == ("left", "jane", "/pricing")
    assert visit.page.context.cookies() == []


def test_a_game_with_a_bearer_key(site: Site, visit: Visit, served: Served) -> None:
    arrivals = served.arrivals()
    site.page = filled(GAME, HOST=served.url, KEY=served.keys["bearer"]["key"], SESSION=SESSION, PLAYER=PLAYER)
    visit.page.goto(f"{site.url}/play")
    batch: list[Any] = [
        ["session", "Session:Start", {}],
        ["resource", "Source:Coins", {"value": 50, "dim01": "level-1"}],
        ["weather", "Rain", {}],
    ]
    answer = visit.page.evaluate("batch => send(...batch)", batch)
    assert (answer["accepted"], answer["rejected"], [each["index"] for each in answer["errors"]]) == (2, 1, [2])
    visit.settle()
    assert visit.complaints == []
    assert (visit.preflights, visit.statuses) == ([204], [200])
    leave(visit, site)
    events = arrivals(3)
    assert [(event["type"], event["name"], event["user"], event["session"]) for event in events] == [
        ("session", "Session:Start", PLAYER, SESSION),
        ("resource", "Source:Coins", PLAYER, SESSION),
        ("session", "Session:End", PLAYER, SESSION),
    ]


def test_a_refusal_can_be_read_by_the_page(site: Site, visit: Visit, served: Served) -> None:
    site.page = filled(GAME, HOST=served.url, KEY="pk_live_wrong", SESSION=SESSION, PLAYER=PLAYER)
    visit.page.goto(f"{site.url}/play")
    answer = visit.page.evaluate("send(['session', 'Session:Start'])")
    assert answer.keys() == {"detail"}
    visit.settle()
    assert (visit.preflights, visit.statuses) == ([204], [401])
