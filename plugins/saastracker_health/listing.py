"""The health of all organizations."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.health.explaining import CHANGES, change, notes
from saastracker.health.model import COMPONENTS, Band
from saastracker.health.scoring import Health, Scores, scores
from saastracker.index import day_number
from saastracker.report import Column, Figure, Figures, Report, Table, Welcome
from saastracker.scope import Scope
from saastracker_health.backtest import backtest, days_before

ABOUT = {
    "recency": "100 up to one day since the last event, 0 when the window is over.",
    "frequency": "Days with an event in the window, against the model's target.",
    "breadth": "Active persons, against the most that any window had.",
    "adoption": "Features used, of those meant for the organization's plan.",
    "trend": "Events in the window against the window before: half as many give 0, as many 60, half as many more 100.",
}
COLUMNS = (
    Column("org", "Organization", link="health/{org}"),
    Column(
        "score",
        "Score",
        "number",
        link="health/{org}",
        about="The weighted mean of the components; none without an event.",
    ),
    Column("band", "Band", "tag", look="status"),
    *(
        Column(name, name.capitalize(), "number", "wide", unit="points", link="health/{org}", about=ABOUT[name])
        for name in COMPONENTS
    ),
    *(
        Column(
            f"change_{days}", f"{days} days", "number", look="change", good="up", about=f"Against {days} days before."
        )
        for days in CHANGES
    ),
)
BANDS: tuple[tuple[Band, Welcome], ...] = (
    ("healthy", "up"),
    ("watch", None),
    ("at risk", "down"),
    ("dormant", "down"),
    ("onboarding", None),
)
_IN_BAND = "Organizations with a score in this band on the last day of the span; the health model sets its limits."
ABOUT_BANDS: dict[Band, str] = {
    "healthy": _IN_BAND,
    "watch": _IN_BAND,
    "at risk": _IN_BAND,
    "dormant": "Organizations without an event in the health model's window: they have no score.",
    "onboarding": "Organizations that were first seen less than four weeks before: scored, but shown apart.",
}


ONLY_NEW = "All organizations are new: in their first four weeks they stand under Onboarding."


def listing(reader: Reader, scope: Scope, definitions: Definitions) -> Report:
    """Worst first, dormant organizations last; those that are new stand apart."""
    actors = reader.actors(scope.project)
    last = day_number(scope.span.last)
    compared = day_number(scope.compared.last) if scope.compared else None
    days = {last, *(last - days for days in CHANGES), *days_before(scope, definitions)}
    found = scores(reader, scope, actors, definitions, [*days, *([] if compared is None else [compared])])
    texts = reader.texts(actors.org_codes)
    names = [texts[code] for code in actors.org_codes]
    rows = _rows(found, last, names)
    settled, new = ([row for row in rows if (row[2] == "onboarding") == onboarding] for onboarding in (False, True))
    return Report(
        blocks=(
            bands(found.healths(found.row(last)), None if compared is None else found.healths(found.row(compared))),
            *notes(reader, scope, definitions),
            Table(
                key="organizations",
                title="Organizations",
                columns=COLUMNS,
                rows=settled,
                none=ONLY_NEW if new and not settled else "",
            ),
            *([Table(key="onboarding", title="Onboarding", columns=COLUMNS, rows=new)] if new else []),
            *backtest(scope, definitions, found, names),
        )
    )


def _rows(found: Scores, last: int, names: Sequence[str]) -> list[list[Any]]:
    now = found.row(last)
    earlier = [found.row(last - days) for days in CHANGES]
    rows: list[list[Any]] = []
    for column, org in enumerate(found.orgs.tolist()):
        health = found.health(now, column)
        if health is not None:
            values = [None if health.score is None else _value(found, name, now, column) for name in COMPONENTS]
            changes = [change(found, now, before, column) for before in earlier]
            rows.append([names[org], *health, *values, *changes])
    return sorted(rows, key=lambda row: (row[1] is None, row[1], row[0]))


def _value(found: Scores, component: str, row: int, column: int) -> float | None:
    value = float(found.values[component][row, column])
    return None if np.isnan(value) else value


def bands(now: Sequence[Health], before: Sequence[Health] | None) -> Figures:
    """How many organizations each band has, and had."""
    counts = Counter(health.band for health in now)
    earlier = None if before is None else Counter(health.band for health in before)
    figures = tuple(
        Figure(
            key=band.replace(" ", "_"),
            label=band.capitalize(),
            value=counts[band],
            previous=None if earlier is None else earlier[band],
            good=good,
            about=ABOUT_BANDS[band],
        )
        for band, good in BANDS
    )
    return Figures(key="bands", title="Organizations by band", figures=figures)
