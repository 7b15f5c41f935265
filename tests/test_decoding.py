"""What every format's decoder relies on: strict JSON, properties, times."""

import contextlib
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import saastracker
from saastracker import decoding
from saastracker.errors import Invalid
from saastracker.event import PROPERTIES_MAX, YEAR_MS
from saastracker.testing import NOW


class Sent(msgspec.Struct):
    name: str
    properties: msgspec.Raw = decoding.ABSENT


SENT = msgspec.json.Decoder(Sent)


def decode(text: bytes) -> Sent:
    """A body that holds this JSON text where the decoder does not look."""
    return decoding.decode(SENT, b'{"name":"a","unknown":' + text + b"}")


def allowed(value: Any, depth: int = 1) -> bool:
    """The rule as the documentation words it, on values instead of text."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, dict):
        return depth < 32 and all(allowed(key) and allowed(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return depth < 32 and all(allowed(item, depth + 1) for item in value)
    return True


NUMBERS = st.one_of(
    st.integers(-(2**65), 2**65),
    st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1, 10**18, 10**19, 10**40]),
    st.floats(allow_nan=False, allow_infinity=False),
).map(json.dumps) | st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
TEXTS = st.text(st.sampled_from('\0\\"u0{}[]:,1e9é😀 \n'), max_size=12).map(json.dumps)
JSON_TEXTS = st.recursive(
    NUMBERS | TEXTS | st.sampled_from(["null", "true", "false"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{' , '.join(items)}]")
        | st.lists(st.tuples(TEXTS, inner), max_size=4).map(
            lambda items: "{" + ",".join(f"{key}: {item}" for key, item in items) + "}"
        )
    ),
    max_leaves=20,
)


@given(text=JSON_TEXTS, levels=st.sampled_from([0, 0, 0, 27, 29, 30, 31, 32, 60]))
def test_exactly_what_a_store_can_keep_is_taken(text: str, levels: int) -> None:
    text = "[" * levels + text + "]" * levels
    # A repeated name hides its first value from json.loads; the pairs keep it.
    value = json.loads(text, object_pairs_hook=lambda pairs: {f"{i}{key}": item for i, (key, item) in enumerate(pairs)})
    try:
        decode(text.encode())
    except Invalid:
        assert not allowed(value)
    else:
        assert allowed(value)


@given(body=st.binary(max_size=100))
def test_arbitrary_bytes_are_decoded_or_invalid(body: bytes) -> None:
    for decoder in (decoding.decode, decoding.decode_envelope):
        with contextlib.suppress(Invalid):
            decoder(SENT, body)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (rb'{"a":[1,{"b":"x\u0000"}]}', "$.unknown.a[1].b: no text may hold a NUL character or half a surrogate pair"),
        (rb'{"a":1,"\u0000":2}', "$.unknown: no text may hold a NUL character or half a surrogate pair"),
        (rb'["\\\\\u0000"]', "$.unknown[0]: no text may hold a NUL character or half a surrogate pair"),
        (b'{"a":{},"b":[[],9223372036854775808]}', "$.unknown.b[1]: integers must fit in 64 bits"),
        (b"-9223372036854775809", "$.unknown: integers must fit in 64 bits"),
        (b"1e400", "$.unknown: numbers must be finite"),
        (b"[-1e309]", "$.unknown[0]: numbers must be finite"),
        (b"1" + b"0" * 400 + b".5", "$.unknown: numbers must be finite"),
        (b"[" * 32 + b"]" * 32, "The body nests deeper than 32 levels."),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "The body nests deeper than 32 levels."),
        (b'"\xff"', "The body is not UTF-8 (byte 23)."),
    ],
)
def test_what_is_refused_is_named(text: bytes, detail: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode(text)
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 31 + b"]" * 31,
        b'"' + b"[{" * 100 + b'"',
        rb'"\\u0000"',
        b"9223372036854775807",
        b"-9223372036854775808",
        b"1e308",
        b"0.0000000000000000000000001e300",
        b"12345678901234567890.5",
        b'"12345678901234567890 1e999"',
        b'"0e0000000000000000000000000000000000000000"',
    ],
)
def test_what_only_looks_suspicious_is_taken(text: bytes) -> None:
    assert decode(text).name == "a"


def test_every_python_here_reads_alike() -> None:
    """Regular expressions that 3.11.7 matched rightly let NULs pass on 3.11.2, which Debian 12 has."""
    program = """
import sys, types
package = sys.modules["saastracker"] = types.ModuleType("saastracker")  # without what it imports
package.__path__ = [sys.argv[1]]
from saastracker import errors, strict
for text in sys.argv[2:]:
    try:
        strict.check(text.encode())
    except errors.Invalid as error:
        print(error.detail)
    else:
        print("taken")
"""
    texts = {
        r'{"a\\":[1,"\"\u0000"]}': "$.a\\\\[1]: no text may hold a NUL character or half a surrogate pair",
        r'["\\u0000","\\\"{[",-1.5e+3,12,null]': "taken",
        '[1.0,"9",9223372036854775808]': "$[2]: integers must fit in 64 bits",
        '{"a":{"b":[1e100,0.5,1e400]}}': "$.a.b[2]: numbers must be finite",
    }
    folder = Path(saastracker.__file__).parent
    names = ["python3", "python", "/usr/bin/python3", *(f"python3.{minor}" for minor in range(11, 16))]
    found = {str(Path(path).resolve()) for name in names if (path := shutil.which(name))} | {sys.executable}
    for python in sorted(found):
        version = subprocess.run(
            [python, "-c", "import sys; print(sys.version_info >= (3, 11))"], check=False, capture_output=True
        )
        if version.stdout.strip() == b"True":
            line = [python, "-c", program, str(folder), *texts]
            told = subprocess.run(line, check=True, capture_output=True, text=True).stdout.splitlines()
            assert (python, told) == (python, [*texts.values()])


def test_what_stands_far_in_is_refused_without_its_path() -> None:
    with pytest.raises(Invalid, match=r"^\$: no text may hold a NUL character or half a surrogate pair$"):
        decode(b'["' + b"x" * 70_000 + rb'","\u0000"]')


@pytest.mark.parametrize("body", [b"[" + b'"\\\\\\\\",' * 30_000 + b"1]", b"[" + b"[]," * 60_000 + b"[]]"])
def test_suspicious_bodies_are_read_to_their_end(body: bytes) -> None:
    decode(body)
    with pytest.raises(Invalid, match="finite"):
        decode(body[:-1] + b",1e400]")


def test_one_event_is_not_larger_than_its_properties_can_make_it() -> None:
    with pytest.raises(Invalid, match="one event takes at most"):
        decode(b'"' + b"x" * decoding.EVENT_MAX + b'"')


def test_a_wrong_field_is_named_by_its_path_and_long_values_are_not_repeated() -> None:
    with pytest.raises(Invalid, match=r"^\$\.name: Expected `str`, got `int`$"):
        decoding.decode(SENT, b'{"name":5}')
    kind = msgspec.json.Decoder(dict[str, msgspec.Raw])
    with pytest.raises(Invalid, match=r"^\$: Expected `object`, got `array`$"):
        decoding.decode(kind, b"[]")


@pytest.mark.parametrize(
    ("body", "place"),
    [(b"", "line 1 column 1"), (b'{"name": }', "line 1 column 10"), (b'{\n "name": "a",\n}', "line 3 column 1")],
)
def test_malformed_json_is_named_by_its_place(body: bytes, place: str) -> None:
    with pytest.raises(Invalid) as caught:
        decoding.decode(SENT, body)
    assert caught.value.detail.startswith("The body is not valid JSON: ")
    assert place in caught.value.detail


def test_an_envelope_leaves_its_elements_to_be_looked_at_one_by_one() -> None:
    decoder = msgspec.json.Decoder(list[msgspec.Raw])
    good, bad = decoding.decode_envelope(decoder, rb'[{"name":"a"},{"name":"\u0000"}]')
    assert decoding.decode(SENT, bytes(good)).name == "a"
    with pytest.raises(Invalid):
        decoding.decode(SENT, bytes(bad))


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (rb"\ud83d\ude00", True),  # a whole pair
        (rb"\\ud83d", True),  # a backslash, then letters
        (rb"\\\uD83D", False),
        (rb"\ud83d", False),
        (rb"\ude00", False),
        (rb"\ud83d\ud83d\ude00", False),
        (rb"\ud83d\u0041", False),
    ],
)
def test_half_a_surrogate_pair_harms_only_its_element(text: bytes, taken: bool) -> None:
    decoder = msgspec.json.Decoder(list[msgspec.Raw])
    first, cut, last = decoding.decode_envelope(decoder, b'[{"name":"a"},{"name":"%b"},{"name":"c"}]' % text)
    assert [decoding.decode(SENT, bytes(good)).name for good in (first, last)] == ["a", "c"]
    if taken:
        assert decoding.decode(SENT, bytes(cut)).name == json.loads(b'"%b"' % text)
    else:
        with pytest.raises(Invalid, match=r"^\$\.name: no text may hold a NUL character or half a surrogate pair$"):
            decoding.decode(SENT, bytes(cut))


def test_malformed_json_with_half_a_surrogate_pair_stays_malformed() -> None:
    with pytest.raises(Invalid, match="not valid JSON"):
        decoding.decode_envelope(msgspec.json.Decoder(list[msgspec.Raw]), rb'["\ud83d", "\ud8"x"]')


# --- Properties ---


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", None),
        (b'{"properties":null}', None),
        (b'{"properties": {} }', None),
        (b'{"properties": {"b": 1.50, "a": [1, "x"]} }', '{"b": 1.50, "a": [1, "x"]}'),
        (b'{"properties": {"\\u0063 \\"": 1.50, "a": [1, "\\u00e9"]} }', '{"c \\"":1.50,"a":[1, "\\u00e9"]}'),
    ],
)
def test_properties_are_kept_as_sent(body: bytes, expected: str | None) -> None:
    raw = decoding.decode(SENT, body[:-1] + (b"," if len(body) > 2 else b"") + b'"name":"a"}').properties
    assert decoding.properties(raw, "$.properties") == expected


@pytest.mark.parametrize("text", ["[]", '"a"', "1", "true"])
def test_properties_are_an_object(text: str) -> None:
    with pytest.raises(Invalid, match=r"^\$\.properties: Expected `object`$"):
        decoding.properties(msgspec.Raw(text), "$.properties")


FRAME = len('{"a":""}')
SIZES = [
    ('{"a":"' + "x" * (PROPERTIES_MAX - FRAME) + '"}', True),
    ('{"a":"' + "x" * (PROPERTIES_MAX - FRAME + 1) + '"}', False),
    ('{"a":"' + "é" * ((PROPERTIES_MAX - FRAME) // 2) + '"}', True),
    ('{"a":"' + "é" * ((PROPERTIES_MAX - FRAME) // 2 + 1) + '"}', False),
    (json.dumps(dict.fromkeys(map(str, range(255)))), True),
    (json.dumps(dict.fromkeys(map(str, range(256)))), False),
    (json.dumps({"a": dict.fromkeys(map(str, range(256)))}), True),
    (json.dumps({"a": ":" * 300}), True),
]


@pytest.mark.parametrize(("text", "fits"), SIZES)
def test_properties_hold_32_kib_and_255_keys(text: str, fits: bool) -> None:
    if fits:
        decoding.check_size(text, "$.data")
    else:
        with pytest.raises(Invalid, match=r"^\$\.data: at most "):
            decoding.check_size(text, "$.data")


def test_properties_are_encoded_from_values_and_raw_text() -> None:
    assert decoding.encode_properties({}, "$") is None
    assert decoding.encode_properties({"a": 1, "b": msgspec.Raw(b"[1.50]")}, "$") == '{"a":1,"b":[1.50]}'


# --- Times ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-06T12:34:56Z", 1_778_070_896_000),
        ("2026-05-06T12:34:56.789Z", 1_778_070_896_789),
        ("2026-05-06T12:34:56.789123+00:00", 1_778_070_896_789),
        ("2026-05-06T12:34:56.7896", 1_778_070_896_790),
        ("2026-05-06 14:34:56+02:00", 1_778_070_896_000),
        (" 2026-05-06T12:34:56Z ", 1_778_070_896_000),
        ("2026-05-06", 1_778_025_600_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_iso_times(text: str, expected: int) -> None:
    assert decoding.iso_time(text, NOW, "$.ts") == expected


@pytest.mark.parametrize(
    "text", ["", "now", "1778070896", "2026-13-01", "2026-05-06T25:00:00Z", "x" * 100_000, "\ud800"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Invalid, match=r"^\$\.ts: Expected an ISO 8601 time"):
        decoding.iso_time(text, NOW, "$.ts")


@pytest.mark.parametrize(
    "text",
    ["1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2027-06-06T00:00:00Z"],
)
def test_times_beyond_the_range(text: str) -> None:
    with pytest.raises(Invalid, match=r"^\$\.ts: "):
        decoding.iso_time(text, NOW, "$.ts")


@given(st.text(max_size=40) | st.datetimes().map(lambda moment: moment.isoformat()))
def test_any_text_is_a_time_in_range_or_invalid(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert 0 <= decoding.iso_time(text, NOW, "$") <= NOW + YEAR_MS


@pytest.mark.parametrize(("ms", "fits"), [(0, True), (-1, False), (NOW + YEAR_MS, True), (NOW + YEAR_MS + 1, False)])
def test_the_range_of_times(ms: int, fits: bool) -> None:
    if fits:
        assert decoding.check_time(ms, NOW, "$") == ms
    else:
        with pytest.raises(Invalid):
            decoding.check_time(ms, NOW, "$")
