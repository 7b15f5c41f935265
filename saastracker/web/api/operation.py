"""An operation of the API: one definition, of which its address, its checks and its description are made."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from saastracker.accounts.model import By, Signed
from saastracker.errors import Forbidden, NotFound
from saastracker.records import Workspace, now_ms
from saastracker.roles import Role
from saastracker.web.api.fields import Nothing, Paging
from saastracker.web.callers import Caller
from saastracker.web.site import Site, check_role
from saastracker.wire import Project

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Run = TypeVar("Run", bound=Callable[..., Any])
ID_MAX = 64  # characters of an id that is told back


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to an operation, by somebody who may make it."""

    site: Site
    caller: Caller
    path: Mapping[str, str]  # what stands in the address for each `{name}`
    query: str = ""  # as it was sent
    parameters: Any = None  # the operation's own
    version: int | None = None  # that `If-Match` names
    now: int = msgspec.field(default_factory=now_ms)
    found: Project | Workspace | None = None  # what the address is about

    @property
    def project(self) -> Project:
        """Of an address with `{slug}`."""
        assert isinstance(self.found, Project)  # noqa: S101  # for mypy
        return self.found

    @property
    def after(self) -> str:
        """The key of the item that a page of a list begins behind; empty: it begins with the first."""
        return bytes.fromhex(self.parameters.after).decode(errors="replace")

    @property
    def workspace(self) -> Workspace:
        """Of an address with `{workspace}`."""
        assert isinstance(self.found, Workspace)  # noqa: S101  # for mypy
        return self.found

    @property
    def who(self) -> str:
        """For the audit trail."""
        return self.caller.name

    @property
    def by(self) -> By:
        """As who the caller changes the workspace."""
        return By(self.who, self.caller.role_in(self.workspace.id) or "viewer")

    @property
    def signed(self) -> Signed:
        """Raises Forbidden for a token."""
        if self.caller.signed is None:
            raise Forbidden("This is about an account, and a token has none. Sign in with e-mail and password.")
        return self.caller.signed

    def enter(self, workspace: str, needed: Role) -> Workspace:
        """Another workspace than the address names. Raises NotFound, Forbidden."""
        found = self.site.facts.snapshot.workspaces.get(workspace)
        role = self.caller.role_in(workspace)
        if found is None or role is None:
            raise NotFound(f"There is no workspace {workspace[:ID_MAX]} here.")
        check_role(self.caller, role, needed)
        return found


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked at one address by one method."""

    method: Method
    path: str  # below /api/v1, with `{name}` for what changes
    tag: str  # the group it stands in
    needed: Role | None  # None: whoever is known; it is about themselves
    run: Callable[..., Any]  # of a Call, and of the body where there is one; in a thread
    title: str
    about: str
    body: Any = None  # its type; Raw: as it was sent
    answer: Any = None  # type of the answer, of a list that of each item; None: there is none
    status: int = 200
    listed: Callable[[Any], str] | None = None  # the answer is a list, in the order of this key
    newest_first: bool = False  # in the opposite order
    paged: bool = False  # the answer begins behind `call.after`, and need not go on beyond one page and an item
    versioned: bool = False  # it takes `If-Match`; PUT needs it
    scoped: bool = False  # it takes what reports take, and reads `Call.query` itself
    parameters: type[msgspec.Struct] = Nothing
    refusals: Sequence[int] = ()  # statuses beside those that all have
    deleted: bool = False  # it is about a project that was deleted
    variant: str = ""  # of one that is described for each kind of definition
    location: str = ""  # address of what was made, with `{name}` of its fields or of the path

    @property
    def name(self) -> str:
        """Unique, for clients that are generated."""
        return f"{self.run.__name__}_{self.variant.replace('-', '_')}".rstrip("_")


def operation(tag: str, method: Method, path: str, *, needed: Role | None, **more: Any) -> Callable[[Run], Run]:
    """Makes a function an operation; its docstring's first sentence is the title."""

    def keep(run: Run) -> Run:
        title, _, about = (run.__doc__ or "").partition("\n")
        if "listed" in more:
            more.setdefault("parameters", Paging)
        run.operation = Operation(  # type: ignore[attr-defined]
            method=method,
            path=path,
            tag=tag,
            needed=needed,
            run=run,
            title=title.rstrip("."),
            about=" ".join(about.split()),
            **more,
        )
        return run

    return keep


def operations(module: Any) -> list[Operation]:
    """Those of a module, in the order in which they stand there."""
    found = (getattr(each, "operation", None) for each in vars(module).values())
    return [each for each in found if isinstance(each, Operation) and each.run.__module__ == module.__name__]
