"""What the fields of a form suggest: the names of events that came of late."""

from collections import Counter
from contextlib import suppress

from saastracker.errors import TimeLimit
from saastracker.records import now_ms
from saastracker.scope import Scope
from saastracker.web.forms.asked import Asked
from saastracker.web.forms.shapes import Group, Maybe, Pairs, Rows, Shape

EVENT_NAME = "event-name"  # the format of fields that name events
MOST = 300
SECONDS = 1.0  # a form does not wait longer for it


def suggested(about: Asked) -> list[str]:
    """The names of the events of the last 28 days, the most frequent first; none where no field asks for one."""
    if not _asks(about.shape):
        return []
    from saastracker.index import OTHER, day_number  # noqa: PLC0415  # numpy takes 13 MB

    project, counts = about.project, Counter[str]()
    span = Scope.parse("", project=project.id, timezone=project.timezone, now=now_ms()).span
    with suppress(TimeLimit), about.site.store.reader(SECONDS) as reader:
        for day in reader.days(project.id, "name", day_number(span.first), day_number(span.last)):
            counts[day.key] += day.cell.events
    return [name for name, _ in counts.most_common(MOST) if name != OTHER]


def _asks(shape: Shape) -> bool:
    match shape:
        case Group(fields=fields):
            return any(_asks(each) for _, each in fields)
        case Rows(of=inner) | Pairs(of=inner) | Maybe(of=inner):
            return _asks(inner)
    return shape.format == EVENT_NAME
