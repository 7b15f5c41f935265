"""Frames of stacks as Python, JavaScript, C# and Unity, Ruby, Java and Go write them."""

import re
from functools import lru_cache
from typing import NamedTuple

STACK_MAX = 32_768  # characters that are looked at
LINE_MAX = 1000
FRAMES_MAX = 100  # the newest


class Frame(NamedTuple):
    """One call of a stack. The same call in another release or on another machine differs in `line` only."""

    module: str  # the last two parts of a file's path, or a class
    function: str
    line: int | None
    own: bool  # of the product itself, not of a library or run time


_OLDEST_FIRST = "most recent call last"
# Linear in a line's length, whatever it holds: anyone can send one.
_PYTHON = re.compile(r'File "([^"]+)", line (\d{1,9})(?:, in (.+))?')
_RUBY = re.compile(r"(?:\d{1,4}: )?(?:from )?((?:[A-Za-z]:)?[^:]+):(\d{1,9}):in [`']([^']+)'")
_RUBY_WITHIN = re.compile(r"(?:(?:block|rescue|ensure)(?: \(\d+ levels\))? in )+")
_GO = re.compile(r"([^:]+\.go):(\d{1,9})(?: \+0x[0-9a-f]+)?")
_DOTNET = re.compile(r"\) (?:\[0x[0-9a-f]+\] )?in ")
_UNITY = re.compile(r"\) \(at ")
_POSITION = re.compile(r":(?:line )?(\d{1,9})(?::\d{1,9})?$")
_JVM = re.compile(r"[\w$-]+\.(?:java|kt|scala|groovy)|Native Method|Unknown Source")

_ORIGIN = re.compile(r"\A[A-Za-z][\w+.-]{0,30}://[^/]*")
_EXTENSION = re.compile(r"\.(?:[cm]?js|jsx|tsx?|vue|svelte|py|rb|cs|go)$")
_BUILD = re.compile(r"[.-](?:(?=[0-9a-f]*\d)[0-9a-f]{6,64}|(?=\w*\d)(?=\w*[A-Z])\w{8})$")
_COMPILED = re.compile(r"<(\w+)>[\w|]*(?:\.MoveNext)?$|\$\$Lambda.*$|(?<=\$)\d+$|`\d+|\[[^\]]*\]")

_FOREIGN_FILE = re.compile(
    r"site-packages/|dist-packages/|/lib/python\d|<frozen |node_modules/|^node:|^internal/|-extension://|"
    r"^<anonymous>|^native|^\[native|/gems/|/lib/ruby/|<internal:|/go/src/|/pkg/mod/|/vendor/"
)
_FOREIGN_CLASS = re.compile(
    r"(?:javax?|jdk|sun|com\.sun|kotlinx?|scala|androidx?|dalvik|org\.springframework|org\.apache|io\.netty|"
    r"System|Microsoft|Mono|UnityEngine|UnityEditor)(?:\.|$)"
)


def frames(stack: str) -> list[Frame]:
    """The calls of a stack that can be read, the newest first."""
    text = stack[:STACK_MAX]
    before, header, after = text.rpartition(f"({_OLDEST_FIRST})")
    if header:
        return (_frames(after) or _frames(before))[: -FRAMES_MAX - 1 : -1]
    return _frames(after)[:FRAMES_MAX]


def _frames(text: str) -> list[Frame]:
    """In the order of the text."""
    found: list[Frame] = []
    before = ""
    for line in text.splitlines():
        current = line[:LINE_MAX].strip()
        frame = _of_go(before, current) or _frame(current)
        if frame:
            found.append(frame)
        before = current
    return found


def _frame(text: str) -> Frame | None:
    if match := _PYTHON.match(text):
        return _in_file(match[1], match[3] or "", match[2], dotted=True)
    if text.startswith("at "):
        return _at(text[3:])
    if match := _RUBY.match(text):
        return _in_file(match[1], _RUBY_WITHIN.sub("", match[3]), match[2])
    if match := _UNITY.search(text):
        return _in_class(text[: match.start()], text[match.end() :].rstrip(")"))
    if text.endswith(".cs)") or (text.endswith(")") and ".cs:" in text):
        method, _, place = text[:-1].rpartition("(")
        return _in_class(method, place)
    return _at_sign(text)


def _at(text: str) -> Frame | None:
    """What follows `at`: JavaScript as Chrome writes it, Java or C#."""
    if match := _DOTNET.search(text):
        return _in_class(text[: match.start()], text[match.end() :])
    if " (eval at " in text:
        return Frame("", text.partition(" (eval at ")[0][:200], None, False)
    if not text.endswith(")"):
        return _script("", text.removeprefix("async "))
    caller, _, place = text[:-1].rpartition("(")
    file, line = _place(place)
    if _JVM.fullmatch(file) or file.endswith(".cs"):
        return _in_class(caller, place)
    if line is not None or place in {"<anonymous>", "native"} or place.startswith("index "):
        return _script(caller, place)
    return _in_class(caller, "")


def _at_sign(text: str) -> Frame | None:
    """JavaScript as Firefox and Safari write it."""
    caller, sign, place = text.partition("@")
    if not sign or (" " in caller and not caller.endswith(" code")):
        return None
    return _script(caller.rpartition("*")[2].split("/<")[0], place.split(" line ")[0] + _tail(place))


def _tail(place: str) -> str:
    """The position after `> eval`, which stands behind another one."""
    return place[place.rfind(":") :] if " line " in place else ""


def _script(caller: str, place: str) -> Frame | None:
    file, line = _place(place)
    if line is None and place != "[native code]" and not caller:
        return None
    name = caller.strip().removeprefix("async ").removeprefix("new ").split(" [as ")[0]
    if line is None:
        return Frame("", name[:200], None, False)
    return _in_file(file, "" if name == "<anonymous>" else name, str(line))


def _of_go(before: str, text: str) -> Frame | None:
    match = _GO.fullmatch(text)
    if not match or not before:
        return None
    call = before.removeprefix("created by ").split(" in goroutine ")[0]
    name = call[: call.rfind("(")] if call.endswith(")") else call
    path, _, tail = name.rpartition("/")
    package, _, function = tail.partition(".")
    own = not _FOREIGN_FILE.search(match[1]) and bool(function)
    return Frame(_short(f"{path}/{package}"), function or package, int(match[2]), own)


def _in_file(file: str, function: str, line: str, *, dotted: bool = False) -> Frame:
    module = _short(file)
    own = not _FOREIGN_FILE.search(file.replace("\\", "/"))
    return Frame(module.replace("/", ".") if dotted else module, function.strip()[:200], int(line), own)


def _in_class(method: str, place: str) -> Frame | None:
    """A method with its class before it, and perhaps its arguments behind."""
    name = method.partition("(")[0].strip().rpartition("/")[2].replace(":", ".").replace("+", ".")
    name = _COMPILED.sub(r"\1", name)
    module, _, function = name.rpartition(".")
    if not name or " " in name:
        return None
    return Frame(module[-200:], function[:200], _place(place)[1], not _FOREIGN_CLASS.match(name))


def _place(text: str) -> tuple[str, int | None]:
    match = _POSITION.search(text)
    return (text[: match.start()], int(match[1])) if match else (text, None)


@lru_cache(maxsize=1024)
def _short(file: str) -> str:
    """The last two parts of a path, without what builds and hosts add."""
    path = _ORIGIN.sub("", file.replace("\\", "/")).split("?")[0].split("#")[0]
    parts = [part for part in path.split("/") if part not in {"", ".", ".."}][-2:]
    if not parts:
        return ""
    parts[-1] = _BUILD.sub("", _EXTENSION.sub("", parts[-1]))
    return "/".join(parts)[-200:]
