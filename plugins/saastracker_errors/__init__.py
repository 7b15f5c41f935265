"""Errors as issues: grouped by cause, ranked by the organizations they hit, resolved, ignored, merged, seen again."""

from collections.abc import Sequence
from functools import partial

from saastracker.contracts import Config, Digest, Reader, ReportPage
from saastracker.definition import Definition, Definitions
from saastracker.hookspecs import hookimpl
from saastracker.issues import counted
from saastracker.issues.kinds import GROUPING, ISSUE, Grouping, Issue, check_grouping, check_issue
from saastracker.job import Every, Job, JobContext, Notice, Topic
from saastracker.report import Report
from saastracker.scope import Parameter, Scope
from saastracker.tagger import Tagger

ISSUES_MAX = 10_000  # with a decision, in one project
STATUS = Parameter(
    name="status",
    label="Status",
    choices={"open": "Open", "new": "New in the span", "resolved": "Resolved", "ignored": "Ignored", "all": "All"},
    default="open",
)


@hookimpl
def taggers(config: Config) -> Sequence[Tagger]:  # noqa: ARG001
    return counted.taggers()


@hookimpl
def definitions(config: Config) -> Sequence[Definition]:  # noqa: ARG001
    return [
        Definition(
            kind=ISSUE,
            title="Issues",
            about="Errors that somebody resolved, ignored or merged.",
            struct=Issue,
            check=check_issue,
            most=ISSUES_MAX,
            by_hand=False,
        ),
        Definition(
            kind=GROUPING,
            title="Error grouping",
            about="Rules by which errors become one issue or several.",
            struct=Grouping,
            check=check_grouping,
            preview=preview,
            most=1,
        ),
    ]


@hookimpl
def reports(config: Config, definitions: Definitions) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="errors",
            title="Errors",
            section="Errors",
            about="Errors with the same cause are one issue; those that hit most organizations stand first.",
            parameters=(STATUS,),
            load=partial(load, definitions=definitions),
            detail=partial(detail, definitions=definitions),
            defines=(GROUPING, ISSUE),
            key="e",
            digest=Digest(blocks={"issues": "New errors"}, query="status=new"),
        )
    ]


@hookimpl
def jobs(config: Config) -> Sequence[Job]:  # noqa: ARG001
    topic = Topic(title="New and returning errors", default="admin")
    return [Job(name="errors", title="Look for new and returning errors", trigger=Every(60), run=run, topic=topic)]


# numpy takes 13 MB, which a server is spared until someone asks.


def load(reader: Reader, scope: Scope, *, definitions: Definitions) -> Report:
    from saastracker_errors.listing import listing  # noqa: PLC0415

    return listing(reader, scope, definitions)


def detail(reader: Reader, scope: Scope, issue: str, *, definitions: Definitions) -> Report:
    """One issue. Raises NotFound where no error belongs to it."""
    from saastracker_errors.page import page  # noqa: PLC0415

    return page(reader, scope, issue, definitions)


def preview(
    reader: Reader,
    scope: Scope,
    definitions: Definitions,  # noqa: ARG001
    grouping: Grouping,
    current: Grouping | None,
) -> Report:
    """Which issues rules of grouping would merge or split."""
    from saastracker_errors.regrouping import regrouped  # noqa: PLC0415

    return regrouped(reader, scope, grouping, current)


def run(context: JobContext) -> Sequence[Notice]:
    from saastracker_errors.notices import notices  # noqa: PLC0415

    return notices(context)
