"""Sessions of events without a session id."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.config import load_config
from saastracker.contracts import Group, Store, Submission
from saastracker.event import Event
from saastracker.plugins import Plugins
from saastracker.sessions import INACTIVITY_MS, VISITORS_MAX, Sessions
from saastracker.testing import PROJECT
from saastracker.wire import Reply

MINUTE = 60_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    plugins = Plugins(load_config(None, tmp_path))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    yield store
    store.close()
    records.close()


def session_of(sessions: Sessions, time: int, *, user: str | None = "u", org: str | None = None) -> str | None:
    event = Event(name="x", user=user, org=org, time=time)
    sessions.assign("p", event)
    sessions.commit()
    return event.session


def test_thirty_minutes_of_inactivity_end_a_session() -> None:
    sessions = Sessions()
    first = session_of(sessions, 0)
    assert session_of(sessions, 30 * MINUTE) == first
    assert session_of(sessions, 60 * MINUTE) == first
    assert session_of(sessions, 90 * MINUTE + 1) != first


def test_each_person_and_organization_has_its_own() -> None:
    sessions = Sessions()
    names = {
        session_of(sessions, 5, user="a", org="x"),
        session_of(sessions, 5, user="a", org="y"),
        session_of(sessions, 5, user="a"),
    }
    assert len(names) == 3


def test_an_event_without_a_person_has_no_session() -> None:
    assert session_of(Sessions(), 0, user=None) is None


def test_old_events_beside_new_ones_keep_both_sessions_going() -> None:
    sessions = Sessions()
    day = 24 * 60 * MINUTE
    now, old = session_of(sessions, day), session_of(sessions, 0)
    assert now != old
    assert session_of(sessions, day + MINUTE) == now
    assert session_of(sessions, MINUTE) == old
    assert session_of(sessions, day + 2 * MINUTE) == now


def test_what_was_rolled_back_is_forgotten() -> None:
    sessions = Sessions()
    event = Event(name="x", user="u", time=0)
    sessions.assign("p", event)
    assert event.session
    sessions.rollback()
    assert event.session is None
    assert session_of(sessions, 10 * MINUTE) == f"~{10 * MINUTE:x}"


def test_memory_is_bounded_by_the_longest_unseen() -> None:
    sessions = Sessions()
    first = session_of(sessions, 0, user="0")
    kept = session_of(sessions, 1, user="1")
    for number in range(2, VISITORS_MAX + 1):
        session_of(sessions, number, user=str(number))
    assert session_of(sessions, 2, user="1") == kept
    assert session_of(sessions, 1, user="0") != first


@given(st.lists(st.integers(0, 6 * 60), min_size=1, max_size=40).map(sorted))
def test_in_order_a_gap_over_thirty_minutes_is_the_only_boundary(minutes: list[int]) -> None:
    sessions = Sessions()
    names = [session_of(sessions, minute * MINUTE) for minute in minutes]
    expected = 1 + sum(1 for a, b in pairwise(minutes) if (b - a) * MINUTE > INACTIVITY_MS)
    assert len(set(names)) == expected


def test_a_restart_goes_on_with_the_sessions_of_the_last_half_hour(store: Store) -> None:
    now = 1_800_000_000_000
    before = Sessions()
    events = [
        Event(name="x", user="old", time=now - 40 * MINUTE, received_at=now - 40 * MINUTE),
        Event(name="x", user="u", org="o", time=now - 25 * MINUTE, received_at=now - 25 * MINUTE),
        Event(name="x", user="u", org="o", time=now - 5 * MINUTE, received_at=now - 5 * MINUTE),
        Event(name="x", user="own", session="theirs", time=now, received_at=now),
        Event(name="x", time=now, received_at=now),
    ]
    for event in events:
        if event.session is None:
            before.assign(PROJECT.id, event)
    store.append(Group([Submission(PROJECT, events, now, Reply(202, b""))]))
    after = Sessions()
    with store.reader() as reader:
        after.refill(reader, now)
    again = Event(name="x", user="u", org="o", time=now + MINUTE)
    after.assign(PROJECT.id, again)
    assert again.session == events[1].session == events[2].session
    forgotten = Event(name="x", user="old", time=now)
    after.assign(PROJECT.id, forgotten)
    assert forgotten.session == f"~{now:x}"
