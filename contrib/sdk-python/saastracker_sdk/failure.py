"""What went wrong, as reports on errors read it: a type, a message, a stack, or a signature in place of these."""

import json
import traceback
from collections.abc import Mapping
from logging import LogRecord
from typing import Any, NamedTuple

from saastracker_sdk.encoding import shown

MESSAGE_BYTES = 4 * 1024  # with the stack within the 32 KiB that the server takes of an event's properties
STACK_BYTES = 20 * 1024
TYPE_CHARACTERS = 100

_HEADER = "Traceback (most recent call last):\n"


class Failure(NamedTuple):
    """Failures of the same type with alike messages and the same innermost calls are one issue; so are all with the
    same signature."""

    type: str
    message: str
    stack: str = ""
    signature: str | None = None

    @classmethod
    def of(cls, error: "Failure | BaseException") -> "Failure":
        if isinstance(error, Failure):
            return error
        kind = type(error)
        name = (
            kind.__qualname__
            if kind.__module__ in {"builtins", "__main__"}
            else f"{kind.__module__}.{kind.__qualname__}"
        )
        try:
            message = str(error)
        except Exception:  # an exception's own __str__
            message = ""
        return cls(name[:TYPE_CHARACTERS], _head(message), _stack(error))

    @classmethod
    def logged(cls, record: LogRecord) -> "Failure":
        """Of a record without an exception all that come from the same text are one issue, whatever is filled in."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            error = cls.of(record.exc_info[1])
            return error._replace(message=error.message or _head(message))
        place = f'{_HEADER}  File "{record.pathname}", line {record.lineno}, in {record.funcName}\n'
        signature = f"{record.name}: {record.msg}" if record.args else None
        return cls(record.name[:TYPE_CHARACTERS], _head(message), place, signature and signature[:1000])

    def properties(self, beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Those of an event that tells of it, with what a program has to say `beside`: what is no mapping is told as
        Python prints it, as an error is not kept back for that."""
        said = {"type": self.type, "message": self.message, "stack": self.stack, "signature": self.signature}
        try:
            others = dict(beside or {})
        except Exception:  # a program's own mapping may raise anything
            others = {"properties": shown(beside)}
        return others | {name: text for name, text in said.items() if text}


def _stack(error: BaseException) -> str:
    """The traceback with those of its causes, where that is not too long; else the innermost calls of its own."""
    whole = _readable("".join(traceback.format_exception(error)))
    if _size(whole) <= STACK_BYTES:
        return whole
    calls = _readable("".join(traceback.format_tb(error.__traceback__))).encode()[-STACK_BYTES:]
    return _HEADER + calls.decode(errors="ignore").partition("\n")[2]


def _head(text: str) -> str:
    text = _readable(text)[:MESSAGE_BYTES]
    while _size(text) > MESSAGE_BYTES:
        text = text[: len(text) // 2]
    return text


def _readable(text: str) -> str:
    """Without what a server takes in no text: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _size(text: str) -> int:
    """In JSON, which has six bytes for a control character."""
    return len(json.dumps(text, ensure_ascii=False).encode())
