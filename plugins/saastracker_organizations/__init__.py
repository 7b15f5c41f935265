"""Customer organizations: who they are, how they do, and everything about one of them on one page."""

from collections.abc import Sequence
from functools import partial

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.definition import Definitions
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker.told import Memory
from saastracker_organizations.search import search


@hookimpl
def reports(config: Config, definitions: Definitions, memory: Memory) -> Sequence[ReportPage]:  # noqa: ARG001
    # numpy takes 13 MB, which a server is spared until someone asks.

    def load(reader: Reader, scope: Scope) -> Report:
        from saastracker_organizations.listing import listing  # noqa: PLC0415

        return listing(reader, scope, definitions, memory)

    def detail(reader: Reader, scope: Scope, org: str) -> Report:
        from saastracker_organizations.organization import organization  # noqa: PLC0415

        return organization(reader, scope, definitions, memory, org)

    return [
        ReportPage(
            slug="organizations",
            title="Organizations",
            section="Customers",
            about="Organizations with at least one event in the span, and how they do on its last day.",
            load=load,
            detail=detail,
            detail_of="org",
            search=partial(search, memory),
            key="o",
        )
    ]
