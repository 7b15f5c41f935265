"""Sessions by how they began and ended equal a plain choice, and what other reports count of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from saastracker.contracts import Reader
from saastracker_pages import load as pages
from saastracker_sessions import PARAMETERS, load
from saastracker_sources import load as sources
from tests.asking import blocks, scope
from tests.index.visiting import FILTERS, FOREIGN, SPAN, Session, expected, made
from tests.indexed import reading

OF: dict[str, Callable[[Session], str | None]] = {
    "entry": lambda session: session.pages[0].path if session.pages else None,
    "exit": lambda session: session.pages[-1].path if session.pages else None,
    "referrer": lambda session: session.origin.referrer,
    "source": lambda session: session.origin.source,
    "medium": lambda session: session.origin.medium,
    "campaign": lambda session: session.origin.campaign,
}
ZONE = "Europe/Amsterdam"


def ask(reader: Reader, query: str) -> dict[str, Any]:
    asked = scope(query, ZONE, declared=PARAMETERS)
    return blocks(load(reader, asked), asked)


def count(answer: dict[str, Any]) -> int:
    return int(next(each["value"] for each in answer["totals"]["figures"] if each["key"] == "sessions"))


@pytest.mark.parametrize("seed", [3, 14, 159])
def test_equals_a_plain_choice(tmp_path: Path, seed: int) -> None:
    sent = made(seed, 90)
    with reading(tmp_path, ZONE, sent, foreign=FOREIGN) as reader:
        for query in FILTERS:
            found = expected(sent, ZONE, query)
            for name, of in OF.items():
                for value in {of(session) for session in found} - {None}:
                    wanted = sorted(session.id for session in found if of(session) == value)
                    answer = ask(reader, f"{SPAN}&{query}&{urlencode({name: value})}")
                    assert sorted(row[0] for row in answer["sessions"]["rows"]) == wanted
                    assert count(answer) == len(wanted)


def test_links_of_other_reports_lead_to_as_many(tmp_path: Path) -> None:
    with reading(tmp_path, ZONE, made(26, 200), foreign=FOREIGN) as reader:
        asked = scope(SPAN, ZONE)
        seen = [
            ({"entry": path}, entries, {"exit": path}, exits)
            for path, _, _, _, entries, exits, *_ in blocks(pages(reader, asked), asked)["paths"]["rows"]
        ]
        assert sum(entries for _, entries, *_ in seen) > 3
        for entry, entries, leave, exits in seen:
            assert count(ask(reader, f"{SPAN}&{urlencode(entry)}")) == entries
            assert count(ask(reader, f"{SPAN}&{urlencode(leave)}")) == exits
        tables = blocks(sources(reader, asked), asked)
        for key, name in (("referrers", "referrer"), ("utm_sources", "source"), ("campaigns", "campaign")):
            assert tables[key]["rows"]
            for value, sessions, _ in tables[key]["rows"]:
                assert count(ask(reader, f"{SPAN}&{urlencode({name: value})}")) == sessions


def test_what_nobody_did(tmp_path: Path) -> None:
    with reading(tmp_path, ZONE, made(3, 20), foreign=FOREIGN) as reader:
        answer = ask(reader, f"{SPAN}&entry=/nowhere")
        assert (count(answer), answer["sessions"]["rows"], answer["releases"]["rows"]) == (0, [], [])
