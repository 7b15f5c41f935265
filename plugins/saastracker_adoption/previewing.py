"""What a feature would say of the span if it were saved, against what it says now."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Defined
from saastracker.errors import Invalid
from saastracker.report import Block, Column, Figure, Figures, Note, Report, Table, Unit
from saastracker.rules import Rule, wording
from saastracker.scope import Scope
from saastracker_adoption.counting import Adoption, adoptions
from saastracker_adoption.feature import Feature
from saastracker_adoption.uses import counted

RULES = (
    Column("rule", "Rule"),
    Column("events", "Events", "number", look="rank", about="That the rule matches in the span."),
    Column("organizations", "Organizations", "number", about="With such an event."),
    Column("persons", "Persons", "number", about="With such an event."),
)
CHANGES = (
    Column("org", "Organization", link="organizations/{org}"),
    Column("change", "Change", "tag", about="Gained: an adopter only if you save. Lost: an adopter only as it is now."),
    Column("events", "Events", "number", look="rank", about="Matching events in the span, if you save."),
    Column("events_before", "Events now", "number", about="Matching events in the span, as it is now."),
)


def preview(reader: Reader, scope: Scope, feature: Feature, current: Feature | None) -> Report:
    """Counted from the events of the span, of a feature that is still being counted, too."""
    actors = reader.actors(scope.project)
    asked = {"after": feature, **({"before": current} if current else {})}
    asked |= {f"rule {place}": _alone(rule) for place, rule in enumerate(feature.rules)}
    features = [Defined(id=key, version=0, value=value, created_at=0, updated_at=0) for key, value in asked.items()]
    try:
        used = counted(reader, scope, actors, scope.span, features)
    except Invalid:
        text = "The rules name more events of this span than a preview looks at one by one."
        return Report(blocks=(Note(key="many", text=text),))
    found = adoptions(reader, scope, actors, scope.span, features, {key: {} for key in asked}, used)
    after, before = found["after"], found.get("before")
    rules = [
        [wording(rule), int(one.used.events.sum()), one.adopters, one.person_adopters]
        for place, rule in enumerate(feature.rules)
        for one in (found[f"rule {place}"],)
    ]
    return Report(
        blocks=(
            Figures(key="totals", title=_title(scope, current), figures=_figures(after, before)),
            *_silent(rules),
            Table(key="rules", title="What each rule matches", columns=RULES, rows=rules),
            _organizations(reader, actors, after, before),
        )
    )


def _alone(rule: Rule) -> Feature:
    return Feature(name=rule.name, rules=(rule,))


def _title(scope: Scope, current: Feature | None) -> str:
    days = (scope.span.last - scope.span.first).days + 1
    return f"In the last {days} days{', against how it is now' if current else ''}"


def _figures(after: Adoption, before: Adoption | None) -> tuple[Figure, ...]:
    names: Mapping[str, tuple[str, Unit, str]] = {
        "adopters": ("Adopters", "count", "Organizations with as many matching events as it asks for."),
        "adoption": ("Adoption", "share", "Adopters / active organizations that it is meant for."),
        "person_adopters": ("Person adopters", "count", "People with a matching event."),
    }
    counts = tuple(
        Figure(
            key=key,
            label=label,
            value=getattr(after, key),
            previous=None if before is None else getattr(before, key),
            unit=unit,
            about=about,
        )
        for key, (label, unit, about) in names.items()
    )
    events, events_before = (None if each is None else int(each.used.events.sum()) for each in (after, before))
    return (*counts, Figure(key="events", label="Events", value=events, previous=events_before, about="That match."))


def _silent(rules: list[list[Any]]) -> list[Block]:
    """A rule without an event is often one that is mistyped."""
    silent = [name for name, events, *_ in rules if not events]
    text = f"No event matches {' or '.join(silent)}." if silent else ""
    return [Note(key="silent", text=text)] if text else []


def _organizations(reader: Reader, actors: Actors, after: Adoption, before: Adoption | None) -> Block:
    """All adopters of a new feature; of another one those that would begin or cease to be adopters."""
    texts = reader.texts(actors.org_codes)
    rows: list[list[Any]] = []
    if before is None:
        adopting = np.flatnonzero(after.adopting).tolist()
        rows = [[texts[actors.org_codes[org]], int(after.events[org])] for org in adopting]
        rows.sort(key=lambda row: (-row[1], row[0]))
        return Table(key="organizations", title="Adopters", columns=(CHANGES[0], CHANGES[2]), rows=rows)
    for org in np.flatnonzero(after.adopting != before.adopting).tolist():
        said = "gained" if after.adopting[org] else "lost"
        rows.append([texts[actors.org_codes[org]], said, int(after.events[org]), int(before.events[org])])
    if not rows:
        return Note(key="same", text="No organization would begin or cease to count.")
    rows.sort(key=lambda row: (row[1], -row[2], -row[3], row[0]))
    return Table(key="organizations", title="Organizations that would change", columns=CHANGES, rows=rows)
