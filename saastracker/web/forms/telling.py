"""What a form tells people: what is wrong with which field, and what a value says, line by line."""

import re
from collections.abc import Iterator

from saastracker.web.forms.shapes import Flag, Group, Maybe, Pairs, Rows, Shape
from saastracker.web.forms.trees import ROOT, ROW, Tree, find


def misplaced(shape: Shape, tree: Tree, detail: str) -> tuple[str, str]:
    """The field that a message of Invalid is about, and what it says in words; `$` where there is no such field."""
    head, _, text = detail.partition(": ")
    match = re.search(r"\$[^`]*", head)
    path, text = (match[0], text) if match else (ROOT, detail)
    said = in_words(text)
    while path != ROOT and find(shape, tree, path) is None:
        shorter = re.sub(r"(\.[^.\[\]]+|\[[^\[\]]*\])\Z", "", path)
        if (line := ROW.fullmatch(path)) and _is_lines(shape, tree, shorter):
            said = f"Line {int(line[2]) + 1}: {said[:1].lower()}{said[1:]}"
        path = shorter if shorter != path else ROOT
    return path, said


def _is_lines(shape: Shape, tree: Tree, path: str) -> bool:
    found = find(shape, tree, path)
    return found is not None and isinstance(found[1], str)


def in_words(text: str) -> str:
    """What msgspec says of a value, as people say it."""
    for pattern, words in _WORDS:
        if match := re.match(pattern, text):
            number = match[1] if match.groups() else ""
            return words.format(number).replace(" 1 characters", " 1 character")
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?")) else ".")


_WORDS = (
    (r"Expected `int(?: \| null)?`, got", "Type a whole number."),
    (r"Expected `float(?: \| null)?`, got", "Type a number."),
    (r"Expected `(?:int|float)` >= (\S+)", "At least {0}."),
    (r"Expected `(?:int|float)` <= (\S+)", "At most {0}."),
    (r"Expected `str` of length >= 1\Z", "Type something here."),
    (r"Expected `str` of length >= (\d+)", "At least {0} characters."),
    (r"Expected `str` of length <= (\d+)", "At most {0} characters."),
    (r"Expected `(?:array|object)` of length >= (\d+)", "Give at least {0}."),
    (r"Expected `(?:array|object)` of length <= (\d+)", "At most {0}."),
    (r"Invalid enum value", "Choose one."),
    (r"Invalid RFC3339 encoded date\Z", "Write a date, such as 2026-11-21."),
    (r"Invalid RFC3339", "Write a time with its zone, such as 2026-11-21T09:00Z."),
)


def leaves(shape: Shape, tree: Tree, label: str = "") -> Iterator[tuple[str, str]]:
    """What a form says, line by line: labels and texts, for people to compare; nothing that is left out."""
    match shape:
        case Group(fields=parts):
            for name, part in parts:
                yield from leaves(part, tree[name], f"{label} / {part.label}" if label else part.label)
        case Maybe(of=of):
            for each in tree:
                yield from leaves(of, each, label)
        case Rows(of=of) if isinstance(tree, list):
            for row, each in enumerate(tree, 1):
                yield from leaves(of, each, f"{label} {row}")
        case Pairs(of=of):
            for each in tree:
                yield from leaves(of, each["value"], f"{label} / {each['key']}")
        case Flag():
            yield label, "Yes" if tree else "No"
        case _ if tree:
            yield label, tree
