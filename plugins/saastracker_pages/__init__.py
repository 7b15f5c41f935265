"""Pages by path: how often and by whom they are viewed, where sessions begin and end; and one of them in detail."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.errors import NotFound
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Parameter, Scope


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
            detail_parameters=(Parameter(name="path", label="Path"),),
        )
    ]


# numpy takes 13 MB, which a server is spared until someone asks.


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_pages.listing import listing  # noqa: PLC0415

    return listing(reader, scope)


def detail(reader: Reader, scope: Scope, item: str) -> Report:
    """At `pages/detail?path=`, as a path in an address of its own would lose slashes on the way: one path.

    Raises NotFound where it was never viewed.
    """
    path = scope.parameters["path"]
    if item != "detail" or not path:
        raise NotFound("A page is at pages/detail?path=, with its path behind that.", reason="unknown_path")
    from saastracker_pages.page import page  # noqa: PLC0415

    return page(reader, scope, path)
