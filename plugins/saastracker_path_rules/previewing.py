"""What rules would have made of the paths of a span."""

from collections import Counter

from saastracker.contracts import Reader
from saastracker.index import OTHER, day_number
from saastracker.report import Block, Column, Figure, Figures, Note, Report, Table
from saastracker.scope import Scope
from saastracker_path_rules.patterns import Cleaner, PathRules

COLUMNS = (
    Column("path", "Path", "code"),
    Column("becomes", "Becomes", "code"),
    Column("events", "Events", "number", look="rank"),
)


def preview(reader: Reader, scope: Scope, rules: PathRules) -> Report:
    """The paths of the span that the rules change; those stored under earlier rules are as those left them."""
    events: Counter[str] = Counter()
    first, last = day_number(scope.span.first), day_number(scope.span.last)
    for namespace in ("path", "page"):
        for _, path, cell in reader.days(scope.project, namespace, first, last):
            events[path] += cell.events
    several = events.pop(OTHER, 0)
    cleaner = Cleaner(rules)
    becomes = {path: cleaner.clean(path) for path in events}
    changed = sorted((path for path in events if becomes[path] != path), key=lambda path: (-events[path], path))
    rows = [[path, becomes[path], events[path]] for path in changed]
    days = (scope.span.last - scope.span.first).days + 1
    blocks: list[Block] = [
        Figures(
            key="paths",
            title=f"Paths of the last {days} days",
            figures=(
                Figure(key="before", label="Different paths now", value=len(events)),
                Figure(key="after", label="With these rules", value=len({*becomes.values()})),
                Figure(key="events", label="Events that change", value=sum(events[path] for path in changed)),
            ),
        ),
        Table(key="changes", title="Paths that change", columns=COLUMNS, rows=rows),
    ]
    if several:
        text = f"Some days have more paths than are counted one by one: {several:,} events are not in this."
        blocks.append(Note(key="several", text=text))
    return Report(blocks=tuple(blocks))
