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
from tests.serving import Served, columns

ADA = hashlib.sha256(b"ada@example.com").hexdigest()
SESSION = "5f2b1c9e-3a44-4a53-9d0e-0f6a1f0f6a1f"
THEN = datetime(2026, 5, 6, 14, 34, 56, 789000, timezone(timedelta(hours=2)))  # 12:34 UTC

Make = Callable[..., Any]


def saastracker(served: Served, **options: Any) -> Saastracker:
    return Saastracker(served.url, environment="staging", **(options | served.keys["hmac"]))


def nanosights(served: Served, **options: Any) -> Nanosights:
    return Nanosights(served.url, project_key=served.keys["project-key"]["key"], **options)


def usermaven(served: Served, **options: Any) -> Usermaven:
    return Usermaven(served.url, **(options | served.keys["query-token"]))


def public_usermaven(served: Served, **options: Any) -> Usermaven:
    return Usermaven(served.url, api_key=served.keys["query-token"]["api_key"], **options)


def owlsignal(served: Served, **options: Any) -> Owlsignal:
    key = served.keys["bearer"]["key"]
    return Owlsignal(served.url, key=key, build_version="1.4.0", player="ada@example.com", session=SESSION, **options)


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


def test_bad_events_harm_none_of_their_batch(served: Served) -> None:
    drops: list[Drop] = []
    arrivals = served.arrivals()
    with owlsignal(served, on_drop=drops.append) as game:
        game.track_design("first", time=THEN)
        game.track_design("n" * 101)
        game.track_design("last")
    with usermaven(served, on_drop=drops.append) as people:
        people.track("first", user="ada")
        people.track("", user="ada")
        people.track("last", user="ada")
    names = ["Session:Start", "first", "last", "Session:End", "first", "last"]
    assert [event["name"] for event in arrivals(6)] == names
    [long, nameless] = drops
    assert (long.reason, len(long.events), long.events[0]["name"]) == ("rejected", 1, "n" * 101)
    assert "$.name" in long.detail
    assert (nameless.reason, nameless.events[0]["event_type"]) == ("rejected", "")
    assert "$.event_type" in nameless.detail


def test_an_event_with_an_id_is_stored_once(served: Served) -> None:
    arrivals = served.arrivals()
    for client in (usermaven(served), usermaven(served)):
        with client:
            client.track("paid", user="ada", event_id="order 5", time=THEN)
            client.track("paid", user="ada", time=THEN)
    names = [event["name"] for event in arrivals(3)]
    assert names == ["paid"] * 3


def test_a_wrong_key_is_told_and_not_sent_again(served: Served) -> None:
    drops: list[Drop] = []
    before = served.events()
    with Saastracker(
        served.url, app_uuid=served.keys["hmac"]["app_uuid"], api_secret="wrong", on_drop=drops.append
    ) as client:
        client.track("signed_up", user="ada", org="acme")
    [drop] = drops
    assert (drop.reason, drop.detail, drop.events[0]["event"]) == ("refused", "401: Invalid signature", "signed_up")
    assert served.events() == before


def test_a_clock_far_ahead_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the events made by that clock are lost, and loudly; those from the past keep their times."""

    class Wrong(datetime):
        ahead = timedelta(days=800)

        @classmethod
        def now(cls, tz: Any = None) -> "Wrong":
            return cls.fromtimestamp(datetime.now(tz).timestamp() + cls.ahead.total_seconds(), tz)

    drops: list[Drop] = []
    arrivals = served.arrivals()
    with usermaven(served, on_drop=drops.append) as client:
        client.track("before", user="ada")
        monkeypatch.setattr("saastracker_sdk.encoding.datetime", Wrong)
        client.track("ahead", user="ada")
        Wrong.ahead = timedelta(days=-20_000)
        client.track("behind", user="ada")
        monkeypatch.undo()
        client.track("after", user="ada")
    events = arrivals(3)
    assert [event["name"] for event in events] == ["before", "behind", "after"]
    assert events[1]["time"] < "1975"
    assert [(drop.reason, drop.events[0]["event_type"]) for drop in drops] == [("rejected", "ahead")]
    assert "$._timestamp" in drops[0].detail


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
