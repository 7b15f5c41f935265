"""API tokens over the API: listed, made, revoked."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.errors import NotFound
from saastracker.records import Token
from saastracker.web.api.fields import AnyScope, Id, Name, Slug, Time
from saastracker.web.api.operation import ID_MAX, Call, operation
from saastracker.web.faces import iso

TAG = "API tokens"

Only = Annotated[Slug, Meta(description="The only project it opens; null: all of the workspace.")]


class TokenShown(msgspec.Struct, frozen=True, kw_only=True):
    """An API token, without its text."""

    id: Id
    name: Name
    scope: AnyScope
    project: Only | None
    created_at: Time
    revoked_at: Annotated[Time, Meta(description="Null: it is not.")] | None


class TokenMade(TokenShown, frozen=True, kw_only=True):
    """A new API token."""

    token: Annotated[str, Meta(description="Its text, shown this once; keep it now.", examples=["st_…"])]


class TokenNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to make."""

    name: Name
    scope: AnyScope = "read"
    project: Only | None = None


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/tokens",
    needed="admin",
    answer=TokenShown,
    listed=lambda each: each.created_at + each.id,
)
def list_tokens(call: Call) -> list[TokenShown]:
    """API tokens of a workspace, oldest first; those revoked too."""
    tokens = call.site.facts.snapshot.tokens.values()
    return [_shown(call, each) for each in tokens if each.workspace == call.workspace.id]


@operation(
    TAG,
    "POST",
    "/workspaces/{workspace}/tokens",
    needed="admin",
    body=TokenNew,
    answer=TokenMade,
    status=201,
    refusals=(409,),
)
def add_token(call: Call, body: TokenNew) -> TokenMade:
    """Make an API token, which is shown this once."""
    only = None
    if body.project is not None:
        project = call.site.facts.snapshot.projects_by_slug.get(body.project)
        if project is None or project.workspace != call.workspace.id or not project.active:
            raise NotFound(f"This workspace has no project {body.project[:ID_MAX]}.")
        only = project.id
    facts = call.site.facts
    token, text = facts.add_token(body.name, call.workspace.id, body.scope, project=only, who=call.who)
    return TokenMade(**msgspec.structs.asdict(_shown(call, token)), token=text)


@operation(TAG, "DELETE", "/workspaces/{workspace}/tokens/{token}", needed="admin", status=204, refusals=(409,))
def revoke_token(call: Call) -> None:
    """Revoke an API token: within five seconds nothing can be read with it any more."""
    token = call.path["token"]
    found = call.site.facts.snapshot.tokens.get(token)
    if found is None or found.workspace != call.workspace.id:
        raise NotFound(f"This workspace has no token {token[:ID_MAX]}.")
    if found.revoked_at is None:
        call.site.facts.revoke_token(token, who=call.who)


def _shown(call: Call, token: Token) -> TokenShown:
    project = call.site.facts.snapshot.projects.get(token.project or "")
    return TokenShown(
        id=token.id,
        name=token.name,
        scope=token.scope,
        project=project.slug if project else None,
        created_at=iso(token.created_at),
        revoked_at=None if token.revoked_at is None else iso(token.revoked_at),
    )
