"""One page: its figures, its days, where its visitors came from and went to, and who they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.dwell import dwell, in_sessions
from saastracker.errors import NotFound
from saastracker.index import OTHER, Integers, day_number
from saastracker.moments import moments
from saastracker.report import Column, Figure, Number, Report, Table
from saastracker.scope import FIRST_DATE, LAST_DATE, Scope, Span
from saastracker.visits import Visits, visits
from saastracker_pages.views import Views, bounce, medians, series, totals, views

DIRECT = "(direct)"  # no other site led there
VIEWS = Column("views", "Views", "number", look="rank", about="Page views in the span.")
REFERRERS = (
    Column("referrer", "Referrer"),
    Column("sessions", "Sessions", "number", look="rank", about="Sessions whose first page view it was."),
)
NEIGHBOURS = (Column("path", "Path", "code", link="pages/detail?path={path}"), VIEWS)
PERSONS = (Column("person", "Person", link="people/{person}", dimension="user"), VIEWS)
ORGANIZATIONS = (Column("org", "Organization", link="organizations/{org}", dimension="org"), VIEWS)
FIGURES = (
    Figure(key="views", label="Views", value=None, good="up", about="Views of the page in the span."),
    Figure(key="persons", label="Persons", value=None, good="up", about="People with a view of the page in the span."),
    Figure(key="entries", label="Entries", value=None, good="up", about="Sessions whose first page view it was."),
    Figure(
        key="bounce",
        label="Bounce",
        value=None,
        unit="share",
        good="down",
        about="The entries that had no other event, as their share.",
    ),
    Figure(
        key="median_seconds",
        label="Median time",
        value=None,
        unit="seconds",
        about="From a view to the next event of its session, at most 30 minutes.",
    ),
)


def page(reader: Reader, scope: Scope, path: str) -> Report:
    """Raises NotFound for a path that no page view in the index has."""
    actors = reader.actors(scope.project)
    now = views(reader, scope, actors, scope.span, [path])
    if not now.days and not _known(reader, scope, path):
        raise NotFound(f"Nobody ever viewed the page {path[:64]}.", reason="unknown_path")
    before = views(reader, scope, actors, scope.compared, [path]) if scope.compared else None
    came, went = _neighbours(reader, scope, actors, path)
    entered = _entered(reader, scope, actors, scope.span, path)
    earlier = _entered(reader, scope, actors, before.span, path) if before else None
    return Report(
        title=path,
        blocks=(
            totals(
                FIGURES,
                _values(reader, scope, path, now, entered),
                _values(reader, scope, path, before, earlier) if before and earlier is not None else None,
            ),
            series(now, before),
            Table(
                key="referrers",
                title="Referrers of entries",
                columns=REFERRERS,
                rows=_counted(reader, entered.row.referrer, DIRECT),
            ),
            Table(key="previous", title="Pages before", columns=NEIGHBOURS, rows=_counted(reader, came)),
            Table(key="next", title="Pages after", columns=NEIGHBOURS, rows=_counted(reader, went)),
            Table(
                key="persons",
                title="Persons",
                columns=PERSONS,
                rows=_viewers(reader, now, actors.person, actors.person_codes),
            ),
            Table(
                key="organizations",
                title="Organizations",
                columns=ORGANIZATIONS,
                rows=_viewers(reader, now, actors.org, actors.org_codes),
            ),
        ),
    )


def _known(reader: Reader, scope: Scope, path: str) -> bool:
    always = day_number(FIRST_DATE), day_number(LAST_DATE)
    return bool(reader.days(scope.project, "page", *always, [path, OTHER]))


def _code(reader: Reader, path: str, codes: Integers) -> int:
    """Which of some codes stands for the path, -1 for none."""
    texts = reader.texts(np.unique(codes).tolist())
    return next((code for code, text in texts.items() if text == path), -1)


def _entered(reader: Reader, scope: Scope, actors: Actors, span: Span, path: str) -> Visits:
    """The sessions whose first page view was of the path."""
    found = visits(reader, scope, actors, span)
    entry = found.row.entry
    return found.only(entry == _code(reader, path, entry))


def _values(reader: Reader, scope: Scope, path: str, of: Views, entered: Visits) -> dict[str, Number]:
    stays = dwell(reader, scope, of.actors, of.span)
    seen = of.total
    return {
        "views": seen.views,
        "persons": of.actors.count_persons(seen.who),
        "entries": len(entered),
        "bounce": bounce(entered),
        "median_seconds": medians(stays).get(_code(reader, path, stays.path)),
    }


def _neighbours(reader: Reader, scope: Scope, actors: Actors, path: str) -> tuple[Integers, Integers]:
    """The page views before and after each view of the path, as codes: in its session, up to a day from the span."""
    span = scope.span
    loaded = reader.moments(
        scope.project, day_number(span.first) - 1, day_number(span.last) + 1, None, scope.environment
    )
    found, order, keys = in_sessions(loaded.only(loaded.path > 0), actors)
    found = found.only(order)
    here = (found.path == _code(reader, path, found.path)) & (found.time >= span.start) & (found.time < span.end)
    if scope.filters:
        here &= np.isin(found.sequence, moments(reader, scope, actors, span).sequence)
    same = keys[1:] == keys[:-1]
    return found.path[:-1][same & here[1:]], found.path[1:][same & here[:-1]]


def _counted(reader: Reader, codes: Integers, nothing: str = "") -> list[list[Any]]:
    """Each text with how often it occurs, the most frequent first; `nothing` stands for code 0."""
    found, numbers = np.unique(codes, return_counts=True)
    texts = {0: nothing} | reader.texts(found.tolist())
    rows = [[texts[code], number] for code, number in zip(found.tolist(), numbers.tolist(), strict=True)]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _viewers(reader: Reader, now: Views, numbering: Integers, codes: Sequence[int]) -> list[list[Any]]:
    """Persons or organizations with their views, the most frequent first."""
    found = np.zeros(len(codes) + 1, np.int64)  # the last for nobody, numbered -1
    for _, _, cell in now.days:
        who, events = cell.per_actor()
        np.add.at(found, numbering[who], events)
    shown = np.flatnonzero(found[:-1]).tolist()
    texts = reader.texts([codes[number] for number in shown])
    return sorted(([texts[codes[number]], int(found[number])] for number in shown), key=lambda row: (-row[1], row[0]))
