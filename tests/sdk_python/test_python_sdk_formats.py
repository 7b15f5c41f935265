"""What each client of the Python SDK tracks is stored as it should be, with `with` and with `async with`."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saastracker_sdk import Drop, Failure, Nanosights, Owlsignal, Saastracker, Usermaven
from saastracker_sdk.client import Client
from tests.sdk_python.clients import SESSION, nanosights, owlsignal, public_usermaven, saastracker, usermaven
from tests.serving import Served, columns

ADA = hashlib.sha256(b"ada@example.com").hexdigest()
THEN = datetime(2026, 5, 6, 14, 34, 56, 789000, timezone(timedelta(hours=2)))  # 12:34 UTC

Make = Callable[..., Any]


def track_saastracker(client: Saastracker) -> None:
    client.track(
        "report_exported",
        user="ada@example.com",
        org=7,
        path="/reports?id=3",
        session=UUID(SESSION),
        plan="pro",
        properties={"rows": 120, "price": Decimal("1.50"), "at": THEN, "tags": {"a"}, "nothing": None},
        time=THEN,
    )
    client.track("page_view", user=ADA.upper(), org="acme", path="/")


def track_nanosights(client: Nanosights) -> None:
    client.track(
        "plan_chosen",
        user=5,
        session="s1",
        url="https://app.example.com/pricing?utm_source=mail",
        title="Pricing",
        referrer="https://news.example.org/",
        data={"value": 49, "label": "Große Größe 🦉"},
        time=THEN,
    )
    client.track_metric("LCP", 1240.5, unit="ms", session="visitor", path="/home")


def track_usermaven(client: Usermaven) -> None:
    client.identify({"id": 12, "email": "ada@example.com"}, {"id": "acme", "name": "Acme"}, time=THEN)
    client.track("signed_up", user="ada", company=7, attributes={"plan": "pro", "value": 3}, time=THEN)
    client.track("signed_up", user={"anonymous_id": "guest"}, url="https://app.example.com/sign-up")


def track_owlsignal(client: Owlsignal) -> None:
    client.track_progression("Complete:Tutorial", value=93.5, dim01="easy", time=THEN)
    client.track_design("CTA:Clicked", data={"first": True})
    client.track_resource("Source:Coins", value=50, dim02="b", dim03="c")
    client.track_error(Failure("NullRef", "no such owl", "at foo.bar:12"), scene="Forest")


def blocking(client: Client, track: Callable[[Any], None]) -> None:
    with client:
        track(client)
        assert client.flush(10)


def awaiting(client: Client, track: Callable[[Any], None]) -> None:
    async def run() -> None:
        async with client:
            track(client)
            async with asyncio.timeout(10):
                await client.aflush()

    asyncio.run(run())


STORED: dict[Make, tuple[Callable[[Any], None], tuple[str, ...], list[tuple[Any, ...]]]] = {
    saastracker: (
        track_saastracker,
        ("name", "type", "user", "org", "session", "path", "environment"),
        [
            ("report_exported", "custom", ADA, "7", SESSION, "/reports", "staging"),
            ("page_view", "pageview", ADA, "acme", ..., "/", "staging"),
        ],
    ),
    nanosights: (
        track_nanosights,
        ("name", "type", "user", "anonymous_id", "session", "path", "value"),
        [
            ("plan_chosen", "custom", "5", None, "s1", "/pricing", 49.0),
            ("LCP", "vital", None, "visitor", "visitor", "/home", 1240.5),
        ],
    ),
    usermaven: (
        track_usermaven,
        ("name", "type", "user", "anonymous_id", "org", "path", "value"),
        [
            ("user_identify", "identify", "12", None, "acme", None, None),
            ("signed_up", "custom", "ada", None, "7", None, 3.0),
            ("signed_up", "custom", None, "guest", None, "/sign-up", None),
        ],
    ),
    public_usermaven: (
        track_usermaven,
        ("name", "user", "anonymous_id", "org"),
        [
            ("user_identify", "12", None, "acme"),
            ("signed_up", "ada", None, "7"),
            ("signed_up", None, "guest", None),
        ],
    ),
    owlsignal: (
        track_owlsignal,
        ("name", "type", "user", "session", "release", "value"),
        [
            ("Session:Start", "session", ADA, SESSION, "1.4.0", None),
            ("Complete:Tutorial", "progression", ADA, SESSION, "1.4.0", 93.5),
            ("CTA:Clicked", "design", ADA, SESSION, "1.4.0", None),
            ("Source:Coins", "resource", ADA, SESSION, "1.4.0", 50.0),
            ("NullRef", "error", ADA, SESSION, "1.4.0", None),
            ("Session:End", "session", ADA, SESSION, "1.4.0", None),
        ],
    ),
}
PROPERTIES: dict[Make, list[Any]] = {
    saastracker: [
        {"rows": 120, "price": "1.50", "at": "2026-05-06T14:34:56.789000+02:00", "tags": ["a"], "nothing": None},
        None,
    ],
    nanosights: [
        {
            "url": "https://app.example.com/pricing?utm_source=mail",
            "page_title": "Pricing",
            "referrer": "https://news.example.org/",
            "label": "Große Größe 🦉",
        },
        {"metric_type": "web_vital", "metric_unit": "ms"},
    ],
    usermaven: [None, {"plan": "pro"}, {"url": "https://app.example.com/sign-up"}],
    public_usermaven: [None, {"plan": "pro"}, {"url": "https://app.example.com/sign-up"}],
    owlsignal: [
        None,
        {"dim01": "easy"},
        {"first": True},
        {"dim02": "b", "dim03": "c"},
        {"type": "NullRef", "message": "no such owl", "stack": "at foo.bar:12", "scene": "Forest"},
        None,
    ],
}


@pytest.mark.parametrize("use", [blocking, awaiting])
@pytest.mark.parametrize("make", STORED)
def test_stored_as_tracked(make: Make, use: Callable[[Client, Callable[[Any], None]], None], served: Served) -> None:
    track, names, expected = STORED[make]
    drops: list[Drop] = []
    arrivals = served.arrivals()
    use(make(served, on_drop=drops.append), track)
    events = arrivals(len(expected))
    assert drops == []
    for event, row in zip(columns(events, *names), expected, strict=True):
        assert tuple(told if told is ... else kept for kept, told in zip(event, row, strict=True)) == row
    assert [event["properties"] for event in events] == PROPERTIES[make]
    seconds = "2026-05-06T12:34:56.000Z" if make is saastracker else "2026-05-06T12:34:56.789Z"
    assert events[0]["time"] == seconds
    now = datetime.now(UTC)
    assert timedelta(0) <= now - datetime.fromisoformat(events[-1]["time"]) < timedelta(seconds=20)


def test_opting_out_forgets_at_once(served: Served) -> None:
    arrivals = served.arrivals()
    with owlsignal(served) as game:
        game.track_design("before")
        game.opt_out()
        game.track_design("meanwhile")
        game.opt_out(False)
        game.identify("eve@example.com")
        game.track_design("after")
    events = arrivals(4)
    assert [event["name"] for event in events] == ["Session:Start", "before", "after", "Session:End"]
    assert events[2]["user"] == hashlib.sha256(b"eve@example.com").hexdigest()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text("abcd_é", min_size=1), children, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(JSON, min_size=1, max_size=30))
def test_whatever_json_holds_arrives(served: Served, values: list[Any]) -> None:
    arrivals = served.arrivals()
    drops: list[Drop] = []
    with usermaven(served, on_drop=drops.append) as client:
        for value in values:
            client.track("any", user="ada", attributes={"it": value})
    assert drops == []
    stored = [(event["properties"] or {}).get("it") for event in arrivals(len(values))]
    assert json.dumps(stored) == json.dumps(values)
