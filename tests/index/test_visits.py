"""Sessions put together from the index are those that the raw events make."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.parts import FOREVER, NEVER, Parts
from saastracker.scope import Scope
from saastracker.testing import PROJECT
from saastracker.visits import visits
from tests.index import slow_sums
from tests.index.visiting import FILTERS, FOREIGN, SPAN, Session, expected, made
from tests.indexed import HOUR, ZONES, at, reading

FIRST_EVENT = ("release", "country", "browser", "os", "device")
ORIGIN = ("referrer", "source", "medium", "campaign")
NOON = at("2026-10-28 12:00")


def asked(reader: Reader, query: str, zone: str) -> dict[Any, dict[str, Any]]:
    """The facts of each session that is in the index, by person and session id."""
    scope = Scope.parse(query, project=PROJECT.id, timezone=zone, now=at("2026-11-21 12:00"))
    actors = reader.actors(PROJECT.id)
    found = visits(reader, scope, actors, scope.span)
    columns = ("entry", "exit", *FIRST_EVENT, *ORIGIN)
    codes = {code for name in ("session", *columns) for code in getattr(found.row, name).tolist()}
    texts = reader.texts([*codes, *actors.person_codes, *actors.org_codes])
    facts: dict[Any, dict[str, Any]] = {}
    for place in range(len(found)):
        person, org = int(found.person[place]), int(found.org[place])
        kind = "anonymous" if person >= 0 and actors.anonymous[person] else "user"
        who = (kind, texts[actors.person_codes[person]]) if person >= 0 else None
        key = who, texts[int(found.row.session[place])]
        assert key not in facts
        facts[key] = {
            "org": texts[actors.org_codes[org]] if org >= 0 else None,
            "seconds": float(found.seconds[place]),
            "bounced": bool(found.bounced[place]),
            **{name: texts.get(int(getattr(found.row, name)[place])) for name in columns},
            **{name: int(getattr(found.row, name)[place]) for name in ("first", "last", "events", "pages")},
        }
        if not facts[key]["pages"]:
            del facts[key]["entry"], facts[key]["exit"]
    return facts


def slow(found: list[Session]) -> dict[Any, dict[str, Any]]:
    return {
        (session.person, session.id): {
            "org": session.org,
            "seconds": session.seconds,
            "bounced": session.bounced,
            "first": session.start,
            "last": session.events[-1].time,
            "events": len(session.events),
            "pages": len(session.pages),
            **({"entry": session.pages[0].path, "exit": session.pages[-1].path} if session.pages else {}),
            **{name: getattr(session.events[0], name) for name in FIRST_EVENT},
            **{name: getattr(session.origin, name) for name in ORIGIN},
        }
        for session in found
    }


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
    rebuilt=st.booleans(),
)
def test_equal_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int], zone: str, rebuilt: bool
) -> None:
    batches = [made(seed + number, size) for number, size in enumerate(sizes)]
    sent = [event for batch in batches for event in batch]
    with reading(tmp_path_factory.mktemp("visits"), zone, *batches, foreign=FOREIGN, rebuilt=rebuilt) as reader:
        for query in FILTERS:
            assert asked(reader, f"{SPAN}&{query}", zone) == slow(expected(sent, zone, query))


def test_by_hand(tmp_path: Path) -> None:
    sent = [
        # Over midnight: of the day on which it began, so not of the next one.
        Event(name="open", time=NOON - 13 * HOUR, user="u1", session="night"),
        Event(name="save", time=NOON - 11 * HOUR, user="u1", session="night"),
        # Two people with one id.
        Event(name="page_view", type="pageview", path="/in", time=NOON, anonymous="a1", session="same", release="1"),
        Event(name="page_view", type="pageview", path="/", time=NOON, user="u1", session="same", referrer="r.com"),
        Event(name="$pageleave", time=NOON + 5000, user="u1", session="same"),
    ]
    late = [
        # The visitor was u2, in an organization from then on.
        Event(name="identify", time=NOON + 9000, user="u2", anonymous="a1", org="x", session="same", release="2"),
        Event(name="Session:Start", time=NOON - 500, user="u2", org="y", session="same"),
    ]
    with reading(tmp_path, "UTC", sent, late) as reader:
        nothing = dict.fromkeys((*FIRST_EVENT, *ORIGIN, "org"))
        facts = asked(reader, "from=2026-10-28&to=2026-10-28", "UTC")
        assert facts == {
            (("user", "u1"), "same"): nothing
            | {"seconds": 5.0, "bounced": True, "first": NOON, "last": NOON + 5000, "events": 2, "pages": 1}
            | {"entry": "/", "exit": "/", "referrer": "r.com"},
            (("user", "u2"), "same"): nothing
            | {"seconds": 9.5, "bounced": False, "first": NOON - 500, "last": NOON + 9000, "events": 3, "pages": 1}
            | {"entry": "/in", "exit": "/in", "org": "y"},
        }
        [(key, before)] = asked(reader, "from=2026-10-20&to=2026-10-27", "UTC").items()
        assert (key, before["events"], before["seconds"]) == ((("user", "u1"), "night"), 2, 7200.0)


def test_over_midnight_it_is_one_whatever_arrived_between(tmp_path: Path) -> None:
    """Days remember which sessions they have; a step that brings others must not make one forget."""
    sent = [
        Event(name="open", time=NOON - 13 * HOUR, user="u1", session="night"),
        Event(name="open", time=NOON - 12 * HOUR - HOUR // 2, user="u2", session="evening"),
        Event(name="save", time=NOON - 11 * HOUR, user="u1", session="night"),
        *(Event(name="open", time=NOON + day * 24 * HOUR, user="u3", session=f"later{day}") for day in range(3)),
    ]
    with reading(tmp_path, "UTC", *([event] for event in sent)) as reader:
        facts = asked(reader, "from=2026-10-20&to=2026-11-20", "UTC")
        assert {key[1]: found["events"] for key, found in facts.items() if "later" not in key[1]} == {
            "night": 2,
            "evening": 1,
        }
        assert slow_sums.read(reader, PROJECT.id, "UTC", None, slow_sums.EVER) == slow_sums.counted(
            sent, "UTC", None, slow_sums.EVER
        )


def test_of_page_views_at_once_the_order_of_arrival_decides(tmp_path: Path) -> None:
    def view(path: str, **who: Any) -> Event:
        return Event(name="page_view", type="pageview", time=NOON, session="s", path=path, referrer=path[1:], **who)

    sent = [
        Event(name="open", time=NOON, user="u1", session="s", referrer="earlier", release="1"),
        view("/b", user="u1", anonymous="a1"),
        view("/a", anonymous="a1"),
        view("/d", user="u1", org="x"),
        view("/c", user="u1"),
        Event(name="open", time=NOON, user="u1", org="y", session="s", release="2"),
    ]
    with reading(tmp_path, "UTC", *([event] for event in sent)) as reader:
        [facts] = asked(reader, "from=2026-10-28&to=2026-10-28", "UTC").values()
        told = [facts[name] for name in ("entry", "exit", "referrer", "release", "org")]
        assert told == ["/b", "/c", "b", "1", "x"]


def test_a_filter_looks_at_the_whole_session(tmp_path: Path) -> None:
    sent = [
        Event(name="open", time=NOON, user="u1", session="s"),
        Event(name="buy", time=NOON + 100 * HOUR, user="u1", org="x", session="s"),
        Event(name="buy", time=NOON + HOUR, user="u2", session="s"),
        Event(name="open", time=NOON + HOUR, user="u3", session="s"),
        Event(name="buy", time=NOON + HOUR, user="u3"),
    ]
    with reading(tmp_path, "UTC", sent) as reader:
        for query, wanted in (("name=buy", {"u1", "u2"}), ("org=x", {"u1"}), ("f=name:is_not:open", {"u1", "u2"})):
            facts = asked(reader, f"from=2026-10-28&to=2026-10-28&{query}", "UTC")
            assert {key[0][1] for key in facts} == wanted


def test_nothing_there(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [Event(name="open", time=NOON, user="u1")], foreign=FOREIGN) as reader:
        assert asked(reader, SPAN, "UTC") == {}
        assert asked(reader, f"{SPAN}&name=open", "UTC") == {}


@given(st.data())
def test_parts_come_back_as_they_were(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    parts = Parts(
        *(
            np.array(data.draw(st.lists(st.integers(0, 2**41), min_size=count, max_size=count)), np.int64)
            for _ in Parts.__struct_fields__
        )
    )
    bare = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    parts.started = np.where(bare, FOREVER, parts.first + 7)
    parts.ended = np.where(bare, NEVER, parts.first)
    back = Parts.decode(parts.encode())
    for name in Parts.__struct_fields__:
        assert getattr(back, name).tolist() == getattr(parts, name).tolist(), name
