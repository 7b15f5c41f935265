"""Which issues rules of grouping would merge or split."""

from collections import Counter, defaultdict
from typing import Any

from saastracker.contracts import Reader
from saastracker.issues.kinds import Grouping, key_of
from saastracker.issues.raw import candidates, read
from saastracker.report import Block, Column, Figure, Figures, Note, Report, Table
from saastracker.scope import Scope

ERRORS_MAX = 5000

COLUMNS = (
    Column("change", "Change", "tag"),
    Column("title", "Issue", about="What its newest error says."),
    Column("events", "Errors", "number", look="rank"),
    Column("issue", "Key by the rules", "code", "wide"),
    Column("before", "Keys now", "code", "wide"),
)


def regrouped(reader: Reader, scope: Scope, grouping: Grouping, current: Grouping | None) -> Report:
    """Compares the rules with those in use, if any, over the newest errors of the span."""
    events: Counter[str] = Counter()
    titles: dict[str, str] = {}
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    found = candidates(reader, scope, reader.actors(scope.project), scope.span)
    for number, error in enumerate(read(reader, found)):
        if number == ERRORS_MAX:
            break
        old, new = key_of(error.error, current), key_of(error.error, grouping)
        events[new] += 1
        titles.setdefault(new, error.error.title)
        before[new].add(old)
        after[old].add(new)
    rows: list[list[Any]] = []
    for new in sorted(events, key=lambda new: (-events[new], new)):
        if before[new] != {new}:
            change = _change(before[new], after)
            rows.append([change, titles[new], events[new], new, ", ".join(sorted(before[new]))])
    figures = (
        Figure(key="issues", label="Issues", value=len(events), previous=len(after)),
        Figure(key="events", label="Errors looked at", value=events.total()),
    )
    blocks: list[Block] = [
        Figures(key="totals", title="With these rules, against now", figures=figures),
        Table(key="changes", title="Issues that would change", columns=COLUMNS, rows=rows),
    ]
    if events.total() == ERRORS_MAX:
        blocks.insert(0, Note(key="newest", text=f"Only the newest {ERRORS_MAX:,} errors of the span were looked at."))
    return Report(blocks=tuple(blocks))


def _change(old: set[str], after: dict[str, set[str]]) -> str:
    split = any(len(after[each]) > 1 for each in old)
    merged = len(old) > 1
    return "merged and split" if merged and split else "merged" if merged else "split" if split else "new key"
