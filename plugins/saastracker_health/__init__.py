"""Customer health: a score of every organization that explains itself, signals worth acting on, and a back-test."""

from collections.abc import Sequence

from saastracker.contracts import Config, Digest, Reader, ReportPage
from saastracker.definition import Definition, Definitions
from saastracker.health.model import KIND, HealthModel, check
from saastracker.hookspecs import hookimpl
from saastracker.job import Daily, Job, JobContext, Notice, Topic
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker_health.kinds import Churn, Dismissal

# numpy takes 13 MB, which a server is spared until someone asks.


@hookimpl
def reports(config: Config, definitions: Definitions) -> Sequence[ReportPage]:  # noqa: ARG001
    def health(reader: Reader, scope: Scope) -> Report:
        from saastracker_health.listing import listing  # noqa: PLC0415

        return listing(reader, scope, definitions)

    def explained(reader: Reader, scope: Scope, org: str) -> Report:
        from saastracker_health.explaining import explained  # noqa: PLC0415

        return explained(reader, scope, definitions, org)

    def signals(reader: Reader, scope: Scope) -> Report:
        from saastracker_health.signalling import report  # noqa: PLC0415

        return report(reader, scope, definitions)

    return [
        ReportPage(
            slug="health",
            title="Health",
            section="Customers",
            about="How organizations do on the last day of the span: a score from 0 to 100 of five components.",
            load=health,
            detail=explained,
            defines=(KIND, "churn"),
        ),
        ReportPage(
            slug="signals",
            title="Signals",
            section="Customers",
            about="Organizations that need someone on the last day of the span, and since when.",
            load=signals,
            defines=("dismissal",),
            digest=Digest(blocks={"signals": "Organizations that need someone"}),
        ),
    ]


@hookimpl
def definitions(config: Config) -> Sequence[Definition]:  # noqa: ARG001
    return [
        Definition(
            kind=KIND,
            title="Health model",
            about="The window, weights, targets and bands of the score that organizations get.",
            struct=HealthModel,
            check=check,
            preview=preview,
            most=1,
        ),
        Definition(
            kind="churn",
            title="Churned organizations",
            about="Organizations that left, and when: the back-test looks at their scores before.",
            struct=Churn,
            by_hand=False,
        ),
        Definition(
            kind="dismissal",
            title="Dismissed signals",
            about="Signals that are not shown while their condition goes on without a break.",
            struct=Dismissal,
            by_hand=False,
        ),
    ]


def preview(
    reader: Reader, scope: Scope, definitions: Definitions, model: HealthModel, current: HealthModel | None
) -> Report:
    """Which organizations would change band."""
    from saastracker_health.previewing import preview as changed  # noqa: PLC0415

    return changed(reader, scope, definitions, model, current)


@hookimpl
def jobs(config: Config) -> Sequence[Job]:  # noqa: ARG001
    topic = Topic(title="Signals: organizations that need someone", default="admin")
    return [
        Job(name="signals", title="Tell of signals", trigger=Daily(hour=6, each_project=True), run=tell, topic=topic)
    ]


def tell(context: JobContext) -> Sequence[Notice]:
    """A notice for every signal of yesterday, the last day that is whole."""
    from saastracker_health.signalling import notices  # noqa: PLC0415

    return notices(context)
