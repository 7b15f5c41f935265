"""What the fields of a form suggest: the names of events that came of late, and environments."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from saastracker import environments
from saastracker.contracts import Reader
from saastracker.errors import TimeLimit
from saastracker.records import now_ms
from saastracker.scope import Scope
from saastracker.web.forms.asked import Asked
from saastracker.web.forms.shapes import Group, Maybe, Pairs, Rows, Shape
from saastracker.wire import Project

EVENT_NAME = "event-name"  # the format of fields that name events
MOST = 300
SECONDS = 1.0  # a form does not wait longer for it


def suggested(about: Asked) -> dict[str, list[str]]:
    """By format, as far as fields have it: names of events of the last 28 days, most frequent first; environments."""
    with suppress(TimeLimit), about.site.store.reader(SECONDS) as reader:
        return {name: known(reader, about.project) for name, known in _KNOWN.items() if _asks(about.shape, name)}
    return {}


def _names(reader: Reader, project: Project) -> list[str]:
    from saastracker.index import OTHER, day_number  # noqa: PLC0415  # numpy takes 13 MB

    counts = Counter[str]()
    span = Scope.parse("", project=project.id, timezone=project.timezone, now=now_ms()).span
    for day in reader.days(project.id, "name", day_number(span.first), day_number(span.last)):
        counts[day.key] += day.cell.events
    return [name for name, _ in counts.most_common(MOST) if name != OTHER]


def _environments(reader: Reader, project: Project) -> list[str]:
    return reader.environments(project.id)[:MOST]


_KNOWN: dict[str, Callable[[Reader, Project], list[str]]] = {EVENT_NAME: _names, environments.FORMAT: _environments}


def _asks(shape: Shape, wanted: str) -> bool:
    match shape:
        case Group(fields=fields):
            return any(_asks(each, wanted) for _, each in fields)
        case Rows(of=inner) | Pairs(of=inner) | Maybe(of=inner):
            return _asks(inner, wanted)
    return shape.format == wanted
