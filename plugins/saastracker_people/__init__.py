"""The people who use a product: a list of them, and one of them in detail."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="people",
            title="People",
            section="Customers",
            about="People with at least one event in the span; an anonymous visitor who signed in is one person.",
            load=load,
            detail=detail,
        )
    ]


# numpy takes 13 MB, which a server is spared until someone asks.


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_people.listing import listing  # noqa: PLC0415

    return listing(reader, scope)


def detail(reader: Reader, scope: Scope, person: str) -> Report:
    """One person, by the user id or any of the anonymous ids. Raises NotFound where no event has it."""
    from saastracker_people.profile import profile  # noqa: PLC0415

    return profile(reader, scope, person)
