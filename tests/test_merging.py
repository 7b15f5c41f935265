"""Merged organizations: every report answers as if their events had been sent with the other's id all along."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.config import load_config
from saastracker.contracts import Group, Reader, Submission
from saastracker.errors import Invalid, NotFound
from saastracker.event import Event
from saastracker.merging import ORGANIZATION, merging, settled
from saastracker.plugins import Plugins, Registry
from saastracker.records import Snapshot
from saastracker.scope import Scope
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker.testing.indexing import follow
from saastracker.told import Facts, with_written
from saastracker.web.faces import json_report
from saastracker.wire import Reply
from saastracker.written import Organization, Written, check_among, written
from saastracker_sqlite.store import SqliteStore
from tests.asking import made, scope

MERGES = {"old": "x", "older": "old", "left": "moved"}  # a chain, and one into what no event names
COUNTED = {"old": "x", "older": "x", "left": "moved"}
DEFINED: dict[str, Any] = {
    "feature": [{"name": "Saving", "rules": [{"name": "save"}, {"name": "export", "path_prefix": "/a"}]}],
    "funnel": [
        {"name": "By organization", "steps": [{"name": "open"}, {"name": "save"}], "per": "organization"},
        {"name": "By person", "steps": [{"name": "open"}, {"name": "save"}]},
    ],
    "churn": [{"org": "y", "date": "2026-11-02"}],
}
SPAN = "from=2026-10-23&to=2026-11-03"
FILTERS = ["", "org=x", "f=org:is:moved", "f=org:is_not:x", "f=org:contains:o", "f=org:exists", "org=x&f=plan:is:pro"]


def sent(seed: int) -> list[Event]:
    pick = random.Random(seed)
    found = made(seed, 400)
    for event in found:
        event.org = pick.choice([event.org, event.org, "old", "older", "left", "other"])
        what = pick.randrange(8)
        if what == 0:
            event.name, event.type, event.properties = "error", "error", json.dumps({"message": pick.choice("pq")})
        elif what == 1:
            event.name, event.type = "pageview", "pageview"
        elif what == 2:
            event.name, event.type = pick.choice(["Start:a", "Complete:a", "Fail:a"]), "progression"
        elif what == 3:
            event.name, event.type, event.value = "LCP", "vital", pick.random()
        if event.org in MERGES and event.traits:  # which tell nothing of the other
            event.traits = json.dumps({**json.loads(event.traits), "company": {}})
    return found


def registry(folder: Path, definitions: InMemoryDefinitions) -> Registry:
    plugins = Plugins(load_config(None, folder))
    values = {
        kind: [msgspec.convert(value, plugins.kinds[kind].struct) for value in of_kind]
        for kind, of_kind in DEFINED.items()
    }
    definitions.defined |= InMemoryDefinitions(values).defined
    return plugins.registry(Snapshot(), definitions)


@contextmanager
def reading(
    folder: Path, events: Sequence[Event], offered: Registry, definitions: InMemoryDefinitions
) -> Iterator[Reader]:
    folder.mkdir()
    store = SqliteStore(folder / "events.db")
    store.claim()
    try:
        for batch in (events[:150], events[150:]):
            for event in batch:
                event.received_at = event.time or 0
            store.append(Group([Submission(PROJECT, list(batch), 0, Reply(202, b"{}"))]))
            follow(store, taggers=offered.taggers, definitions=definitions)
        with merging(store, definitions).reader() as reader:
            yield reader
    finally:
        store.close()


def told(load: Any, reader: Reader, asked: Scope, *item: str) -> Any:
    """A report's JSON; rows in an order of their own, for ties stand in the order of arrival."""
    try:
        report = json_report("shop", "report", asked, load(reader, asked, *item))
    except (Invalid, NotFound) as refusal:
        return refusal.detail
    for block in report["blocks"]:
        if block["type"] == "table":
            block["rows"] = sorted(block["rows"], key=json_text)
        if block["type"] == "grid":
            block["rows"] = sorted(zip(block["rows"], block.pop("values"), strict=True), key=json_text)
    return report


def json_text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


DETAILS = {
    "organizations": ["x", "moved", "y"],
    "health": ["x", "moved", "y"],
    "people": ["u1", "a2"],
    "sessions": ["s1"],
    "pages": ["detail?path=/a"],
    "adoption": ["1"],
    "funnels": ["1", "2"],
}
ASKED = {
    "explorer": ["by=org&interval=week", "measure=organizations", "by=org,name&measure=sessions"],
    "retention": ["of=organizations", "of=organizations&by=day"],
}
REPORTS = (
    *("home", "organizations", "people", "health", "signals", "explorer", "custom", "activity", "sessions", "pages"),
    *("sources", "vitals", "adoption", "errors", "funnels", "retention", "paths", "runs", "resources"),
)


class Both(NamedTuple):
    """The same twice: with merged organizations, and as if their events had been sent so."""

    merged: tuple[Reader, Registry]
    as_if: tuple[Reader, Registry]


@pytest.fixture(scope="module", params=[1, 2])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("both")
    values = [Organization(org=org, merged_into=target) for org, target in MERGES.items()]
    merged, plain = InMemoryDefinitions({ORGANIZATION.kind: values}), InMemoryDefinitions()
    offered, expecting = registry(folder, merged), registry(folder, plain)
    as_if = sent(request.param)
    for event in as_if:
        event.org = COUNTED.get(event.org or "", event.org)
    with (
        reading(folder / "merged", sent(request.param), offered, merged) as reader,
        reading(folder / "plain", as_if, expecting, plain) as expected,
    ):
        yield Both((reader, offered), (expected, expecting))


def asked_of(both: Both, slug: str, query: str, *item: str) -> tuple[Any, Any]:
    answers = []
    for reader, offered in both:
        page = offered.reports[slug]
        load, declared = (page.detail, page.detail_parameters) if item else (page.load, page.parameters)
        answers.append(told(load, reader, scope(query, declared=declared), *item))
    return answers[0], answers[1]


def test_all_reports_are_here(both: Both) -> None:
    assert {*both.merged[1].reports} == {*REPORTS, "stream"}


@pytest.mark.parametrize("slug", REPORTS)
def test_reports_agree(both: Both, slug: str) -> None:
    for query in FILTERS:
        for more in ["", *ASKED.get(slug, [])]:
            merged, expected = asked_of(both, slug, "&".join(filter(None, (SPAN, query, more))))
            assert merged == expected, (query, more)


@pytest.mark.parametrize(("slug", "item"), [(slug, item) for slug, items in DETAILS.items() for item in items])
def test_details_agree(both: Both, slug: str, item: str) -> None:
    for query in ("", "org=x"):
        one, _, own = item.partition("?")
        merged, expected = asked_of(both, slug, "&".join(filter(None, (SPAN, query, own))), one)
        merged["blocks"] = [block for block in merged["blocks"] if block["key"] != "merged"]
        assert merged == expected, query


def test_issues_agree(both: Both) -> None:
    _, errors = asked_of(both, "errors", SPAN)
    [issues] = [block["rows"] for block in errors["blocks"] if block["key"] == "issues"]
    assert len(issues) == 2
    for issue, *_ in issues:
        merged, expected = asked_of(both, "errors", SPAN, issue)
        assert merged == expected


def test_the_stream_shows_what_was_sent(both: Both) -> None:
    reader, offered = both.merged
    found = told(offered.reports["stream"].load, reader, scope("org=x&limit=1000"))
    [rows] = [block["rows"] for block in found["blocks"] if block["key"] == "events"]
    assert {row[7] for row in rows} == {"x", "old", "older"}


def test_the_page_of_a_merged_one_is_the_others(both: Both) -> None:
    for slug in ("organizations", "health"):
        assert asked_of(both, slug, SPAN, "older")[0] == asked_of(both, slug, SPAN, "x")[0]
    merged, _ = asked_of(both, "organizations", SPAN, "x")
    [rows] = [block["rows"] for block in merged["blocks"] if block["key"] == "merged"]
    assert rows == [["old"], ["older"]]
    definitions = InMemoryDefinitions({ORGANIZATION.kind: [Organization(org="older", merged_into="x")]})
    asked = settled(scope("org=older&f=org:is_not:older&f=org:contains:older&f=name:is:older"), definitions)
    assert {(item.dimension, item.operator, item.value) for item in asked.filters} == {
        ("org", "is", "x"),
        ("org", "is_not", "x"),
        ("org", "contains", "older"),
        ("name", "is", "older"),
    }


# --- What definitions come to ---


def organizations(**into: str | None) -> list[Organization]:
    return [Organization(org=org, merged_into=target) for org, target in into.items()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (organizations(a="b"), {"a": "b"}),
        (organizations(a="b", b="c", d="b"), {"a": "c", "b": "c", "d": "c"}),
        (organizations(a="b", b="a", c="a", d="e"), {"d": "e"}),
        (organizations(a="a"), {}),
        (organizations(a=None), {}),
        ([*organizations(a="b"), *organizations(a="c")], {"a": "b"}),
    ],
)
def test_chains_and_circles(values: list[Organization], expected: dict[str, str]) -> None:
    assert written(values).merged == expected


edges = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=8)


@given(edges)
def test_what_is_allowed_never_makes_a_circle(pairs: list[tuple[str, str]]) -> None:
    kept: list[Organization] = []
    for org, target in pairs:
        value = Organization(org=org, merged_into=target)
        try:
            check_among(value, kept)
        except Invalid:
            continue
        kept.append(value)
    merged = written(kept).merged
    assert {*merged} == {value.org for value in kept}
    assert not {*merged.values()} & {*merged}


@given(edges)
def test_whatever_is_defined_has_an_end(pairs: list[tuple[str, str]]) -> None:
    merged = written([Organization(org=org, merged_into=target) for org, target in pairs]).merged
    assert not {*merged.values()} & {*merged}


def test_what_is_refused() -> None:
    for value, others, detail in (
        (Organization(org="a", merged_into="a"), [], r"\$\.merged_into: Expected another"),
        (Organization(org="a", name="A"), organizations(a="b"), r"\$\.org: There is a definition of a already"),
        (Organization(org="a", merged_into="b"), organizations(b="c", c="a"), r"b is itself merged into a; undo that"),
    ):
        with pytest.raises(Invalid, match=detail):
            check_among(value, others)


def test_names_and_revenue() -> None:
    values = [Organization(org="a", name="A"), Organization(org="b", mrr=0.0), Organization(org="c", merged_into="a")]
    assert written(values) == Written({"c": "a"}, {"a": values[0], "b": values[1]})
    assert written(values).counted("c") == "a"
    assert written(values).counted(None) is None


def test_what_events_told_stands_behind_what_people_wrote() -> None:
    told = {"x": Facts("X", None), "old": Facts("Old", 5.0), "left": Facts("Left", 7.0), "y": Facts("Y", 1.0)}
    values = [
        *organizations(old="x", left="moved"),
        Organization(org="y", name="Why"),
        Organization(org="new", mrr=0.0),
        Organization(org="gone", name="Gone", merged_into="y"),
    ]
    assert with_written(told, written(values)) == {
        "x": Facts("X", 5.0),
        "moved": Facts("Left", 7.0),
        "y": Facts("Why", 1.0),
        "new": Facts(None, 0.0),
    }
    assert with_written(told, written([])) == told
