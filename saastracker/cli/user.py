"""`saastracker user`: add, list, password."""

from typing import Any

import click

from saastracker.accounts.model import OPERATOR, Invitation, User
from saastracker.accounts.people import Snapshot
from saastracker.accounts.rules import check_email
from saastracker.cli.listing import json_option, show, show_json
from saastracker.cli.options import Installation, Options
from saastracker.config import suggest
from saastracker.errors import OperatorError
from saastracker.exported import moment
from saastracker.records import now_ms
from saastracker.roles import ROLES, Role


@click.group()
def user() -> None:
    """People who sign in."""


@user.command()
@click.argument("email")
@click.option("--workspace", help="Name of the workspace. Default: the oldest.")
@click.option("--role", type=click.Choice(ROLES), help="Default: owner of a workspace that has none, else member.")
@json_option
@click.pass_obj
def add(options: Options, *, email: str, workspace: str | None, role: Role | None, as_json: bool) -> None:
    """Let somebody in: print a link with which they make their account, once, within seven days.

    Who has an account already joins the workspace at once.
    """
    with options.open() as installation:
        accounts, email = installation.accounts, check_email(email)
        owner = installation.workspace(workspace) if workspace else installation.facts.default_workspace()
        owned = "owner" in accounts.snapshot.of_workspace(owner.id).values()
        role = role or ("member" if owned else "owner")
        known = accounts.snapshot.by_email.get(email)
        link = None
        if known is not None:
            accounts.roles.add(owner.id, known.id, role, by=OPERATOR, now=now_ms())
        else:
            invited = accounts.invitations.invite(owner.id, email, role, by=OPERATOR, now=now_ms())
            link = invited.address(installation.config.server.url)
    if as_json:
        show_json({"email": email, "workspace": owner.name, "role": role, "link": link})
    elif link is None:
        click.echo(f"{email} has an account, and is now {role} of {owner.name}.")
    else:
        click.echo(f"{email} becomes {role} of {owner.name} with this link; it works once, for seven days:\n  {link}")


@user.command("list")
@json_option
@click.pass_obj
def list_(options: Options, as_json: bool) -> None:
    """All users with their roles, and open invitations."""
    with options.open() as installation:
        snapshot = installation.accounts.snapshot
        workspaces = {each.id: each.name for each in installation.facts.snapshot.workspaces.values()}
        now = now_ms()
    rows = []
    for each in snapshot.users.values():
        belongs: list[tuple[str | None, Role | None]]
        belongs = [(workspaces.get(place), role) for place, role in snapshot.roles.get(each.id, {}).items()]
        rows += [_row(snapshot, each, name, role, now) for name, role in belongs or [(None, None)]]
    rows += [_invited(each, workspaces.get(each.workspace)) for each in snapshot.invitations.values() if each.live(now)]
    show(rows, as_json)


@user.command()
@click.argument("email")
@click.option("--factor", is_flag=True, help="Remove the second factor too: the phone is lost.")
@json_option
@click.pass_obj
def password(options: Options, *, email: str, factor: bool, as_json: bool) -> None:
    """End a user's password and sessions, and print a link for a new one, good once within a day."""
    with options.open() as installation:
        found = _user(installation, email)
        token = installation.accounts.own.reset(found, by=OPERATOR, factor=factor, now=now_ms())
        link = f"{installation.config.server.url}/password/{token}"
    if as_json:
        show_json({"email": found.email, "link": link})
        return
    click.echo(f"{found.email} chooses a new password with this link; it works once, for a day:\n  {link}")


def _user(installation: Installation, email: str) -> User:
    """Raises OperatorError with the nearest e-mail."""
    users = installation.accounts.snapshot.by_email
    wanted = check_email(email)
    if wanted not in users:
        raise OperatorError(f'There is no user "{wanted}"{suggest(wanted, users)}')
    return users[wanted]


def _row(snapshot: Snapshot, user: User, workspace: str | None, role: Role | None, now: int) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "workspace": workspace,
        "role": role,
        "second_factor": bool(user.credentials.factor),
        "created_at": moment(user.created_at),
        "seen_at": moment(snapshot.seen(user, now)),
        "invited_until": None,
    }


def _invited(invitation: Invitation, workspace: str | None) -> dict[str, Any]:
    return {
        "email": invitation.email,
        "name": None,
        "workspace": workspace,
        "role": invitation.role,
        "second_factor": False,
        "created_at": moment(invitation.created_at),
        "seen_at": None,
        "invited_until": moment(invitation.expires_at),
    }
