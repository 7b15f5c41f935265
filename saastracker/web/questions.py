"""What pages ask of a report: of all that it lists or of one thing, and where they begin."""

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import parse_qsl, urlencode

from saastracker.contracts import Reader, ReportPage
from saastracker.errors import NotFound
from saastracker.report import Report
from saastracker.scope import Parameter, Scope


def question(page: ReportPage, item: str | None) -> tuple[Callable[[Reader, Scope], Report], tuple[Parameter, ...]]:
    """How a report, or one thing that it lists, is loaded, and what only that asks. Raises NotFound."""
    if item is None:
        return page.load, page.parameters
    if page.detail is None:
        raise NotFound(f"The report {page.slug} has no details.")
    return partial(_detail, page.detail, item), page.detail_parameters


def opened(query: str, declared: Sequence[Parameter]) -> str:
    """What a page is asked whose address says nothing of the report's own: something worth looking at."""
    if {name for name, _ in parse_qsl(query, keep_blank_values=True)} & {each.name for each in declared}:
        return query
    opening = urlencode({each.name: each.opening for each in declared if each.opening})
    return "&".join(part for part in (query, opening) if part)


def begun(query: str, environment: str) -> str:
    """What a page is asked whose address names no environment, not even a blank one: where the project begins."""
    if not environment or "environment" in dict(parse_qsl(query, keep_blank_values=True)):
        return query
    return "&".join(part for part in (query, urlencode({"environment": environment})) if part)


def _detail(detail: Callable[[Reader, Scope, str], Report], item: str, reader: Reader, scope: Scope) -> Report:
    return detail(reader, scope, item)
