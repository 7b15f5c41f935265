"""What every WireFormat must keep: subclass `WireFormatContract` in a test module and fill in the first part."""

import json
import math
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saastracker.errors import Forbidden, Invalid
from saastracker.event import (
    ENVIRONMENT_MAX,
    NAME_MAX,
    PATH_MAX,
    PLAN_MAX,
    PROPERTIES_MAX,
    PROPERTY_KEYS_MAX,
    TYPES,
    VALUE_MAX,
    YEAR_MS,
    Event,
)
from saastracker.testing import NOW, PROJECT, request
from saastracker.wire import Decoded, Outcome, Policy, Project, Rejected, Request, Sender, TooFast, WireFormat

DETAIL_MAX = 500  # characters of an error's text: answers and pages show it

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**22), 10**22) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_hypothesis = settings(suppress_health_check=[HealthCheck.differing_executors], deadline=None)


def check_event(event: Event, now: int = NOW) -> None:
    """Fails unless the event is one that every store can keep."""
    limits = {
        "name": NAME_MAX,
        "user": NAME_MAX,
        "anonymous": NAME_MAX,
        "org": NAME_MAX,
        "session": NAME_MAX,
        "path": PATH_MAX,
        "environment": ENVIRONMENT_MAX,
        "release": NAME_MAX,
        "plan": PLAN_MAX,
        "referrer": PATH_MAX,
        "source": PATH_MAX,
        "medium": PATH_MAX,
        "campaign": PATH_MAX,
    }
    for field, limit in limits.items():
        text = getattr(event, field)
        if text is None:
            assert field not in {"name", "environment"}
            continue
        assert 1 <= len(text) <= limit, field
        assert "\0" not in text, field
        text.encode()  # a lone surrogate has no UTF-8
    assert event.type in TYPES
    assert event.time is None or (type(event.time) is int and 0 <= event.time <= now + YEAR_MS)
    assert event.value is None or abs(event.value) <= VALUE_MAX
    assert event.id is None or len(event.id) == 16
    assert (event.sequence, event.drop) == (0, None)
    if event.properties is not None:
        assert len(event.properties.encode()) <= PROPERTIES_MAX
        assert 1 <= len(_keepable(event.properties)) <= PROPERTY_KEYS_MAX
    if event.traits is not None:
        assert _keepable(event.traits).keys() <= {"user", "company"}


def _keepable(text: str) -> dict[str, Any]:
    """A JSON object in which every store finds only what it can keep."""
    value = msgspec.json.decode(text)
    assert isinstance(value, dict)
    todo: list[Any] = [value]
    while todo:
        match todo.pop():
            case dict() as item:
                todo += [*item.keys(), *item.values()]
            case list() as item:
                todo += item
            case str() as item:
                assert "\0" not in item
            case int() as item:
                assert -(2**63) <= item < 2**63
            case float() as item:
                assert math.isfinite(item)
    return value


def _written(value: Any) -> bytes:
    """JSON as the standard library writes it: NaN, lone surrogates and big integers too."""
    return json.dumps(value).encode()


class WireFormatContract:
    """Override `make` and `sample`; `envelope` and `batches` for a format that takes several events at once."""

    batches = False  # whether one bad event of a request is rejected alone
    properties: str | None = "properties"  # the field with the free properties, None if there is none

    def make(self) -> WireFormat:
        """The format under test."""
        raise NotImplementedError

    def sample(self) -> dict[str, Any]:
        """One valid event with every field the format knows."""
        raise NotImplementedError

    def envelope(self, events: list[Any]) -> Any:
        """The JSON value of a request with these events (one, where `batches` is false)."""
        return events[0]

    def request(self, body: bytes) -> Request:
        """A request with this body, otherwise as the format wants it."""
        return request(body, path=self.make().endpoints[0].path)

    def spoil(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event, made invalid."""
        return {**event, "unknown": "\0"}

    @pytest.fixture
    def form(self) -> WireFormat:
        return self.make()

    def decode(self, body: bytes, project: Project = PROJECT) -> Decoded | None:
        """What the format makes of a body, checked; None if it refuses the request as the contract allows."""
        decoded, details = None, []
        try:
            decoded = self.make().decode(self.request(body), project)
            details = [rejected.detail for rejected in decoded.rejected]
        except (Invalid, Forbidden) as refusal:
            details = [refusal.detail]
        assert all(1 <= len(detail) <= DETAIL_MAX for detail in details)
        if decoded is None:
            return None
        for event in decoded.events:
            check_event(event)
        indexes = [rejected.index for rejected in decoded.rejected]
        assert indexes == sorted(set(indexes))
        return decoded

    def takes(self, text: bytes) -> bool:
        """Whether the format takes an event with this JSON text."""
        mark = "51ac07e0-5f0c-4c4f-9d64-7a4c4bb2b7d5"
        body = msgspec.json.encode(self.envelope([mark])).replace(f'"{mark}"'.encode(), text)
        decoded = self.decode(body)
        return decoded is not None and bool(decoded.events)

    def with_field(self, name: str, text: bytes) -> bytes:
        """The sample as JSON, with one field set to a JSON text."""
        others = {key: value for key, value in self.sample().items() if key != name}
        return msgspec.json.encode(others)[:-1] + b"," + msgspec.json.encode(name) + b":" + text + b"}"

    def test_it_says_where_and_to_whom_it_is_offered(self, form: WireFormat) -> None:
        assert form.name
        assert form.endpoints
        for endpoint in form.endpoints:
            assert endpoint.path.startswith("/")
            assert not endpoint.path.endswith("/")
            assert endpoint.scheme
        assert isinstance(form.cors, bool)
        assert form.sender in get_args(Sender)
        assert form.over_budget in get_args(Policy)
        assert form.too_fast in get_args(TooFast)

    def test_the_sample_is_taken(self) -> None:
        decoded = self.decode(msgspec.json.encode(self.envelope([self.sample()])))
        assert decoded is not None
        assert len(decoded.events) == 1
        assert not decoded.rejected

    def test_unknown_keys_never_fail(self) -> None:
        assert self.takes(self.with_field("unknown", b'{"a":[1,-2.5e3,null,true,"\\n\\u00e9\\ud83d\\ude00\\\\u0000"]}'))
        assert self.takes(self.with_field("unknown", str(2**63 - 1).encode()))
        assert self.takes(self.with_field("unknown", str(-(2**63)).encode()))

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(rb'"a\u0000"', id="NUL"),
            pytest.param(rb'{"a\u0000":1}', id="NUL in a key"),
            pytest.param(rb'"\\\u0000"', id="NUL after a backslash"),
            pytest.param(rb'"\ud800"', id="lone surrogate"),
            pytest.param(b"1" + b"0" * 40, id="10**40"),
            pytest.param(str(2**63).encode(), id="2**63"),
            pytest.param(str(-(2**63) - 1).encode(), id="-2**63-1"),
            pytest.param(b"1e400", id="1e400"),
            pytest.param(b"NaN", id="NaN"),
            pytest.param(b"[" * 33 + b"]" * 33, id="33 levels"),
            pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="100 000 levels"),
            pytest.param(b"[" * 1_000_000, id="unclosed"),
            pytest.param(b'"\xff"', id="not UTF-8"),
            pytest.param(b'"\n"', id="control character"),
            pytest.param(b"", id="nothing"),
        ],
    )
    def test_what_no_store_can_keep_is_refused_wherever_it_stands(self, text: bytes) -> None:
        assert not self.takes(self.with_field("unknown", text))
        if self.properties is not None:
            assert not self.takes(self.with_field(self.properties, b'{"a":' + text + b"}"))

    def test_properties_keep_their_limits(self) -> None:
        if self.properties is None:
            return
        many = {f"k{index}": index for index in range(PROPERTY_KEYS_MAX + 1)}
        assert not self.takes(self.with_field(self.properties, msgspec.json.encode(many)))
        assert not self.takes(self.with_field(self.properties, msgspec.json.encode({"a": "é" * (PROPERTIES_MAX // 2)})))
        assert self.takes(self.with_field(self.properties, msgspec.json.encode({"a": "x" * (PROPERTIES_MAX // 2)})))

    @pytest.mark.parametrize(
        "body", [b"", b" ", b"null", b"1", b'"a"', b"[]", b"{}", b"{", b"\xef\xbb\xbf{}", b"[null]"]
    )
    def test_a_body_without_an_event_is_refused(self, body: bytes, form: WireFormat) -> None:
        with pytest.raises(Invalid):
            form.decode(self.request(body), PROJECT)

    def test_a_bad_event_harms_no_other(self) -> None:
        if not self.batches:
            return
        good, bad = self.sample(), self.spoil(self.sample())
        decoded = self.decode(msgspec.json.encode(self.envelope([bad, good, 5, good, bad])))
        assert decoded is not None
        assert len(decoded.events) == 2
        assert [rejected.index for rejected in decoded.rejected] == [0, 2, 4]

    def test_a_spoiled_event_names_the_field(self, form: WireFormat) -> None:
        body = msgspec.json.encode(self.envelope([self.spoil(self.sample())]))
        try:
            detail = form.decode(self.request(body), PROJECT).rejected[0].detail
        except Invalid as refusal:
            detail = refusal.detail
        assert "$" in detail

    @given(body=st.binary(max_size=200))
    @_hypothesis
    def test_arbitrary_bytes(self, body: bytes) -> None:
        self.decode(body)

    @given(data=st.data())
    @_hypothesis
    def test_a_request_cut_or_with_bytes_changed(self, data: st.DataObject) -> None:
        body = bytearray(msgspec.json.encode(self.envelope([self.sample()])))
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(body)))
            body[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        self.decode(bytes(body))

    @given(data=st.data(), value=_json)
    @_hypothesis
    def test_arbitrary_values_of_every_field(self, data: st.DataObject, value: Any) -> None:
        sample = self.sample()
        field = data.draw(st.sampled_from(sorted(sample)))
        self.decode(_written(self.envelope([{**sample, field: value}])))

    @given(value=_json)
    @_hypothesis
    def test_arbitrary_json(self, value: Any) -> None:
        self.decode(_written(value))
        self.decode(_written(self.envelope([value])))

    @pytest.mark.parametrize(
        "outcome",
        [
            Outcome(1),
            Outcome(0),
            Outcome(2, (Rejected(1, '"\\\n\u2028é$.a: wrong'),)),
            Outcome(0, (Rejected(0, "wrong"),)),
        ],
    )
    def test_every_answer_is_a_json_object(self, form: WireFormat, outcome: Outcome) -> None:
        reply = form.reply(outcome)
        assert 200 <= reply.status < 500
        assert isinstance(msgspec.json.decode(reply.body), dict)
        if outcome.accepted:
            assert reply.status < 300
