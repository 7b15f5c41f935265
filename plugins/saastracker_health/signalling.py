"""Tells of signals: as a report, and once each as notices."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from saastracker.contracts import Reader
from saastracker.customers import facts
from saastracker.definition import Definitions
from saastracker.health.wording import many
from saastracker.job import JobContext, Notice
from saastracker.report import Action, Column, Note, Report, Table
from saastracker.scope import Scope, Span
from saastracker.told import Facts
from saastracker_health.kinds import Dismissal, Kind
from saastracker_health.signals import Priority, Signal, signals

ORDER: tuple[Priority, ...] = ("high", "medium", "low")
TITLES: Mapping[Kind, str] = {
    "inactive": "inactive",
    "health_drop": "health dropped",
    "usage_drop": "usage dropped",
    "expansion": "expanding",
}
COLUMNS = (
    Column("org", "Organization", link="health/{org}"),
    Column("signal", "Signal", "tag"),
    Column("since", "Since", "date", about="Since then its condition is met on every day."),
    Column("detail", "What happened"),
    Column("priority", "Priority", "tag", about="Equal ones by monthly recurring revenue."),
    Column("dismiss", "Dismiss", "action"),
)


class Told(NamedTuple):
    """A signal with the organization it is about."""

    org: str
    about: Facts
    signal: Signal


def report(reader: Reader, scope: Scope, definitions: Definitions) -> Report:
    shown, dismissed = _told(reader, scope, definitions)
    rows: list[list[Any]] = [
        [each.org, each.signal.kind, each.signal.since, each.signal.detail, each.signal.priority, _dismiss(each)]
        for each in shown
    ]
    hidden = [Note(key="dismissed", text=f"{many(dismissed, 'signal')} dismissed.")] if dismissed else []
    return Report(blocks=(*hidden, Table(key="signals", title="Signals", columns=COLUMNS, rows=rows)))


def _dismiss(told: Told) -> Action:
    value = {"org": told.org, "signal": told.signal.kind, "since": told.signal.since.isoformat()}
    return Action(label="Dismiss", kind="dismissal", value=value)


def notices(context: JobContext) -> Sequence[Notice]:
    """What yesterday raised and nobody dismissed; what goes on has the key it had at first."""
    found: list[Notice] = []
    with context.reader() as reader:
        for number, project in enumerate(context.projects):
            context.progress(number, len(context.projects))
            if context.cancelled():
                break
            now = datetime.fromtimestamp(context.now / 1000, UTC).astimezone(ZoneInfo(project.timezone))
            yesterday = now.date() - timedelta(days=1)
            scope = Scope(project=project.id, span=Span(yesterday, yesterday, project.timezone), today=now.date())
            shown, _ = _told(reader, scope, context.definitions)
            found += [_notice(project.id, each) for each in shown]
    return found


def _told(reader: Reader, scope: Scope, definitions: Definitions) -> tuple[list[Told], int]:
    """The signals to show, most urgent first, and how many were dismissed."""
    actors = reader.actors(scope.project)
    found = signals(reader, scope, actors, definitions)
    texts = reader.texts([actors.org_codes[signal.org] for signal in found])
    about = facts(reader, scope.project) if found else {}
    every = []
    for signal in found:
        org = texts[actors.org_codes[signal.org]]
        every.append(Told(org, about.get(org, Facts()), signal))
    gone = [each.value for each in definitions.of(scope.project, "dismissal")]
    shown = [told for told in every if not any(_dismisses(dismissal, told, scope) for dismissal in gone)]
    return sorted(shown, key=_urgency), len(every) - len(shown)


def _dismisses(dismissal: Dismissal, told: Told, scope: Scope) -> bool:
    """Whether it was dismissed since it began; what ended and returned has begun later."""
    same = (dismissal.org, dismissal.signal) == (told.org, told.signal.kind)
    return same and told.signal.since <= dismissal.since <= scope.span.last


def _urgency(told: Told) -> tuple[int, float, str, str]:
    return ORDER.index(told.signal.priority), -(told.about.mrr or 0), told.org, told.signal.kind


def _notice(project: str, told: Told) -> Notice:
    name, signal = told.about.name or told.org, told.signal
    # Names may be as long as a key; their digest is not.
    org = sha256(told.org.encode()).hexdigest()[:32]
    return Notice(
        project=project,
        key=f"{signal.kind}-{signal.since}-{org}",
        title=f"{name}: {TITLES[signal.kind]}",
        text=f"{signal.detail} Since {signal.since}, priority {signal.priority}.",
        link=f"organizations/{quote(told.org, safe='')}",
    )
