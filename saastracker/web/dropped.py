"""What reports say of events that are missing: those that were dropped over budget, or are not counted yet."""

import msgspec

from saastracker.conditions import DAY_MS
from saastracker.contracts import Reader
from saastracker.quota import OVER_BUDGET
from saastracker.report import Note, Report, counting
from saastracker.scope import Scope
from saastracker.web.formats import days
from saastracker.web.numbers import exact

KEY = "dropped"  # of the note
UNCOUNTED = Note(key=KEY, text="Some events that came on these days were not stored.")  # for who sees only a part


def with_dropped(reader: Reader, scope: Scope, report: Report) -> Report:
    """The report, with a note if events were dropped on the days, UTC, of the scope's span."""
    span = scope.span
    dropped = reader.refusals(scope.project, span.start // DAY_MS, (span.end - 1) // DAY_MS).get(OVER_BUDGET, 0)
    if not dropped:
        return report
    when = days(span.first, span.last, span.last.year)
    text = f"Events that came on {when} (UTC) and were dropped, as the month's budget was used up: {exact(dropped)}."
    note = Note(key=KEY, text=text)
    return msgspec.structs.replace(report, blocks=(note, *report.blocks))


def with_uncounted(reader: Reader, report: Report) -> Report:
    """The report, with a note while the index is being made, unless it says itself that something is counted."""
    notes = [note for note in counting(reader.counted()) if all(block.key != note.key for block in report.blocks)]
    return msgspec.structs.replace(report, blocks=(*notes, *report.blocks))
