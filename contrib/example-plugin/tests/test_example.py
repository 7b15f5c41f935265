"""The auth scheme and the wire format keep their contracts; all else does what it says."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from saastracker_example import taggers
from saastracker_example.basic import Basic
from saastracker_example.busiest import busiest
from saastracker_example.goals import DAY_MS, Goal, check_goal, check_goals, preview_goal
from saastracker_example.internal import Internal
from saastracker_example.journal import Journal
from saastracker_example.ndjson import LINES_MAX, Ndjson

from saastracker import (
    Event,
    Group,
    Invalid,
    Item,
    JobContext,
    Message,
    Project,
    Reply,
    Request,
    Scope,
    Store,
    Submission,
    Unauthorized,
    Unavailable,
)
from saastracker.config import load_config
from saastracker.plugins import Plugins
from saastracker.testing import NOW, OTHER_PROJECT, PROJECT, InMemoryDefinitions, request
from saastracker.testing.auth import AuthSchemeContract
from saastracker.testing.formats import WireFormatContract
from saastracker.testing.indexing import follow
from saastracker.testing.projects import InMemoryProjects


class TestBasicKeepsTheContract(AuthSchemeContract):
    secret = "password"

    def make(self, projects: InMemoryProjects) -> Basic:
        return Basic(projects)

    def carry(self, shown: Mapping[str, str]) -> Request:
        return with_header(f"{shown['username']}:{shown['password']}")


def with_header(credentials: str) -> Request:
    encoded = base64.b64encode(credentials.encode()).decode()
    return request(headers={"Authorization": f"Basic {encoded}"})


@pytest.mark.parametrize("header", ["Basic", "Basic ?", "Basic QQ", "basic OnB3", "Basic \u00ff"])
def test_what_is_no_user_name_and_password_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized):
        Basic(InMemoryProjects()).authenticate(request(headers={"Authorization": header}))


def test_another_kind_of_authorization_is_not_its_own() -> None:
    assert Basic(InMemoryProjects()).authenticate(request(headers={"Authorization": "Bearer abc"})) is None


class TestNdjsonKeepsTheContract(WireFormatContract):
    def make(self) -> Ndjson:
        return Ndjson()

    def sample(self) -> dict[str, Any]:
        return {
            "event": "signed_up",
            "user": "ada",
            "org": "acme",
            "time": "2026-05-06T12:00:00Z",
            "properties": {"plan": "pro"},
        }


def test_a_bad_line_harms_no_other_and_is_named_by_its_place() -> None:
    decoded = Ndjson().decode(request(b'{"event":"a"}\r\n\n{"event":""}\n{"event":"pageview"}\n'), PROJECT)
    assert decoded.events == [Event(name="a"), Event(name="pageview", type="pageview")]
    assert [rejected.index for rejected in decoded.rejected] == [2]


def test_every_field_is_kept() -> None:
    line = b'{"event":"a","user":"u","org":"o","time":"2026-05-06T12:34:56.5Z","properties":{"n":1}}'
    [event] = Ndjson().decode(request(line), PROJECT).events
    assert event == Event(name="a", user="u", org="o", time=NOW + 500, properties='{"n":1}')


def test_the_number_of_lines_is_limited() -> None:
    line = b'{"event":"a"}\n'
    assert len(Ndjson().decode(request(line * LINES_MAX), PROJECT).events) == LINES_MAX
    with pytest.raises(Invalid, match="at most 1000 lines"):
        Ndjson().decode(request(line * (LINES_MAX + 1)), PROJECT)


def test_events_of_internal_organizations_are_left_out() -> None:
    events = [Event(name="a", org="us"), Event(name="a", org="acme"), Event(name="a")]
    Internal(["us"]).enrich(events, PROJECT, "server", None)
    assert [event.drop for event in events] == ["internal", None, None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The default store, empty."""
    plugins = Plugins(load_config(None, tmp_path))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    yield store
    store.close()
    records.close()


def append(store: Store, project: Project, *events: Event) -> None:
    for event in events:
        event.received_at = NOW
    store.append(Group([Submission(project, list(events), NOW, Reply(200, b"{}"))]))


def test_the_busiest_organizations_of_the_span_come_first(store: Store) -> None:
    day = 24 * 3600 * 1000
    append(
        store,
        PROJECT,
        Event(name="a", org="acme", user="ada"),
        Event(name="b", org="acme", user="ada"),
        Event(name="a", org="acme", anonymous="x1"),
        Event(name="a", org="umbrella", user="bob"),
        Event(name="a", org="umbrella", user="bob", time=NOW - 7 * day),
        Event(name="a", user="eve"),
    )
    append(store, OTHER_PROJECT, Event(name="a", org="acme", user="mallory"))
    with store.reader() as reader:
        scope = Scope.parse("range=7d", project=PROJECT.id, timezone="UTC", now=NOW)
        assert busiest(reader, scope).tables[0].rows == [["acme", 3, 2], ["umbrella", 1, 1]]
        scope = Scope.parse("range=7d&limit=1", project=PROJECT.id, timezone="UTC", now=NOW)
        assert busiest(reader, scope).tables[0].rows == [["acme", 3, 2]]


GOALS = InMemoryDefinitions({"goal": [Goal(event="a", per_day=2), Goal(event="b")]})


def test_the_preview_of_a_goal_counts_what_happened(store: Store) -> None:
    append(store, PROJECT, Event(name="a"), Event(name="a", time=NOW - 9 * DAY_MS), Event(name="b"))
    append(store, OTHER_PROJECT, Event(name="a"))
    scope = Scope.parse("range=7d", project=PROJECT.id, timezone="UTC", now=NOW)
    with store.reader() as reader:
        assert preview_goal(reader, scope, GOALS, Goal(event="a", per_day=3), None).tables[0].rows == [
            ["a", 21, None, 1]
        ]
        assert preview_goal(reader, scope, GOALS, Goal(event="a", per_day=3), Goal(event="a")).tables[0].rows == [
            ["a", 21, 7, 1]
        ]


def test_a_goal_needs_an_event() -> None:
    with pytest.raises(Invalid, match=r"\$\.event"):
        check_goal(Goal(event=" "))


def test_the_index_counts_the_events_of_a_goal_under_its_id(store: Store) -> None:
    append(store, PROJECT, Event(name="a", user="ada"), Event(name="a", user="bob"), Event(name="c", user="ada"))
    follow(store, taggers=taggers(), definitions=GOALS)
    today = NOW // DAY_MS
    with store.reader() as reader:
        [(day, key, cell)] = reader.days(PROJECT.id, "goal", today - 7, today)
        assert (day, key, cell.events, len(cell.actors)) == (today, "1", 2, 2)


def test_the_job_tells_of_goals_that_the_last_day_missed(store: Store) -> None:
    append(store, PROJECT, Event(name="a"), Event(name="a", time=NOW - DAY_MS - 1), Event(name="b", time=NOW - 1))
    context = JobContext(
        now=NOW + 1,
        projects=[PROJECT],
        definitions=GOALS,
        reader=store.reader,
        progress=lambda _done, _total: None,
        cancelled=lambda: False,
    )
    [notice] = check_goals(context)
    assert (notice.project, notice.title) == (PROJECT.id, "a missed its goal")
    assert notice.text == "It happened 1 times in 24 hours; the goal is 2."
    assert "goal-1-" in notice.key


def test_the_channel_writes_a_line_for_each_message(tmp_path: Path) -> None:
    item = Item(at=NOW, project="Shop", title="Missed", text="It happened once.")
    message = Message(
        id="1",
        at=NOW,
        to="ops",
        secret=b"",
        workspace="Default",
        topic="goals",
        subject="Shop: Missed",
        text="",
        html="",
        items=(item,),
        unsubscribe="",
    )
    journal = Journal(tmp_path)
    journal.send(message)
    journal.send(message)
    first, second = (tmp_path / "ops.ndjson").read_bytes().splitlines()
    assert first == second
    assert msgspec.json.decode(first)["items"][0]["title"] == "Missed"
    assert journal.check("ops") == "ops"
    with pytest.raises(Invalid):
        journal.check("../../etc/passwd")
    with pytest.raises(Unavailable):
        Journal(tmp_path / "gone").send(message)
