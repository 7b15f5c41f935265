"""Pages by path: how often and by whom they are viewed, where sessions begin and end; and one of them in detail."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="pages",
            title="Pages",
            section="Web",
            about="Paths with at least one page view in the span.",
            load=load,
            detail=detail,
        )
    ]


# numpy takes 13 MB, which a server is spared until someone asks.


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_pages.listing import listing  # noqa: PLC0415

    return listing(reader, scope)


def detail(reader: Reader, scope: Scope, path: str) -> Report:
    """One path. Raises NotFound where it was never viewed."""
    from saastracker_pages.page import page  # noqa: PLC0415

    return page(reader, scope, path)
