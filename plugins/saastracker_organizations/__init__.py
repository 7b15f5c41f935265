"""Customer organizations: who they are, how many people are active and how much; and one of them in detail."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="organizations",
            title="Organizations",
            section="Customers",
            about="Organizations with at least one event in the span.",
            load=load,
            detail=detail,
        )
    ]


# numpy takes 13 MB, which a server is spared until someone asks.


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_organizations.listing import listing  # noqa: PLC0415

    return listing(reader, scope)


def detail(reader: Reader, scope: Scope, org: str) -> Report:
    """One organization. Raises NotFound where no event ever named it."""
    from saastracker_organizations.organization import organization  # noqa: PLC0415

    return organization(reader, scope, org)
