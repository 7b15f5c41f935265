"""The people who use a product: a list of them, and everything about one of them on one page."""

from collections.abc import Sequence
from functools import partial

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.definition import Definitions
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope
from saastracker.told import Memory
from saastracker_people.search import search


@hookimpl
def reports(config: Config, definitions: Definitions, memory: Memory) -> Sequence[ReportPage]:  # noqa: ARG001
    # numpy takes 13 MB, which a server is spared until someone asks.

    def load(reader: Reader, scope: Scope) -> Report:
        from saastracker_people.listing import listing  # noqa: PLC0415

        return listing(reader, scope, memory)

    def detail(reader: Reader, scope: Scope, person: str) -> Report:
        """By the user id or any of the anonymous ids."""
        from saastracker_people.profile import profile  # noqa: PLC0415

        return profile(reader, scope, definitions, memory, person)

    return [
        ReportPage(
            slug="people",
            title="People",
            section="Customers",
            about="People with at least one event in the span; an anonymous visitor who signed in is one person.",
            load=load,
            detail=detail,
            detail_of="person",
            search=partial(search, memory),
            key="p",
        )
    ]
