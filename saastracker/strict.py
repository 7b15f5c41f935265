"""What strict JSON leaves out, looked for in the text: msgspec lets some of it through, a store may not hold it."""

import re
from math import isinf

from saastracker.errors import Invalid

NESTING_MAX = 32
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
DETAIL_MAX = 200  # characters of a client's own text that an error repeats
TOO_DEEP = f"The body nests deeper than {NESTING_MAX} levels."

# Every digit as 0, so that a search for zeros finds long numbers at the speed of memmem; a regular
# expression took longer than decoding the event.
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
_EXPONENT = re.compile(rb"0e\+?000+[\s,\]}]")  # the end tells a number from hexadecimal text

# No repeated group here is possessive: up to Python 3.11.4, Debian 12's among them, such a one matches wrongly where
# its inside steps back (python/cpython#106052). Each group is repeated a bounded number of times instead, because
# what it may step back to takes memory.
_PLAIN_STRINGS = re.compile(rb'"[^"]*+"')
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*"|[\[\]{},:]')
_NUMBER = re.compile(rb"[\d.eE+-]+")
_HARMLESS = re.compile(  # in a plain text, up to a number that may be too large
    rb'(?:[^"\d-]++|"[^"]*+"|-?\d{1,18}+(?:\.\d++)?(?:[eE][+-]?\d{1,2}+)?(?![\d.eE])){1,1000}'
)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_LOCATED = 64 * 1024  # bytes; what stands further in is not named by its path
_HALVES_MAX = 1024 * 1024  # bytes of a body in which halves of surrogate pairs are looked for
_HALF = re.compile(  # group 1; all other escapes match too, so that none is taken for part of the next
    rb"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)", re.IGNORECASE | re.DOTALL
)


def without_halves(body: bytes) -> bytes:
    """`body` with each half of a surrogate pair as a NUL, by which `decode` then refuses its element alone.

    A script that cuts a text in the middle of an emoji sends such a half, and msgspec refuses all of the body for it.
    """
    if len(body) > _HALVES_MAX:
        return body
    return _HALF.sub(lambda escape: rb"\u0000" if escape[1] else escape[0], body)


def suspect(body: bytes) -> bool:
    """Whether valid JSON may hold what a store may not; finds too much, never too little."""
    return body.count(b"{") + body.count(b"[") > NESTING_MAX or suspect_text(body)


def suspect_text(body: bytes) -> bool:
    if b"\\" in body and b"\\u0000" in body:
        return True
    digits = body.translate(_DIGITS)
    return b"0000000000000000000" in digits or _EXPONENT.search(digits) is not None


def unbalanced(body: bytes) -> bool:
    """Whether brackets, those in texts too, nest deeper than allowed or do not match."""
    brackets = body.translate(_BRACKETS, _OTHERS)
    for _ in range(NESTING_MAX):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def check(body: bytes) -> None:
    """Raises Invalid if valid JSON nests too deep or holds a NUL, an integer beyond 64 bits or an infinite number.

    It reads the text: values built from a hostile body of 16 MiB would take hundreds of megabytes.
    """
    plain = _plain(body)
    if (nul := plain.find(b"\\u0000")) >= 0:
        string = plain.rfind(b'"', 0, nul)
        raise Invalid(f"{_path(body, string)}: no text may hold a NUL character or half a surrogate pair")
    place = 0
    while place < len(plain):
        if harmless := _HARMLESS.match(plain, place):
            place = harmless.end()
            continue
        number = _NUMBER.match(plain, place)[0]  # type: ignore[index]  # what is harmful and no string is a number
        if not number.removeprefix(b"-").isdigit():
            if isinf(float(number)):
                raise Invalid(f"{_path(body, place)}: numbers must be finite")
        elif len(number) > 20 or not INTEGER_MIN <= int(number) <= INTEGER_MAX:
            raise Invalid(f"{_path(body, place)}: integers must fit in 64 bits")
        place += len(number)
    if unbalanced(_PLAIN_STRINGS.sub(b"", plain)):
        raise Invalid(TOO_DEEP)


def _plain(body: bytes) -> bytes:
    """`body`, as long as before, with no escaped backslash or quote: a quote is the end of a string there."""
    return body.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _path(body: bytes, place: int) -> str:
    """The path of the value or key at an offset of a JSON text; `$` when that is far in."""
    steps: list[int | bytes] = []
    text = b""
    for token in _TOKENS.findall(body, 0, place if place <= _LOCATED else 0):
        match token:
            case b"[":
                steps.append(0)
            case b"{":
                steps.append(b"")
            case b"]" | b"}":
                steps.pop()
            case b",":
                steps[-1] = steps[-1] + 1 if isinstance(steps[-1], int) else b""
            case b":":
                steps[-1] = text
            case _:
                text = token[1:-1]
    names = (f"[{step}]" if isinstance(step, int) else f".{step.decode()}" for step in steps if step != b"")
    return f"${''.join(names)}"[:DETAIL_MAX]
