"""The list of pages that were viewed in a span."""

from typing import Any

from saastracker.contracts import Reader
from saastracker.dwell import dwell
from saastracker.index import OTHER
from saastracker.report import Column, Figure, Number, Report, Table
from saastracker.scope import Scope
from saastracker.sums import Landings, landings
from saastracker_pages.views import Views, medians, series, totals, views

VIEWED = "type=pageview&f=path:is:{path}"  # the views that a row counts
COLUMNS = (
    Column("path", "Path", "code", link="pages/detail?path={path}", dimension="path"),
    Column("views", "Views", "number", look="rank", link=f"stream?{VIEWED}", about="Page views in the span."),
    Column(
        "persons",
        "Persons",
        "number",
        link=f"people?{VIEWED}",
        about="Distinct persons with a view of the page in the span.",
    ),
    Column(
        "organizations",
        "Organizations",
        "number",
        "wide",
        link=f"organizations?{VIEWED}",
        about="Distinct organizations with such a view.",
    ),
    Column(
        "entries",
        "Entries",
        "number",
        link="sessions?entry={path}",
        about="Sessions whose first page view it was.",
    ),
    Column("exits", "Exits", "number", link="sessions?exit={path}", about="Sessions whose last page view it was."),
    Column("bounce", "Bounce", "number", unit="share", about="The entries that had no other event, as their share."),
    Column(
        "median_seconds",
        "Median time",
        "number",
        unit="seconds",
        about="From a view to the next event of its session, at most 30 minutes; the last view of a session counts "
        "only if the page told when it was left.",
    ),
)
FIGURES = (
    Figure(
        key="views", label="Views", value=None, good="up", link="stream?type=pageview", about="Page views in the span."
    ),
    Figure(
        key="persons",
        label="Persons",
        value=None,
        good="up",
        link="people?type=pageview",
        about="People with a page view in the span.",
    ),
    Figure(
        key="sessions",
        label="Sessions",
        value=None,
        good="up",
        about="Sessions with a page view that began in the span.",
    ),
    Figure(
        key="bounce",
        label="Bounce",
        value=None,
        unit="share",
        good="down",
        about="The share of these sessions that had one event; leaving a page and vitals are not counted.",
    ),
)


def listing(reader: Reader, scope: Scope) -> Report:
    actors = reader.actors(scope.project)
    now = views(reader, scope, actors, scope.span)
    before = views(reader, scope, actors, scope.compared) if scope.compared else None
    landed = landings(reader, scope, actors, scope.span)
    values = _values(now, landed)
    earlier = None
    if before:
        earlier = _values(before, landings(reader, scope, actors, before.span))
    median = medians(dwell(reader, scope, actors, scope.span))
    table = Table(key="paths", title="Pages", columns=COLUMNS, rows=_rows(reader, now, landed, median))
    return Report(blocks=(totals(FIGURES, values, earlier), series(now, before), table))


def _rows(reader: Reader, now: Views, landed: Landings, median: dict[int, float]) -> list[list[Any]]:
    """Most views first. Of a session that reached over midnight, views are not all in the span."""
    by_path = landed.by_path()
    texts = reader.texts([*{*by_path, *median}])
    code_of = {text: code for code, text in texts.items()}
    rows: list[list[Any]] = []
    seen = now.by_path
    for path in sorted(seen, key=lambda path: (-seen[path].views, path)):
        who = seen[path].who
        numbers: list[Any] = [seen[path].views, now.actors.count_persons(who), now.actors.count_organizations(who)]
        if path == OTHER:  # sessions do not know which paths these are
            rows.append([path, *numbers, None, None, None, None])
            continue
        code = code_of.get(path, -1)  # 0 is a view without a path
        entries, exits, bounced = by_path.get(code, (0, 0, 0))
        rows.append([path, *numbers, entries, exits, bounced / entries if entries else None, median.get(code)])
    return rows


def _values(of: Views, landed: Landings) -> dict[str, Number]:
    seen = of.total
    sessions = int(landed.entries.sum())
    return {
        "views": seen.views,
        "persons": of.actors.count_persons(seen.who),
        "sessions": sessions,
        "bounce": int(landed.bounced.sum()) / sessions if sessions else None,
    }
