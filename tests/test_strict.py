"""Strict JSON: exactly what a store can keep is taken, and what is refused is named, on every Python."""

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


class Sent(msgspec.Struct):
    name: str


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
