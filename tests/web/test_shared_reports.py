"""No report of ours shows by a link what its filters leave out."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.accounts.model import DAY_MS
from saastracker.config import load_config
from saastracker.definitions import Definitions
from saastracker.event import Event
from saastracker.indexer import Indexer
from saastracker.plugins import Plugins
from saastracker.records import now_ms

from .conftest import Running
from .settling import look
from .test_shared import shared, visit
from .test_sign_in import join

THINGS = {"organizations": ("acme",), "people": ("anna",), "health": ("acme",), "sessions": ("s-anna",)}


@pytest.fixture
def every_report(running: Running, tmp_path: Path) -> Running:
    """All our reports over two organizations, one of which has left."""
    plugins = Plugins(load_config(None, tmp_path, {}))
    definitions = Definitions(running.records, plugins.kinds)
    registry = plugins.registry(running.facts, definitions)
    for org, person in (("acme", "anna"), ("globex", "olga")):
        running.add(*(event for day in range(50) for event in _events(org, person, now_ms() - day * DAY_MS)))
    churn = definitions.read("churn", msgspec.json.encode({"org": "globex", "date": str(datetime.now(UTC).date())}))
    definitions.create(running.shop.id, "churn", value=churn, who="ada")
    zones = {running.shop.id: running.shop.timezone}
    indexer = Indexer(
        running.store.index, lambda: zones, lambda work: work(), taggers=registry.taggers, definitions=definitions
    )
    indexer.begin()
    while any(indexer.step()):
        pass
    return replace(
        running, site=replace(running.site, registry=registry, reports=registry.reports, definitions=definitions)
    )


def _events(org: str, person: str, time: int) -> list[Event]:
    whose: dict[str, Any] = {"org": org, "user": person, "session": f"s-{person}", "path": f"/of/{org}", "release": org}
    return [
        Event(
            type="pageview",
            name="pageview",
            time=time,
            properties=msgspec.json.encode({"referrer": f"https://{org}.test/"}).decode(),
            **whose,
        ),
        Event(
            type="custom",
            name=f"save {org}",
            time=time + 1000,
            value=2.0,
            properties=msgspec.json.encode({"at": org}).decode(),
            **whose,
        ),
        Event(type="error", name=f"{org} broke", time=time + 2000, **whose),
        Event(type="vital", name="LCP", time=time + 3000, value=1200.0, **whose),
    ]


def test_no_report_of_ours_shows_other_organizations(every_report: Running) -> None:
    """Each report filtered to one organization, and what it lists of that, as page, JSON and CSV of each block."""
    running, cookies = every_report, join(every_report, "member@example.com")
    assert "globex" in look(running, "/p/shop/health?range=90d", cookies).text
    for slug in running.site.reports:
        for item in (None, *THINGS.get(slug, ())):
            named = {} if item is None else {"item": item}
            path = shared(running, cookies, report=slug, query="org=acme&range=90d", **named)
            blocks = running.get(f"{path}.json").json()["blocks"]
            faces = ["", "?range=30d", ".json", ".json?range=12mo", *(f".csv?block={block['key']}" for block in blocks)]
            for face in faces:
                shown = visit(running, path + face)
                assert shown.status_code == 200, (slug, item, face, shown.text)
                assert not re.search("globex|olga", shown.text), (slug, item, face)
