"""What another health model would change."""

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.health.model import HealthModel
from saastracker.health.scoring import scores
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope
from saastracker_health.listing import bands

COLUMNS = (
    Column("org", "Organization", link="health/{org}"),
    Column("score", "Score", "number"),
    Column("band", "Band", "tag", look="status"),
    Column("new_score", "New score", "number"),
    Column("new_band", "New band", "tag", look="status"),
)


def preview(
    reader: Reader, scope: Scope, definitions: Definitions, model: HealthModel, current: HealthModel | None
) -> Report:
    """The organizations that would be in another band on the last day of the span; None: by the default model."""
    actors = reader.actors(scope.project)
    before = scores(reader, scope, actors, definitions, model=current or HealthModel())
    after = scores(reader, scope, actors, definitions, model=model)
    texts = reader.texts(actors.org_codes)
    rows = []
    for column, code in enumerate(actors.org_codes):
        old, new = before.health(0, column), after.health(0, column)
        if old and new and old.band != new.band:
            rows.append([texts[code], *old, *new])
    return Report(
        blocks=(
            bands(after.healths(0), before.healths(0)),
            Table(key="changes", title="Organizations in another band", columns=COLUMNS, rows=sorted(rows)),
        )
    )
