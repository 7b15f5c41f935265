"""All features of a project: how far each is adopted, and which organizations use which."""

from collections.abc import Mapping, Sequence
from math import fsum

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Defined
from saastracker.report import Block, Column, Figure, Figures, Grid, Note, Report, Table, counting
from saastracker.scope import Scope
from saastracker_adoption.counting import Adoption, adoptions, first_uses
from saastracker_adoption.feature import KIND

COLUMNS = (
    Column("feature", "Feature", link="adoption/{id}"),
    Column(
        "active_orgs",
        "Active orgs",
        "number",
        "wide",
        link="adoption/{id}",
        about="Organizations with an event in the span, on a plan that the feature is meant for.",
    ),
    Column(
        "adopters",
        "Adopters",
        "number",
        link="adoption/{id}",
        about="Of those, the ones with as many matching events as it asks for.",
    ),
    Column("adoption", "Adoption", "number", unit="share", look="ratio", about="Adopters / active organizations."),
    Column(
        "active_persons",
        "Active persons",
        "number",
        "wide",
        link="adoption/{id}",
        about="People with an event in the span; of a feature that is meant for some plans, in those organizations.",
    ),
    Column(
        "person_adopters",
        "Person adopters",
        "number",
        link="adoption/{id}",
        about="Of those, the ones with a matching event.",
    ),
    Column("person_adoption", "Person adoption", "number", "wide", unit="share", about="Adopting / active persons."),
    Column("depth", "Depth", "number", about="Matching events per adopting organization."),
    Column(
        "breadth",
        "Breadth",
        "number",
        unit="share",
        about="The share of an adopter's active persons who use it, mean over adopters with active persons.",
    ),
    Column(
        "median_days_to_adopt",
        "Time to adopt",
        "number",
        "wide",
        unit="days",
        about="Whole days from an adopter's first event ever to its first use ever, in any environment; the median.",
    ),
    Column(
        "gained",
        "Gained",
        "number",
        link="adoption/{id}",
        about="Adopters in this span that were none in the span before.",
    ),
    Column("kept", "Kept", "number", "wide", link="adoption/{id}", about="Adopters in both spans."),
    Column(
        "lost", "Lost", "number", link="adoption/{id}", about="Adopters in the span before that are none in this one."
    ),
    Column("id", "Id", "code", "never"),
)
MATRIX_ROWS = 1000


def listing(reader: Reader, scope: Scope, features: Sequence[Defined]) -> Report:
    actors = reader.actors(scope.project)
    first = first_uses(reader, scope, actors, features)
    now = adoptions(reader, scope, actors, scope.span, features, first)
    before = adoptions(reader, scope, actors, scope.compared, features, first) if scope.compared else None
    features = sorted(features, key=lambda each: -(now[each.id].adoption or 0))
    rows = []
    for each in features:
        numbers = [getattr(now[each.id], column.key) for column in COLUMNS[1:10]]
        rows.append([each.value.name, *numbers, *_changes(now[each.id], before[each.id] if before else None), each.id])
    blocks: list[Block] = [_how_to_begin()] if not features else []
    blocks += followed(reader, scope, features)
    if features:
        blocks.append(_totals(now, before))
    blocks.append(Table(key="features", title="Adoption by feature", columns=COLUMNS, rows=rows))
    blocks.append(_matrix(reader, actors, features, now))
    return Report(blocks=tuple(blocks))


def _changes(now: Adoption, before: Adoption | None) -> tuple[int | None, int | None, int | None]:
    """How many adopters were gained, kept and lost; None where spans are not compared."""
    if before is None:
        return None, None, None
    gained, kept = now.adopting & ~before.adopting, now.adopting & before.adopting
    lost = before.adopting & ~now.adopting
    return int(gained.sum()), int(kept.sum()), int(lost.sum())


def followed(reader: Reader, scope: Scope, features: Sequence[Defined]) -> tuple[Note, ...]:
    """What to tell while new or changed features are still followed."""
    return counting(min((reader.tagged(scope.project, KIND, each.id) for each in features), default=1.0))


def _how_to_begin() -> Note:
    return Note(
        key="empty",
        title="No features yet",
        text="A feature is a name with rules that say which events are its use, such as Exports: the events "
        "report.exported. Define one with the button above; it counts from the first event there is.",
    )


def _totals(now: Mapping[str, Adoption], before: Mapping[str, Adoption] | None) -> Figures:
    gained = lost = None
    if before is not None:
        each = [_changes(now[key], before[key]) for key in now]
        gained, lost = (sum(change[place] or 0 for change in each) for place in (0, 2))
    return Figures(
        key="totals",
        title="In the span",
        figures=(
            Figure(key="features", label="Features", value=len(now)),
            Figure(
                key="adoption",
                label="Mean adoption",
                value=_mean(now),
                unit="share",
                previous=None if before is None else _mean(before),
                good="up",
                about="Mean over features of adopters / active organizations.",
            ),
            Figure(key="gained", label="Gained", value=gained, about="New adopters of a feature, over all features."),
            Figure(key="lost", label="Lost", value=lost, about="Adopters of a feature no longer, over all features."),
        ),
    )


def _mean(found: Mapping[str, Adoption]) -> float | None:
    values = [each.adoption for each in found.values() if each.adoption is not None]
    return fsum(values) / len(values) if values else None


def _matrix(reader: Reader, actors: Actors, features: Sequence[Defined], now: Mapping[str, Adoption]) -> Grid:
    """Matching events by organization and feature; those that use most stand first."""
    found = [now[each.id] for each in features]
    present = found[0].active if found else np.zeros(0, bool)
    adopted = np.sum([each.adopting for each in found], axis=0)
    events = np.sum([each.events for each in found], axis=0)
    orgs = sorted(np.flatnonzero(present).tolist(), key=lambda org: (-adopted[org], -events[org], org))
    shown = orgs[:MATRIX_ROWS]
    texts = reader.texts([actors.org_codes[org] for org in shown])
    return Grid(
        key="matrix",
        title="Who uses what" if shown == orgs else f"Who uses what: the {MATRIX_ROWS} organizations that use most",
        rows=tuple(texts[actors.org_codes[org]] for org in shown),
        columns=tuple(each.value.name for each in features),
        values=[[int(each.events[org]) if each.eligible[org] else None for each in found] for org in shown],
        kind="matrix",
        link="organizations/{row}",
    )
