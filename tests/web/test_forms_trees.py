"""What a form holds: a value written into it reads as the same value."""

import datetime
import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saastracker.definition import Definition
from saastracker.errors import Invalid
from saastracker.rules import Rule
from saastracker.web.forms.shapes import Group, group
from saastracker.web.forms.telling import leaves, misplaced
from saastracker.web.forms.trees import blank, edit, gathered, plain, typed


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    word: str
    yes: bool = False
    tags: tuple[str, ...] = ("a",)
    again: "Inner | None" = None


class Everything(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: str
    named: Annotated[str, msgspec.Meta(max_length=9, title="Given name", description="As on the door.")] | None = None
    whole: Annotated[int, msgspec.Meta(ge=-5, le=2**53)] = 3
    share: float | None = 0.5
    flag: bool = True
    maybe: bool | None = None
    order: Literal["first", "second", 7] = "first"
    colour: Colour | None = None
    day: datetime.date | None = None
    moment: datetime.datetime | None = None
    lines: tuple[str, ...] = ()
    numbers: list[int] = []
    flags: tuple[bool, ...] = ()
    rules: tuple[Rule, ...] | None = None
    inner: Inner = Inner("w")
    left_out: Inner | None = None
    scalars: dict[str, str | int | float | bool] | None = None
    grouped: dict[str, Inner] = {}
    whatever: Any = None
    nested: dict[str, dict[str, int]] = {}


def shape_of(struct: type[msgspec.Struct]) -> Group:
    return group(Definition(kind="thing", title="Things", struct=struct))


SHAPE = shape_of(Everything)

# A browser sends every line break as CR LF, and no form can tell an optional empty text from none.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=9)
SOME = TEXTS.filter(bool)
WHOLE = st.integers(-(2**53), 2**53)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
RULES = st.builds(
    Rule,
    name=SOME,
    path_prefix=st.none() | SOME,
    properties=st.none() | st.dictionaries(SOME, TEXTS | WHOLE | NUMBERS | st.booleans(), min_size=1, max_size=3),
)
INNER = st.recursive(
    st.builds(Inner, word=TEXTS, yes=st.booleans(), tags=st.lists(TEXTS, max_size=3).map(tuple)),
    lambda inner: st.builds(Inner, word=TEXTS, again=inner),
    max_leaves=3,
)
VALUES = st.builds(
    Everything,
    text=TEXTS,
    named=st.none() | SOME,
    whole=st.integers(-5, 2**53),
    share=st.none() | NUMBERS,
    flag=st.booleans(),
    maybe=st.none() | st.booleans(),
    order=st.sampled_from(["first", "second", 7]),
    colour=st.none() | st.sampled_from(Colour),
    day=st.none() | st.dates(),
    moment=st.none() | st.datetimes(timezones=st.just(datetime.UTC)),
    lines=st.lists(TEXTS, max_size=4).map(tuple),
    numbers=st.lists(WHOLE, max_size=3),
    flags=st.lists(st.booleans(), max_size=3).map(tuple),
    rules=st.none() | st.lists(RULES, min_size=1, max_size=3).map(tuple),
    inner=INNER,
    left_out=st.none() | INNER,
    scalars=st.none() | st.dictionaries(TEXTS, TEXTS | WHOLE | NUMBERS | st.booleans(), min_size=1, max_size=3),
    grouped=st.dictionaries(TEXTS, INNER, max_size=2),
    whatever=st.none() | st.lists(WHOLE) | TEXTS,
    nested=st.dictionaries(TEXTS, st.dictionaries(TEXTS, WHOLE, max_size=2), max_size=2),
)


def as_json(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def fields_of(shape: Any, tree: Any, path: str = "$") -> dict[str, str]:
    """What a browser sends of the form that shows a tree."""
    sent: dict[str, str] = {}
    match type(shape).__name__:
        case "Group":
            for name, part in shape.fields:
                sent |= fields_of(part, tree[name], f"{path}.{name}")
        case "Maybe" if tree:
            sent = {path: "", **fields_of(shape.of, tree[0], path)}
        case "Rows" if isinstance(tree, list):
            for row, each in enumerate(tree):
                sent |= {f"{path}[{row}]": ""} | fields_of(shape.of, each, f"{path}[{row}]")
        case "Pairs":
            for row, each in enumerate(tree):
                sent |= {f"{path}[{row}]": "", f"{path}[{row}].key": each["key"].replace("\n", "\r\n")}
                sent |= fields_of(shape.of, each["value"], f"{path}[{row}].value")
        case "Flag" if not tree:
            pass
        case "Maybe":
            pass
        case _:
            sent = {path: tree.replace("\n", "\r\n")}
    return sent


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_a_value_goes_through_a_form_unchanged(value: Everything) -> None:
    tree = typed(SHAPE, as_json(value))
    assert gathered(SHAPE, fields_of(SHAPE, tree)) == tree
    sent = msgspec.json.encode(plain(SHAPE, tree))
    assert msgspec.json.decode(sent, type=Everything) == value
    assert all(isinstance(text, str) for pair in leaves(SHAPE, tree) for text in pair)


def test_an_empty_form_has_the_defaults() -> None:
    sent = {**plain(SHAPE, blank(SHAPE)), "text": "t"}
    assert msgspec.convert(as_json(sent), Everything) == Everything(text="t")


def test_labels_and_hints_are_those_of_the_type() -> None:
    fields = dict(SHAPE.fields)
    assert (fields["named"].label, fields["named"].hint) == ("Given name", "As on the door.")
    assert (fields["left_out"].label, fields["left_out"].hint) == ("Left out", "")


def test_rows_are_added_moved_and_removed() -> None:
    tree = typed(SHAPE, as_json(Everything(text="t", rules=(Rule("a"), Rule("b")))))
    for do in ("up $.rules[1]", "add $.rules[0].properties", "add $.rules", "add $.left_out"):
        assert edit(SHAPE, tree, do), do
    assert [rule["name"] for rule in tree["rules"]] == ["b", "a", ""]
    assert tree["rules"][0]["properties"] == [{"key": "", "value": ""}]
    assert len(tree["left_out"]) == 1
    assert edit(SHAPE, tree, "remove $.rules[0]")
    assert edit(SHAPE, tree, "remove $.left_out")
    assert ([rule["name"] for rule in tree["rules"]], tree["left_out"]) == (["a", ""], [])


@pytest.mark.parametrize(
    "do", ["", "add", "add $.text", "add $.nothing", "remove $.rules[9]", "remove $.text", "fly $.rules[0]", "up $"]
)
def test_what_cannot_be_done_is_told(do: str) -> None:
    assert not edit(SHAPE, typed(SHAPE, as_json(Everything(text="t", rules=(Rule("a"),)))), do)


@pytest.mark.parametrize(
    ("detail", "path", "said"),
    [
        ("$.rules[0].name: Expected `str` of length >= 1", "$.rules[0].name", "Type something here."),
        ("$.whole: Expected `int`, got `str`", "$.whole", "Type a whole number."),
        ("$.rules: Expected `array` of length >= 2", "$.rules", "Give at least 2."),
        ("$.lines[1]: Expected `str` of length <= 64", "$.lines", "Line 2: at most 64 characters."),
        ("$.rules[0].properties[...]: Expected `str` of length <= 3", "$.rules[0].properties", "At most 3 characters."),
        ("$.whatever.deep: Expected something", "$.whatever", "Expected something."),
        ("$.gone: what", "$", "What."),
        ("A project has at most 3.", "$", "A project has at most 3."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(detail: str, path: str, said: str) -> None:
    tree = typed(SHAPE, as_json(Everything(text="t", lines=("a", "b"), rules=(Rule("a", properties={"k": 1}),))))
    assert misplaced(SHAPE, tree, detail) == (path, said)


def test_keys_twice_and_broken_json_are_told() -> None:
    twice = blank(SHAPE) | {"scalars": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}
    with pytest.raises(Invalid, match=r"\$\.scalars\[1\]: Expected each key once"):
        plain(SHAPE, twice)
    with pytest.raises(Invalid, match=r"\$\.whatever: Expected JSON"):
        plain(SHAPE, blank(SHAPE) | {"whatever": "{"})
