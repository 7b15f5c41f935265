"""Who asks: a user who is signed in, or a program with an API token; and what each may."""

from collections.abc import Mapping

import msgspec

from saastracker.accounts.model import Signed
from saastracker.records import AccessScope, Token
from saastracker.roles import ROLES, Role, may
from saastracker.wire import Project

# What a token of each scope may, as if it were a user of that role.
SCOPE_ROLES: Mapping[AccessScope, Role] = {"read": "viewer", "write": "member", "admin": "admin"}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """One of both. A user belongs to workspaces in roles, a token to one, and perhaps to one of its projects."""

    signed: Signed | None = None
    token: Token | None = None
    cookie: bool = True  # known by one, which travels with requests that other sites make, too

    @property
    def id(self) -> str:
        """Of the user or the token."""
        if self.signed is not None:
            return self.signed.user.id
        return self.token.id if self.token is not None else ""

    @property
    def name(self) -> str:
        """For the audit trail."""
        if self.signed is not None:
            return self.signed.user.email
        return self.token.name if self.token is not None else ""

    def role(self, project: Project) -> Role | None:
        """What the caller is in a project; None of one that the caller may not know of."""
        if self.signed is not None:
            return self.signed.roles.get(project.workspace)
        token = self.token
        if token is None or token.workspace != project.workspace or token.project not in {None, project.id}:
            return None
        return SCOPE_ROLES[token.scope]

    def role_in(self, workspace: str) -> Role | None:
        """What the caller is in the workspace with this id; None also where a token opens only one project of it."""
        if self.signed is not None:
            return self.signed.roles.get(workspace)
        token = self.token
        own = token is not None and token.workspace == workspace and token.project is None
        return SCOPE_ROLES[token.scope] if own and token else None

    def may(self, project: Project, needed: Role) -> bool:
        return may(self.role(project), needed)

    @property
    def highest(self) -> Role | None:
        """The most the caller is anywhere, for what concerns all workspaces; a token of one project only reads."""
        if self.signed is not None:
            return max(self.signed.roles.values(), key=ROLES.index, default=None)
        if self.token is None:
            return None
        return SCOPE_ROLES[self.token.scope] if self.token.project is None else "viewer"
