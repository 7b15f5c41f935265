"""What rules make of paths, against regular expressions written for the same; what a form may hold; the preview."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saastracker.compiled import Compiled
from saastracker.errors import Invalid
from saastracker.event import PATH_MAX, Event
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker_path_rules import Cleaning, definitions
from saastracker_path_rules.patterns import Cleaner, PathRules, check
from tests.asking import blocks, scope
from tests.indexed import at, reading

UUID = "6f1c8a52-0d3b-4f1e-9a55-0c2d5e7f8a90"
parts = st.sampled_from(["a", "b", "1", "23", "", ":x", "a-1", UUID, UUID.upper(), "0123456789abcdef", "١٢"])
paths = st.builds(lambda head, parts: head + "/".join(parts), st.sampled_from(["/", "/", ""]), st.lists(parts))
patterns = st.lists(st.sampled_from(["a", "b", "1", ":x", ":id", "*"]), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
rules = st.builds(
    PathRules,
    patterns=st.lists(patterns, max_size=4, unique=True).map(tuple),
    numbers=st.booleans(),
    uuids=st.booleans(),
    hex=st.booleans(),
)


@pytest.mark.parametrize(
    ("sent", "becomes"),
    [
        ("/u/123", "/u/:id"),
        ("/u/123/", "/u/:id/"),
        ("/u/new", "/u/new"),  # written out, before the one that would take it
        ("/u/123/orders/77", "/u/:id/orders/77"),
        ("/u", "/u"),
        ("/u/", "/u/"),
        ("/U/123", "/U/123"),
        ("/de/shop/socks", "/de/shop/:product"),
        ("/de/shop/socks/7", "/de/shop/socks/7"),
        ("u/123", "u/123"),  # a screen's name is no path
    ],
)
def test_patterns(sent: str, becomes: str) -> None:
    cleaner = Cleaner(PathRules(patterns=("/u/new", "/u/:id/*", "/*/shop/:product")))
    assert cleaner.clean(sent) == becomes


@pytest.mark.parametrize(
    ("sent", "becomes"),
    [
        ("/orders/77/lines/8", "/orders/:number/lines/:number"),
        (f"/files/{UUID}", "/files/:uuid"),
        (f"/files/{UUID.upper()}/", "/files/:uuid/"),
        (f"/files/{UUID.replace('-', '')}", "/files/:hex"),
        ("/commits/0123456789abcde", "/commits/0123456789abcde"),
        ("/v1/users/7a", "/v1/users/7a"),
        ("/decade", "/decade"),
        ("/٣", "/٣"),
        ("Screen/12", "Screen/:number"),
        ("/error/404", "/error/404"),
        ("/year/2024/5", "/year/:year/:number"),
        ("", ""),
        ("/", "/"),
    ],
)
def test_parts_that_are_ids(sent: str, becomes: str) -> None:
    cleaner = Cleaner(PathRules(patterns=("/error/404", "/year/:year/*"), numbers=True, uuids=True, hex=True))
    assert cleaner.clean(sent) == becomes


def expression(pattern: str) -> str:
    """The same pattern for `re`."""
    *first, last = pattern[1:].split("/")
    found = [re.escape(part) if part[0] not in ":*" else "[^/]+" for part in first]
    if last == "*":
        return "".join(f"/{part}" for part in found) + "(/.*)?"
    return "".join(f"/{part}" for part in (*found, "[^/]+" if last[0] == ":" else re.escape(last))) + "/?"


@given(patterns, paths)
@example("/*", "/")
def test_a_pattern_fits_what_its_expression_does(pattern: str, path: str) -> None:
    cleaned = Cleaner(PathRules(patterns=(pattern,))).clean(path)
    if not re.fullmatch(expression(pattern), path):
        assert cleaned == path
    else:
        for place, part in enumerate(pattern.split("/")):
            if part.startswith(":"):
                assert cleaned.split("/")[place] == part


@given(rules, paths)
def test_a_cleaned_path_stays(rules: PathRules, path: str) -> None:
    check(rules)
    cleaner = Cleaner(rules)
    once = cleaner.clean(path)
    assert cleaner.clean(once) == once
    assert once.count("/") == path.count("/")
    assert Cleaner(PathRules()).clean(path) == path


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=30), max_size=3))
def test_no_rule_and_no_path_breaks_it(path: str, sent: list[str]) -> None:
    rules = PathRules(patterns=tuple(sent), numbers=True, uuids=True, hex=True)
    try:
        check(rules)
    except Invalid:
        rules = PathRules(numbers=True)
    assert len(Cleaner(rules).clean(path)) <= PATH_MAX


def test_what_grows_is_cut() -> None:
    assert len(Cleaner(PathRules(numbers=True)).clean("/1" * (PATH_MAX // 2))) == PATH_MAX


@pytest.mark.parametrize(
    "pattern",
    ["u/:id", "/u/:", "/u/:1", "/u/:a b", "/u/x*", "/u/**", "/u?id=:id", "/u//x", "/u#x", "/u/:id\0", f"/:{'a' * 41}"],
)
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(Invalid, match=r"^\$\.patterns\[1\]: "):
        check(PathRules(patterns=("/ok", pattern)))


def test_a_pattern_twice() -> None:
    with pytest.raises(Invalid, match=r"\$\.patterns\[1\]: Expected each pattern once"):
        check(PathRules(patterns=("/a/:b", "/a/:b")))


def test_rules_count_from_then_on() -> None:
    defined = InMemoryDefinitions()
    cleaning = Cleaning(defined)

    def cleaned(path: str | None) -> str | None:
        event = Event(name="a", path=path)
        cleaning.enrich([event], PROJECT, "browser", None)
        return event.path

    assert cleaned("/u/1") == "/u/1"
    defined.defined = InMemoryDefinitions({"path-rules": [PathRules(patterns=("/u/:id",))]}).defined
    assert (cleaned("/u/1"), cleaned(None)) == ("/u/:id", None)
    assert cleaned("/" + "1" * 300) == "/" + "1" * 300
    defined.defined = InMemoryDefinitions({"path-rules": [PathRules(numbers=True)]}).defined
    assert (cleaned("/u/1"), cleaned("/" + "1" * 300)) == ("/u/:number", "/:number")
    defined.defined = {}
    assert cleaned("/u/1") == "/u/1"


def test_what_is_made_of_a_definition_is_made_once() -> None:
    made: list[PathRules] = []
    defined = InMemoryDefinitions({"path-rules": [PathRules(numbers=True)]})
    compiled = Compiled(defined, "path-rules", lambda rules: made.append(rules) or Cleaner(rules))  # type: ignore[func-returns-value]
    first = compiled.of("p")
    assert compiled.of("p") is first
    defined.defined = InMemoryDefinitions({"path-rules": [PathRules(numbers=True)]}).defined  # read again
    assert compiled.of("p") is first
    assert len(made) == 1


def test_the_preview_counts_paths(tmp_path: Path) -> None:
    seen = [("/u/1", 2), ("/u/2", 1), ("/about", 1)]
    sent = [
        Event(name="page_view", type=kind, path=path, user="u", time=at("2026-11-10 12:00"))
        for path, count in seen
        for kind in ["pageview"] * count
    ]
    sent.append(Event(name="saved", path="/u/1", user="u", time=at("2026-11-11 12:00")))
    sent.append(Event(name="saved", path="/u/9", user="u", time=at("2026-01-11 12:00")))
    [kind] = definitions()
    assert kind.preview
    with reading(tmp_path, "UTC", sent) as reader:
        asked = scope("")
        report = kind.preview(reader, asked, InMemoryDefinitions(), PathRules(patterns=("/u/:id",)), None)
    told = blocks(report, asked)
    assert {figure["key"]: figure["value"] for figure in told["paths"]["figures"]} == {
        "before": 3,
        "after": 2,
        "events": 4,
    }
    assert told["changes"]["rows"] == [["/u/1", "/u/:id", 3], ["/u/2", "/u/:id", 1]]
