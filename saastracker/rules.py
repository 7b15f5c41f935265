"""Rules: which events count as the use of a feature or as a step of a funnel."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from saastracker.event import NAME_MAX, PATH_MAX
from saastracker.tagger import Tagging

RULES_MAX = 20
PROPERTIES_MAX = 20

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=PATH_MAX)]
Value: TypeAlias = Text | int | float | bool
Properties: TypeAlias = Annotated[dict[Name, Value], msgspec.Meta(min_length=1, max_length=PROPERTIES_MAX)]

_properties = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events of one name, perhaps only those on some paths or with some properties."""

    name: Annotated[Name, msgspec.Meta(title="Event", extra_json_schema={"format": "event-name"})]
    path_prefix: Annotated[str, msgspec.Meta(min_length=1, max_length=PATH_MAX, title="Path begins with")] | None = None
    properties: Properties | None = None  # each must be there with the same text


Rules: TypeAlias = Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1, max_length=RULES_MAX)]


def matches(rule: Rule, name: str, path: str | None, properties: str | None) -> bool:
    """Whether an event fits; `properties` are its JSON.

    Texts of properties are compared, as `prop(:key)` gives them: a text as it is, all else as JSON. So 5
    and "5" are alike.
    """
    if name != rule.name:
        return False
    if rule.path_prefix is not None and not (path or "").startswith(rule.path_prefix):
        return False
    if rule.properties is None:
        return True
    if properties is None:
        return False
    has = _properties.decode(properties)
    return all(key in has and text_of(has[key]) == _text(value) for key, value in rule.properties.items())


def wording(rule: Rule) -> str:
    """A rule in words."""
    asked = [*([f"on {rule.path_prefix}…"] if rule.path_prefix else [])]
    asked += [f"{key} is {_text(value)}" for key, value in (rule.properties or {}).items()]
    return ", ".join((rule.name, *asked))


def tagging(rules: Sequence[Rule]) -> Tagging:
    """Gives every event that fits one of the rules the key ""."""
    paths = any(rule.path_prefix is not None for rule in rules)
    properties = any(rule.properties is not None for rule in rules)
    columns = ("name", *(("path",) if paths else ()), *(("properties",) if properties else ()))

    def keys(*row: str | None) -> Sequence[str]:
        has: Mapping[str, Any] = dict(zip(columns, row, strict=True))
        fits = (matches(rule, has["name"], has.get("path"), has.get("properties")) for rule in rules)
        return ("",) if any(fits) else ()

    named = {key for rule in rules for key in rule.properties or ()}
    wanted = {"name": frozenset(rule.name for rule in rules)}
    return Tagging(columns=columns, keys=keys, wanted=wanted, named=tuple(sorted(named)))


def text_of(raw: msgspec.Raw | bytes) -> str | None:
    """A property as `prop(:key)` gives it, None for null."""
    return _text(msgspec.json.decode(raw))


def _text(value: Any) -> str | None:
    """None for null, which is like having no such property."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
