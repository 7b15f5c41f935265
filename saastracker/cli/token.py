"""`saastracker token`: add, list, revoke."""

import click

from saastracker.cli.listing import json_option, show, show_json
from saastracker.cli.options import Options
from saastracker.errors import OperatorError
from saastracker.exported import moment
from saastracker.records import AccessScope


@click.group()
def token() -> None:
    """Tokens with which pages and reports are read."""


@token.command()
@click.argument("name")
@click.option("--project", "slug", help="Slug of the only project it opens. Default: all of the workspace.")
@click.option("--workspace", help="Name of the workspace. Default: the project's, else the oldest.")
@click.option("--scope", type=click.Choice(["read", "write", "admin"]), default="read", show_default=True)
@json_option
@click.pass_obj
def add(
    options: Options, *, name: str, slug: str | None, workspace: str | None, scope: AccessScope, as_json: bool
) -> None:
    """Make a token; it is shown this once."""
    if slug and workspace:
        raise click.UsageError("Give --project or --workspace; a project has its workspace.")
    with options.open() as installation:
        facts = installation.facts
        project = installation.project(slug) if slug else None
        if project:
            owner = project.workspace
        else:
            owner = (installation.workspace(workspace) if workspace else facts.default_workspace()).id
        made, text = facts.add_token(name, owner, scope, project=project.id if project else None)
    if as_json:
        show_json({"token": text})
        return
    click.echo(f"Token {made.id}. It is shown only now:\n  {text}")


@token.command("list")
@json_option
@click.pass_obj
def list_(options: Options, as_json: bool) -> None:
    """All tokens, without their text."""
    with options.open() as installation:
        snapshot = installation.facts.snapshot
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "scope": each.scope,
                "workspace": snapshot.workspaces[each.workspace].name,
                "project": snapshot.projects[each.project].slug if each.project else None,
                "created_at": moment(each.created_at),
                "revoked_at": moment(each.revoked_at),
            }
            for each in snapshot.tokens.values()
        ]
    show(rows, as_json)


@token.command()
@click.argument("token_id", metavar="ID")
@click.pass_obj
def revoke(options: Options, token_id: str) -> None:
    """Make a token useless; running servers follow within seconds."""
    with options.open() as installation:
        if token_id not in installation.facts.snapshot.tokens:
            raise OperatorError(f"There is no token {token_id}; see: saastracker token list")
        installation.facts.revoke_token(token_id)
    click.echo(f"Token {token_id} is revoked.")
