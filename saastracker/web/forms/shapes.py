"""What a form asks for: the shapes of a struct's fields, as msgspec knows their types."""

import re
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from saastracker.definition import Definition


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One field. `msgspec.Meta(title=…, description=…)` gives its label and hint; else its name is the label."""

    label: str = ""
    hint: str = ""
    # Of `msgspec.Meta(extra_json_schema=…)`. "client-address": a button adds the caller's own; "event-name"
    # and "environment": names of events or environments are suggested.
    format: str = ""
    optional: bool = False  # may be None, for which nothing typed stands
    default: Any = msgspec.UNSET  # as JSON has it


class Text(Shape, frozen=True, kw_only=True):
    type: str = "text"  # of the input
    most: int | None = None  # characters


class Number(Shape, frozen=True, kw_only=True):
    whole: bool
    least: float | None = None
    most: float | None = None


class Flag(Shape, frozen=True, kw_only=True):
    pass


class Choice(Shape, frozen=True, kw_only=True):
    options: tuple[tuple[str, Any], ...]  # as the form sends each, and as JSON has it


class Scalar(Shape, frozen=True, kw_only=True):
    """A text, number or bool: what reads as JSON is meant so, all else is text."""


class Json(Shape, frozen=True, kw_only=True):
    """Whatever has no shape of its own, as JSON."""


class Rows(Shape, frozen=True, kw_only=True):
    """A list. One of texts is typed one a line, unless a text has line breaks."""

    of: Shape
    least: int = 0
    most: int | None = None

    @property
    def lines(self) -> bool:
        return isinstance(self.of, Text) and self.of.type == "text"


class Pairs(Shape, frozen=True, kw_only=True):
    """A mapping from texts."""

    of: Shape
    least: int = 0
    most: int | None = None


class Group(Shape, frozen=True, kw_only=True):
    """A struct."""

    fields: tuple[tuple[str, Shape], ...]  # by name in JSON


class Maybe(Shape, frozen=True, kw_only=True):
    """A struct that may be left out."""

    of: Group


def group(definition: Definition) -> Group:
    """What the form of a kind asks for."""
    return _of_struct(definition.struct)


@cache  # kinds are made at start, and a page with buttons asks for several of them
def _of_struct(struct: type[msgspec.Struct]) -> Group:
    told = inspect.type_info(struct)
    assert isinstance(told, inspect.StructType)  # noqa: S101  # Definition says so
    return _group(told, ())


def wording(name: str) -> str:
    """`path_prefix` as people write it."""
    plain = re.sub(r"[_-]+", " ", name).strip()
    return plain[:1].upper() + plain[1:]


def _group(told: inspect.StructType, inside: tuple[type, ...], **about: Any) -> Group:
    fields = tuple((field.encode_name, _field(field, (*inside, told.cls))) for field in told.fields)
    return Group(fields=fields, **about)


def _field(field: inspect.Field, inside: tuple[type, ...]) -> Shape:
    default: Any = msgspec.UNSET
    if field.default is not msgspec.NODEFAULT:
        default = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if default is not msgspec.UNSET:
        default = msgspec.json.decode(msgspec.json.encode(default))
    return _shape(field.type, inside, label=wording(field.encode_name), default=default)


def _shape(told: inspect.Type, inside: tuple[type, ...], **about: Any) -> Shape:
    bare, words = _bare(told)
    about |= words
    kinds = [bare]
    if isinstance(bare, inspect.UnionType):
        parts = [_bare(one) for one in bare.types]
        kinds = [one for one, _ in parts if not isinstance(one, inspect.NoneType)]
        about["optional"] = len(kinds) < len(parts)
        for _, each in parts:
            about |= each
    if len(kinds) > 1:
        plain = all(isinstance(one, _PLAIN) for one in kinds) and any(isinstance(one, _PLAIN[0]) for one in kinds)
        return Scalar(**about) if plain else Json(**about)
    return _simple(kinds[0], **about) or _holding(kinds[0], inside, **about)


def _simple(told: inspect.Type, **about: Any) -> Shape | None:  # noqa: PLR0911  # one for each kind of type
    match told:
        case inspect.StrType(max_length=most):
            return Text(most=most, **about)
        case inspect.DateType():
            return Text(type="date", **about)
        case inspect.DateTimeType() | inspect.TimeType() | inspect.UUIDType():
            return Text(**about)
        case inspect.IntType() | inspect.FloatType():
            return Number(whole=isinstance(told, inspect.IntType), least=told.ge, most=told.le, **about)
        case inspect.BoolType():
            optional = about.get("optional")
            return Choice(options=(("true", True), ("false", False)), **about) if optional else Flag(**about)
        case inspect.LiteralType(values=values):
            return Choice(options=tuple((_option(value), value) for value in values), **about)
        case inspect.EnumType(cls=cls):
            return Choice(options=tuple((_option(each.value), each.value) for each in cls), **about)
        case _:
            return None


def _holding(told: inspect.Type, inside: tuple[type, ...], **about: Any) -> Shape:
    """Of what holds others; `inside` are the structs around, for one in itself would have no end."""
    match told:
        case inspect.CollectionType(item_type=item, min_length=least, max_length=most):
            return Rows(of=_shape(item, inside), least=least or 0, most=most, **about)
        case inspect.DictType(key_type=key, value_type=value, min_length=least, max_length=most) if isinstance(
            _bare(key)[0], inspect.StrType
        ):
            return Pairs(of=_shape(value, inside), least=least or 0, most=most, **about)
        case inspect.StructType(cls=cls, tag=None, array_like=False) if cls not in inside:
            optional = about.get("optional")
            return Maybe(of=_group(told, inside), **about) if optional else _group(told, inside, **about)
        case _:
            return Json(**about)


_PLAIN = (inspect.StrType, inspect.IntType, inspect.FloatType, inspect.BoolType)


def _bare(told: inspect.Type) -> tuple[inspect.Type, dict[str, str]]:
    """A type without what is said about it, and that."""
    words: dict[str, str] = {}
    while isinstance(told, inspect.Metadata):
        schema = told.extra_json_schema or {}
        words |= {"label": schema["title"]} if "title" in schema else {}
        words |= {"hint": schema["description"]} if "description" in schema else {}
        words |= {"format": schema["format"]} if "format" in schema else {}
        told = told.type
    return told, words


def _option(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
