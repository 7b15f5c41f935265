"""Which errors have one key: golden cases by hand, and what holds for any event."""

import json
import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.errors import Invalid
from saastracker.event import Event, type_of
from saastracker.issues.grouping import KEY, TITLE_MAX, failure, is_error, key, normalised
from saastracker.issues.kinds import Grouping, Issue, check_grouping, check_issue, key_of

ISSUE = "1-0123456789abcdef0123"


def of(name: str = "error", **properties: Any) -> str:
    return key(failure(name, json.dumps(properties)))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no answer from 192.168.1.1:80 in 8000 ms", "no answer from # in # ms"),
        ("fe80::1 and 2001:db8:0:0:0:0:0:1 are down", "# and # are down"),
        (
            "can't find user's file 'abc' nor \"d e\" nor `f` nor “g” nor \u2018h\u2019",
            "can't find user's file # nor # nor # nor # nor #",
        ),
        ("at 2026-05-06T12:34:56.123Z, 2026-05-06 12:34 +0200, 6.5.2026 and 12:30:55", "at #, #, # and #"),
        ("sent to Bob.O+x@mail.example.com", "sent to #"),
        ("id 0xdeadBEEF, deadbeef12 or 123e4567-e89b-12d3-a456-426614174000", "id #, # or #"),
        ("see https://x.example.com/a?b=1 (or ftp://y)", "see # (or #)"),
        ("utf8 user123 -5 +7 1e9 1,000.50 50%", "utf# user# # # # # #%"),
        ("12345678 or 1234abcd", "# or #"),
        ("Foo::Bar of std::facade", "Foo::Bar of std::facade"),
        ("  one   line\nand another", "one line"),
        ("\n\n", ""),
    ],
)
def test_messages_without_what_differs(message: str, expected: str) -> None:
    assert normalised(message) == expected


def test_the_signature_alone_decides_where_there_is_one() -> None:
    assert of(signature="s", message="a", stack="f@x.js:1:1") == of("exception", signature="s", message="b", type="T")
    assert of(signature="s") != of(signature="S")
    assert of(signature=7) == of(signature="7")
    assert of(signature=" ", message="a") == of(message="a")


def test_type_message_and_top_calls_decide_else() -> None:
    stack = "f (a.js:{}:1)\n    at g (b.js:{}:2)"
    one = of(type="T", message="no 1", stack=f"at {stack.format(3, 4)}")
    assert one == of(type="T", message="no 22\nmore", stack=f"at {stack.format(5, 6)}")
    assert one != of(type="U", message="no 1", stack=f"at {stack.format(3, 4)}")
    assert one != of(type="T", message="not 1", stack=f"at {stack.format(3, 4)}")
    assert one != of(type="T", message="no 1", stack="at g (b.js:4:2)\n    at f (a.js:3:1)")
    assert one != of(type="T", message="no 1")


def test_only_the_newest_own_calls_count() -> None:
    calls = [f"at f{number} (https://x/src/a.js:{number}:1)" for number in range(1, 6)]
    library = "at h (/srv/node_modules/lib/index.js:1:1)"
    one = of(message="m", stack="\n".join(calls[:3]))
    assert one == of(message="m", stack="\n".join([library, *calls[:2], library, *calls[2:]]))
    assert one == of(message="m", stack="\n".join([calls[0], *calls]))  # a call that calls itself
    assert one != of(message="m", stack="\n".join(calls[1:]))
    assert of(message="m", stack=library) != of(message="m", stack=library.replace("at h", "at i"))


def test_the_same_code_in_another_place_is_the_same_issue() -> None:
    lines = 'Traceback (most recent call last):\n  File "{}/rates/client.py", line {}, in lookup\nTimeout: no answer'
    assert of(stack=lines.format("/srv/releases/4.17.0/app", 88)) == of(stack=lines.format("/home/ann/app", 91))
    chunk = "at f (https://{}/assets/cart.{}.js:1:{})"
    assert of(message="m", stack=chunk.format("a.example.com", "8f3a2c1b", 9)) == of(
        message="m", stack=chunk.format("b.example.com", "00c4d2e7", 12)
    )


def test_a_stack_that_nobody_can_read_is_none() -> None:
    assert of(type="T", message="m", stack="somewhere") == of(type="T", message="m")


def test_the_name_is_the_type_of_errors_without_one() -> None:
    assert of("NullRef") != of("OutOfMemory")
    assert of("error", message="m") == of("exception", message="m")
    assert of("crash", type="T", message="m") == of("error", type="T", message="m")


def test_golden_keys() -> None:
    """Keys are kept with decisions: another one for the same error needs another version.

    BLAKE2b over the JSON of, for example, `["message","CustomsCodeRejected","HS code # not in tariff"]`.
    """
    assert of(signature="night-pier-null-spline") == "1-0a26376f43ed5b92d4f8"
    assert of(type="CustomsCodeRejected", message="HS code 17 not in tariff") == "1-4389cacbe63160de3b40"
    assert of(message="m", stack="at f (a/b.js:1:1)") == "1-ef9c1faf7cf6d15905ab"


@pytest.mark.parametrize(
    ("name", "properties", "title"),
    [
        ("error", {"type": "TypeError", "message": "x is null\nat 5"}, "TypeError: x is null"),
        ("error", {"message": "TypeError: x is null", "type": "TypeError"}, "TypeError: x is null"),
        ("crash", {"message": "out of memory"}, "out of memory"),
        ("NullRef", {"stack": "at foo.bar:12"}, "NullRef"),
        ("error", {"stack": "ValueError: no\n    at f (a.js:1:1)"}, "ValueError: no"),
        ("error", {"stack": ["a.rb:1:in `b'"], "error_type": "E", "error_message": "m"}, "E: m"),
        ("error", {"signature": "s"}, "s"),
        ("exception", {}, "exception"),
        ("error", {"message": "a" * 1000}, "a" * TITLE_MAX),
    ],
)
def test_titles(name: str, properties: dict[str, Any], title: str) -> None:
    assert failure(name, json.dumps(properties)).title == title


def test_error_events_are_of_the_type_or_of_the_names() -> None:
    for name in ("error", "exception"):
        assert type_of(name) == "error"
        assert is_error(Event(name=name, type="design"))  # as one format lets clients say
    assert is_error(Event(name="crash", type="error"))
    assert not is_error(Event(name="Error"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
SENT = st.dictionaries(st.sampled_from(["type", "message", "stack", "signature", "scene", "x"]), JSON)


@given(st.text(string.ascii_letters, min_size=1, max_size=20), st.one_of(SENT, JSON))
def test_any_event_has_one_short_key(name: str, sent: object) -> None:
    properties = json.dumps(sent)
    found = key(failure(name, properties))
    assert found == key(failure(name, properties))
    assert KEY.fullmatch(found)
    assert len(found) <= 60
    title = failure(name, properties).title
    assert title
    assert title == " ".join(title.split())
    assert len(title) <= TITLE_MAX


@given(st.text(max_size=300))
def test_properties_need_not_be_json(text: str) -> None:
    assert KEY.fullmatch(key(failure("error", text)))


@given(st.text(string.ascii_letters + " ", max_size=20), st.integers(0, 10**12), st.integers(0, 10**12))
def test_numbers_never_tell_issues_apart(text: str, one: int, other: int) -> None:
    assert of(message=f"{text} {one}.") == of(message=f"{text} {other}.")
    assert normalised(normalised(f"{text} {one}")) == normalised(f"{text} {one}")


@pytest.mark.parametrize("text", ["'", "“", '"a', "a.", "1:", "a@", "f" * 9, "http://", "0x", "-1", "::"])
def test_long_messages_take_no_time(text: str) -> None:
    assert len(normalised(text * 100_000)) <= 1000


# --- Rules of a project ---


def rules(*each: dict[str, Any]) -> Grouping:
    grouping = msgspec.convert({"rules": each}, Grouping)
    check_grouping(grouping)
    return grouping


def test_the_first_rule_that_fits_gives_the_key() -> None:
    grouping = rules(
        {"match": {"type": "Timeout", "message_contains": "carrier"}, "fingerprint": "carriers"},
        {"match": {"module": "rates.client"}, "fingerprint": "rates {scene}"},
        {"match": {"message_contains": "HS code"}, "fingerprint": "{message}"},
    )

    def ruled(name: str = "error", **properties: Any) -> str:
        return key_of(failure(name, json.dumps(properties)), grouping)

    carriers = ruled(type="Timeout", message="carrier 5", signature="s")
    assert carriers == ruled(type="Timeout", message="no carrier", stack='File "rates/client.py", line 1, in f')
    assert KEY.fullmatch(carriers)
    stack = 'File "a.py", line 3, in top\nFile "x/rates/client.py", line 1, in f'
    assert ruled(message="a", stack=stack, scene="x") == ruled(message="b", stack=stack, scene="x")
    assert ruled(message="a", stack=stack, scene="x") != ruled(message="a", stack=stack, scene="y")
    assert ruled(message="HS code 1") != ruled(message="HS code 2")
    assert ruled(message="other 1") == of(message="other 2")
    assert ruled(type="Timeout", message="m") == of(type="Timeout", message="m")


def test_refusals_name_the_field() -> None:
    with pytest.raises(Invalid, match=r"\$\.rules\[1\]\.match: give type, message_contains or module"):
        rules({"match": {"type": "a"}, "fingerprint": "f"}, {"match": {}, "fingerprint": "g"})
    with pytest.raises(Invalid, match=r"\$\.keys\[1\]: expected the key of an issue"):
        check_issue(Issue(keys=(ISSUE, "TypeError")))
    with pytest.raises(Invalid, match=r"\$\.keys: name each key once"):
        check_issue(Issue(keys=(ISSUE, ISSUE)))
    with pytest.raises(Invalid, match=r"\$\.ignored_until_events"):
        check_issue(Issue(keys=(ISSUE,), ignored_until_events=5))
    check_issue(Issue(keys=(ISSUE, "r1-0123456789abcdef0123"), status="ignored", ignored_until_events=5))
    with pytest.raises(msgspec.ValidationError, match="timezone"):
        msgspec.json.decode(f'{{"keys": ["{ISSUE}"], "resolved_at": "2026-05-06T12:00:00"}}', type=Issue)
