"""What is typed into a form, as a tree beside its shape: from its fields, from a value, and back to a value.

The name of a field is its path in the value, as messages of wrong values have it: `$.rules[0].name`.
Leaves are texts, a flag's is "on" or ""; lists, mappings and structs that may be left out are lists.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from saastracker.errors import Invalid
from saastracker.web.forms.shapes import Choice, Flag, Group, Json, Maybe, Number, Pairs, Rows, Scalar, Shape, Text

Tree: TypeAlias = Any  # str | list[Tree] | dict[str, Tree]
ROOT = "$"

ROW = re.compile(r"(.+)\[(\d{1,4})\]")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,4})\]")


# --- From fields ---


def gathered(shape: Shape, fields: Mapping[str, str]) -> Tree:
    """What a form sent. Rows are those of which it sent the name, in order, without gaps."""
    rows: dict[str, set[int]] = {}
    for name in fields:
        if match := ROW.fullmatch(name):
            rows.setdefault(match[1], set()).add(int(match[2]))

    def gather(shape: Shape, path: str) -> Tree:
        match shape:
            case Group(fields=parts):
                return {name: gather(part, f"{path}.{name}") for name, part in parts}
            case Maybe(of=of):
                return [gather(of, path)] if path in fields else []
            case Rows() if shape.lines and path in fields:
                return _text(fields, path)
            case Rows(of=of):
                return [gather(of, f"{path}[{row}]") for row in sorted(rows.get(path, ()))]
            case Pairs(of=of):
                return [_pair(gather, of, fields, f"{path}[{row}]") for row in sorted(rows.get(path, ()))]
            case _:
                return _text(fields, path)

    return gather(shape, ROOT)


def _pair(gather: Any, of: Shape, fields: Mapping[str, str], path: str) -> Tree:
    return {"key": _text(fields, f"{path}.key"), "value": gather(of, f"{path}.value")}


def _text(fields: Mapping[str, str], path: str) -> str:
    return fields.get(path, "").replace("\r\n", "\n")  # as browsers send line breaks


# --- From a value ---


def blank(shape: Shape) -> Tree:  # noqa: PLR0911  # one for each kind of shape
    """An empty form: defaults, and as many rows as there must be."""
    if shape.default is not msgspec.UNSET:
        return typed(shape, shape.default)
    match shape:
        case Group(fields=parts):
            return {name: blank(part) for name, part in parts}
        case Rows() if shape.lines:
            return ""
        case Rows(of=of, least=least, optional=optional):
            return [] if optional else [blank(of) for _ in range(least)]
        case Pairs(of=of, least=least, optional=optional):
            return [] if optional else [{"key": "", "value": blank(of)} for _ in range(least)]
        case Maybe():
            return []
        case Choice(options=options, optional=False):
            return options[0][0]
        case _:
            return ""


def typed(shape: Shape, value: Any) -> Tree:  # noqa: PLR0911  # one for each kind of shape
    """What one would type for a value, given as JSON has it; fields that it leaves out have their defaults."""
    match shape:
        case Group(fields=parts):
            return {name: typed(part, value[name]) if name in value else blank(part) for name, part in parts}
        case Maybe(of=of):
            return [] if value is None else [typed(of, value)]
        case Rows() if shape.lines and all(_is_line(text) for text in value or ()):
            return "\n".join(value or ())
        case Rows(of=of):
            return [typed(of, each) for each in value or ()]
        case Pairs(of=of):
            return [{"key": key, "value": typed(of, each)} for key, each in (value or {}).items()]
        case Json():
            left_out = value is None and shape.optional
            return "" if left_out else msgspec.json.format(msgspec.json.encode(value)).decode()
        case _ if value is None:
            return ""
        case Flag():
            return "on" if value else ""
        case Choice(options=options):
            return next(text for text, option in options if option == value and type(option) is type(value))
        case Scalar():
            as_it_is = isinstance(value, str) and value and _scalar(value) == value
            return str(value) if as_it_is else _json(value)
        case Text():
            return str(value)
        case _:
            return _json(value).removesuffix(".0")


def _is_line(text: str) -> bool:
    return bool(text) and text == text.strip() and len(text.splitlines()) == 1


# --- To a value ---


def plain(shape: Shape, tree: Tree, path: str = ROOT) -> Any:
    """The value as JSON has it, UNSET where its default counts; not checked. Raises Invalid for what is no JSON."""
    match shape:
        case Group(fields=parts):
            values = {name: plain(part, tree[name], f"{path}.{name}") for name, part in parts}
            return {name: value for name, value in values.items() if value is not msgspec.UNSET}
        case Maybe(of=of):
            return plain(of, tree[0], path) if tree else None
        case Rows(of=of):
            texts = [line.strip() for line in tree.splitlines() if line.strip()] if isinstance(tree, str) else tree
            rows = [plain(of, each, f"{path}[{row}]") for row, each in enumerate(texts)]
            return None if shape.optional and not rows else rows
        case Pairs():
            return _mapping(shape, tree, path)
        case _:
            return _plain_text(shape, tree, path)


def _plain_text(shape: Shape, text: str, path: str) -> Any:  # noqa: PLR0911  # one for each kind of shape
    match shape:
        case Flag():
            return text == "on"
        case _ if text == "" and shape.optional:
            return None
        case Text():
            return text
        case Choice(options=options):
            return dict(options).get(text, text)
        case _ if text == "" and shape.default is not msgspec.UNSET:
            return msgspec.UNSET
        case Number():
            found = _scalar(text)
            return found if isinstance(found, int | float) and not isinstance(found, bool) else text
        case Scalar():
            return _scalar(text)
        case _:
            try:
                return msgspec.json.decode(text.encode())
            except (msgspec.DecodeError, RecursionError):
                raise Invalid(f"{path}: Expected JSON") from None


def _mapping(shape: Pairs, tree: Tree, path: str) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for row, each in enumerate(tree):
        key = each["key"]
        if not key and not each["value"] and shape.optional:
            continue
        if key in found:
            raise Invalid(f"{path}[{row}]: Expected each key once")
        value = plain(shape.of, each["value"], f"{path}[{row}].value")
        found[key] = "" if value is msgspec.UNSET else value
    return None if shape.optional and not found else found


def _scalar(text: str) -> str | int | float | bool:
    """A text as the JSON it reads as: a number, a bool, or a text in quotation marks; else itself."""
    try:
        found = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        return text
    if isinstance(found, int) and not -(2**63) <= found < 2**64:
        return text
    return found if isinstance(found, str | int | float) and not _is_infinite(found) else text


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# --- Rows ---


def edit(shape: Shape, tree: Tree, do: str) -> bool:
    """Carry out `add $.rules`, `remove $.rules[1]` or `up $.rules[1]` in a tree; False for what cannot be."""
    verb, _, path = do.partition(" ")
    found = find(shape, tree, path)
    row = ROW.fullmatch(path)
    if verb == "add" and found and isinstance(found[1], list):
        of = found[0]
        found[1].append({"key": "", "value": blank(of.of)} if isinstance(of, Pairs) else blank(of.of))
        return True
    if verb == "remove" and found and isinstance(found[0], Maybe):
        found[1].clear()
        return True
    holder = find(shape, tree, row[1]) if row else None
    if row is None or holder is None or not isinstance(holder[1], list) or int(row[2]) >= len(holder[1]):
        return False
    rows, place = holder[1], int(row[2])
    if verb == "remove":
        del rows[place]
    elif verb == "up" and place:
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
    return verb in {"remove", "up"}


def find(shape: Any, tree: Tree, path: str) -> tuple[Any, Tree] | None:
    """What stands at a path."""
    rest = path.removeprefix(ROOT)
    while rest:
        match = _STEP.match(rest)
        if match is None:
            return None
        rest, (name, row) = rest[match.end() :], match.groups()
        if isinstance(shape, Maybe) and tree:
            shape, tree = shape.of, tree[0]
        if isinstance(shape, Group) and name in dict(shape.fields):
            shape, tree = dict(shape.fields)[name], tree[name]
        elif isinstance(shape, Pairs) and isinstance(tree, dict) and name == "value":
            shape, tree = shape.of, tree["value"]
        elif isinstance(shape, Rows | Pairs) and isinstance(tree, list) and row and int(row) < len(tree):
            shape, tree = (shape if isinstance(shape, Pairs) else shape.of), tree[int(row)]
        else:
            return None
    return shape, tree
