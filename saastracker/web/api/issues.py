"""Error issues over the API: resolved, ignored, opened again, merged, split off."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from saastracker.errors import Conflict, NotFound
from saastracker.web.api.operation import ID_MAX, Call, operation

if TYPE_CHECKING:
    from saastracker.issues.catalogue import Catalogue, Known

TAG = "Issues"
KIND = "issue"

Key = Annotated[
    str,
    Meta(
        description="Id of an issue, its first key, as the report `errors` names it.",
        examples=["1-0123456789abcdef0123"],
    ),
]


class IssueShown(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an issue. Who and what it hit tells the report `errors`."""

    id: Key
    status: Literal["open", "regressed", "resolved", "resolved-in-next", "ignored"]
    keys: Annotated[list[str], Meta(description="What errors are known by that belong to it.")]
    definition: Annotated[str, Meta(description="Id of the definition that keeps what was decided.")] | None


class IssueChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided about an issue."""

    status: Literal["open", "resolved", "resolved-in-next", "ignored"]
    ignored_until_events: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1_000_000_000,
                description="Of `ignored` only: so many more errors open it again; null: none do.",
            ),
        ]
        | None
    ) = None


class IssueMerge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With what an issue becomes one."""

    issue: Key


class IssueSplit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What leaves an issue."""

    key: Annotated[str, Meta(description="One of its keys.")]


@operation(TAG, "GET", "/projects/{slug}/issues/{issue}", needed="viewer", answer=IssueShown)
def read_issue(call: Call) -> IssueShown:
    """One issue. All are in the report `/p/{slug}/errors.json`."""
    return _shown(_found(_catalogue(call), call.path["issue"]))


@operation(
    TAG,
    "PATCH",
    "/projects/{slug}/issues/{issue}",
    needed="member",
    body=IssueChange,
    answer=IssueShown,
    refusals=(409, 412),
)
def decide_issue(call: Call, body: IssueChange) -> IssueShown:
    """Resolve an issue, ignore it, or open it again."""
    from saastracker.issues.deciding import with_status  # noqa: PLC0415

    found = _found(_catalogue(call), call.path["issue"])
    until = body.ignored_until_events if body.status == "ignored" else None
    return _keep(call, found, with_status(found, body.status, until))


@operation(
    TAG,
    "POST",
    "/projects/{slug}/issues/{issue}/merge",
    needed="member",
    body=IssueMerge,
    answer=IssueShown,
    refusals=(409, 412),
)
def merge_issue(call: Call, body: IssueMerge) -> IssueShown:
    """Make an issue and another one the same; the one in which both are is answered."""
    from saastracker.issues.deciding import merged  # noqa: PLC0415

    known = _catalogue(call)
    one, other = _found(known, call.path["issue"]), _found(known, body.issue)
    if one is other:
        raise Conflict("Both are the same issue already.")
    return _keep(call, *merged(one, other))


@operation(
    TAG,
    "POST",
    "/projects/{slug}/issues/{issue}/split",
    needed="member",
    body=IssueSplit,
    answer=IssueShown,
    refusals=(409, 412),
)
def split_issue(call: Call, body: IssueSplit) -> IssueShown:
    """Take a key out of an issue: its errors become an issue of their own."""
    from saastracker.issues.deciding import keys, with_keys  # noqa: PLC0415

    found = _found(_catalogue(call), call.path["issue"])
    rest = [each for each in keys(found) if each != body.key]
    if len(rest) == len(keys(found)) or not rest:
        raise NotFound(f"The issue {found.id} has no key {body.key[:ID_MAX]} that could leave it.")
    return _keep(call, found, with_keys(found, rest))


def _catalogue(call: Call) -> "Catalogue":
    """Raises NotFound where no plugin keeps issues. It takes numpy, which a server is spared until then."""
    from saastracker.issues.catalogue import catalogue  # noqa: PLC0415

    if KIND not in call.site.definitions.kinds:
        raise NotFound("There are no issues here: the plugin errors is off.")
    project = call.project
    with call.site.store.reader() as reader:
        return catalogue(reader, project.id, project.timezone, call.site.definitions)


def _found(known: "Catalogue", issue: str) -> "Known":
    found = known.issues.get(known.owner(issue))
    if found is None:
        raise NotFound(f"This project has no issue {issue[:ID_MAX]}.")
    return found


def _keep(call: Call, issue: "Known", value: dict[str, Any]) -> IssueShown:
    """Write what was decided. Raises Stale if somebody else just did."""
    definitions, place = call.site.definitions, (call.project.id, KIND)
    read = definitions.read(KIND, msgspec.json.encode(value))
    if issue.defined is None:
        definitions.create(*place, value=read, who=call.who)
    else:
        definitions.replace(*place, issue.defined.id, version=issue.defined.version, value=read, who=call.who)
    return _shown(_found(_catalogue(call), value["keys"][0]))


def _shown(issue: "Known") -> IssueShown:
    keys = issue.decided.keys if issue.decided else (issue.id,)
    definition = issue.defined.id if issue.defined else None
    return IssueShown(id=issue.id, status=issue.status, keys=list(keys), definition=definition)  # type: ignore[arg-type]
