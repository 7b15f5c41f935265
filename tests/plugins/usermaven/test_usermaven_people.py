"""The usermaven formats: whose event it is, which company's, and what both are like."""

from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid
from saastracker.event import Event, identity
from saastracker.testing import PROJECT, request
from saastracker.wire import WireFormat
from saastracker_usermaven import wire_formats

SERVER, BROWSER = wire_formats()


def one(body: Any, form: WireFormat = SERVER, query: str = "") -> Event:
    """The only event of a request with this body."""
    (event,) = form.decode(request(msgspec.json.encode(body), query=query), PROJECT).events
    return event


def of_user(**user: Any) -> Event:
    return one({"event_type": "a", "user": user})


def said(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"id": 12}, ("12", None)),
        ({"id": 12.0}, ("12", None)),
        ({"id": 2**63 - 1}, ("9223372036854775807", None)),
        ({"id": "65f02acc-e104-45d9-8199-1491332d8454"}, ("65f02acc-e104-45d9-8199-1491332d8454", None)),
        ({"anonymous_id": "a1"}, (None, "a1")),
        ({"email": "Jane@Example.COM"}, ("jane@example.com", None)),
        ({"id": "", "anonymous_id": None, "email": "j@e.com"}, ("j@e.com", None)),
        ({"id": "u1", "email": "j@e.com", "anonymous_id": "a1"}, ("u1", "a1")),
    ],
)
def test_who_it_was(user: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    event = of_user(**user)
    assert (event.user, event.anonymous) == expected


@pytest.mark.parametrize("user", [None, {}, [], "", {"id": ""}, {"id": None, "email": "", "anonymous_id": ""}])
def test_someone_is_required(user: Any) -> None:
    for form in (SERVER, BROWSER):
        with pytest.raises(Invalid, match=r"^\$\.user: "):
            one({"event_type": "a", "user": user}, form)


COMPANY = {"id": "c1", "name": "Acme"}


@pytest.mark.parametrize(
    ("outer", "inner", "org"),
    [
        ({"id": "c2"}, COMPANY, "c2"),
        ({"name": "Beta"}, COMPANY, None),
        ({}, COMPANY, "c1"),
        ([], COMPANY, "c1"),
        (None, COMPANY, "c1"),
        ({"id": "", "name": None, "custom": []}, COMPANY, "c1"),
        (COMPANY, "Acme", "c1"),
        ({}, {}, None),
        ({}, {"id": ""}, None),
    ],
)
def test_the_outer_company_wins_unless_it_is_empty(outer: Any, inner: Any, org: str | None) -> None:
    event = one({"event_type": "a", "user": {"id": "u1", "company": inner}, "company": outer})
    assert event.org == org
    company = (said(event.traits) or {}).get("company")
    assert (company or {}).get("id") == org


def test_any_other_field_of_the_user_is_a_trait() -> None:
    event = of_user(id="u1", phone="1", company="Acme", nothing=None)
    assert said(event.traits) == {"user": {"phone": "1", "company": "Acme"}}


@pytest.mark.parametrize("source", ["usermaven-python", "http"])
def test_the_python_sdks_invented_visitor_is_ignored_where_the_user_is_known(source: str) -> None:
    known = one({"event_type": "a", "src": source, "user": {"id": "u1", "anonymous_id": "a1"}})
    assert known.anonymous == (None if source == "usermaven-python" else "a1")
    assert one({"event_type": "a", "src": source, "user": {"anonymous_id": "a1"}}).anonymous == "a1"


@pytest.mark.parametrize("flag", ["cookie_policy", "ip_policy"])
def test_strict_privacy_stores_no_anonymous_id(flag: str) -> None:
    query = f"token=KEY&{flag}=strict"
    body = {"event_type": "a", "event_id": "e1", "user": {"anonymous_id": "a1"}}
    for form in (SERVER, BROWSER):
        event = one(body, form, query)
        assert (event.user, event.anonymous, event.id) == (None, None, identity("e1", None, None))
    known = one({"event_type": "a", "user": {"anonymous_id": "a1", "id": "u1"}}, BROWSER, query)
    assert (known.user, known.anonymous) == ("u1", None)
    assert one(body, BROWSER, f"{flag}=keep").anonymous == "a1"


def test_only_a_strict_browser_may_leave_the_person_out() -> None:
    assert one({"event_type": "a"}, BROWSER, "cookie_policy=strict") == Event(name="a")
    with pytest.raises(Invalid):
        one({"event_type": "a"}, SERVER, "cookie_policy=strict")
