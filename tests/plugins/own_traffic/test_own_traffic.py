"""Own traffic by addresses, people and hosts; what a form may hold; the preview."""

from pathlib import Path

import pytest

from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker_own_traffic import Exclusion, definitions
from saastracker_own_traffic.sorting import OwnTraffic, check
from tests.asking import blocks, scope
from tests.indexed import at, reading

OWN = OwnTraffic(
    addresses=("203.0.113.7", "10.0.0.0/8", "2001:db8::/32"),
    users=("admin",),
    email_domains=("Example.com",),
    hosts=("localhost", "*.Staging.example"),
)


def dropped(event: Event, address: str | None = None, own: OwnTraffic = OWN) -> str | None:
    check(own)
    Exclusion(InMemoryDefinitions({"own-traffic": [own]})).enrich([event], PROJECT, "browser", address)
    return event.drop


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", True),
        ("203.0.113.8", False),
        ("10.255.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("2001:db8:1::1", True),
        ("2001:db9::1", False),
        ("unix", False),
        (None, False),
    ],
)
def test_addresses(address: str | None, expected: bool) -> None:
    assert dropped(Event(name="a"), address) == ("own_traffic" if expected else None)
    assert dropped(Event(name="a", address=address)) == ("own_traffic" if expected else None)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Event(name="a", user="admin"), True),
        (Event(name="a", user="Admin"), False),
        (Event(name="a", anonymous="admin"), False),
        (Event(name="a", user="ada@example.com"), True),
        (Event(name="a", user="ada@mail.example.com"), False),
        (Event(name="a", user="example.com"), False),
        (Event(name="a", user="u", traits='{"user":{"email":"Ada@EXAMPLE.com"}}'), True),
        (
            Event(name="a", user="u", traits='{"user":{"email":"ada@other.com"},"company":{"name":"@example.com"}}'),
            False,
        ),
        (Event(name="a", user="u", traits='{"user":{"email":["@"]}}'), False),
        (Event(name="a", user="u", traits='{"user":"@"}'), False),
        (Event(name="a", host="localhost"), True),
        (Event(name="a", host="a.staging.example"), True),
        (Event(name="a", host="staging.example"), False),
        (Event(name="a", host="www.example"), False),
        (Event(name="a"), False),
    ],
)
def test_people_and_hosts(event: Event, expected: bool) -> None:
    assert dropped(event) == ("own_traffic" if expected else None)


def test_what_is_left_out_already_keeps_its_reason() -> None:
    assert dropped(Event(name="a", user="admin", drop="bot")) == "bot"


def test_nothing_defined_leaves_nothing_out() -> None:
    event = Event(name="a", host="localhost")
    Exclusion(InMemoryDefinitions()).enrich([event], PROJECT, "browser", "127.0.0.1")
    assert event.drop is None
    assert dropped(event, "127.0.0.1", OwnTraffic()) is None


@pytest.mark.parametrize(
    ("own", "field"),
    [
        (OwnTraffic(addresses=("10.0.0.0/8", "10.0.0")), r"\$\.addresses\[1\]"),
        (OwnTraffic(addresses=("0.0.0.0/0",)), r"\$\.addresses\[0\]: This is everyone"),
        (OwnTraffic(email_domains=("@example.com",)), r"\$\.email_domains\[0\]"),
        (OwnTraffic(email_domains=("example",)), r"\$\.email_domains\[0\]"),
        (OwnTraffic(hosts=("https://example.com",)), r"\$\.hosts\[0\]"),
        (OwnTraffic(hosts=("localhost:3000",)), r"\$\.hosts\[0\]"),
        (OwnTraffic(hosts=("*",)), r"\$\.hosts\[0\]"),
    ],
)
def test_what_cannot_be(own: OwnTraffic, field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}"):
        check(own)


def test_the_preview_counts_who_is_there(tmp_path: Path) -> None:
    users = ["admin", "ada@example.com", "ada@example.com", "customer"]
    sent = [Event(name="a", user=user, time=at("2026-11-10 12:00")) for user in users]
    sent.append(Event(name="a", anonymous="admin", time=at("2026-11-10 12:00")))
    [kind] = definitions()
    assert kind.preview
    with reading(tmp_path, "UTC", sent) as reader:
        asked = scope("")
        told = blocks(kind.preview(reader, asked, InMemoryDefinitions(), OWN, None), asked)
    assert [figure["value"] for figure in told["own"]["figures"]] == [0, 3]
    assert told["people"]["rows"] == [["ada@example.com", 2], ["admin", 1]]
