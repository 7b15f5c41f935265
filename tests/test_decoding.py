"""What every format's decoder relies on: envelopes and what is wrong with a body, properties, times."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker import decoding
from saastracker.errors import Invalid
from saastracker.event import PROPERTIES_MAX, YEAR_MS
from saastracker.testing import NOW


class Sent(msgspec.Struct):
    name: str
    properties: msgspec.Raw = decoding.ABSENT


SENT = msgspec.json.Decoder(Sent)


@given(body=st.binary(max_size=100))
def test_arbitrary_bytes_are_decoded_or_invalid(body: bytes) -> None:
    for decoder in (decoding.decode, decoding.decode_envelope):
        with contextlib.suppress(Invalid):
            decoder(SENT, body)


def test_one_event_is_not_larger_than_its_properties_can_make_it() -> None:
    with pytest.raises(Invalid, match="one event takes at most"):
        decoding.decode(SENT, b'{"name":"' + b"x" * decoding.EVENT_MAX + b'"}')


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
