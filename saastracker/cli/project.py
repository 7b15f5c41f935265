"""`saastracker project`: make, list, set, rotate, delete, restore."""

import click

from saastracker.cli.issuing import Shown, document, scheme, show_keys, without_keys
from saastracker.cli.listing import json_option, show, show_json
from saastracker.cli.options import Options
from saastracker.errors import Conflict, OperatorError
from saastracker.exported import moment
from saastracker.records import HOUR_MS, erased_at
from saastracker.wire import Project


@click.group()
def project() -> None:
    """Projects: one event stream each, with its own keys."""


@project.command()
@click.argument("name")
@click.option(
    "--origin", "origins", multiple=True, help="Host allowed to send from browsers; repeatable. Default: all."
)
@click.option("--timezone", default="UTC", show_default=True, help="Zone of the reports' days.")
@click.option("--workspace", help="Name of the workspace. Default: the oldest.")
@json_option
@click.pass_obj
def add(
    options: Options, *, name: str, origins: tuple[str, ...], timezone: str, workspace: str | None, as_json: bool
) -> None:
    """Make a project and its keys, which are shown this once."""
    with options.open() as installation:
        facts = installation.facts
        owner = installation.workspace(workspace) if workspace else facts.default_workspace()
        made = facts.add_project(name, owner.id, origins=origins, timezone=timezone)
        _show(made, facts.issue_keys(made, installation.registry.auth_schemes), as_json)


@project.command("list")
@json_option
@click.pass_obj
def list_(options: Options, as_json: bool) -> None:
    """All projects."""
    with options.open() as installation:
        snapshot = installation.facts.snapshot
        rows = [
            {
                "slug": each.slug,
                "name": each.name,
                "id": each.id,
                "workspace": snapshot.workspaces[each.workspace].name,
                "origins": each.origins,
                "timezone": each.timezone,
                "keep_days": each.keep_days,
                "active": each.active,
                "erased_at": moment(each.deleted_at and erased_at(each.deleted_at)),
                "created_at": moment(each.created_at),
            }
            for each in snapshot.projects.values()
        ]
    show(rows, as_json)


@project.command("set")
@click.argument("slug")
@click.option("--name", help="For people; the address stays.")
@click.option("--timezone", help="Zone of the reports' days; past reports are built anew.")
@click.option("--origin", "origins", multiple=True, help="Host allowed to send from browsers; repeatable; or all.")
@click.option("--keep-days", help="For how many days before today events are kept, or all.")
@click.pass_obj
def set_(
    options: Options,
    slug: str,
    *,
    name: str | None,
    timezone: str | None,
    origins: tuple[str, ...],
    keep_days: str | None,
) -> None:
    """Change a project; what is not given stays."""
    if name is None and timezone is None and keep_days is None and not origins:
        raise click.UsageError("Give --name, --timezone, --origin or --keep-days.")
    with options.open() as installation:
        found = installation.project(slug)
        new = installation.facts.set_project(
            found.id,
            name=found.name if name is None else name,
            timezone=found.timezone if timezone is None else timezone,
            origins=found.origins if not origins else () if origins == ("all",) else origins,
            keep_days=found.keep_days if keep_days is None else _days(keep_days),
        )
    kept = "all days" if new.keep_days is None else f"{new.keep_days} days"
    click.echo(f"Project {new.slug}: {new.name}, {new.timezone}, keeps {kept}.")


def _days(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise click.BadParameter("give a number of days, or all", param_hint="--keep-days")
    return int(text)


@project.command()
@click.argument("slug")
@click.option("--scheme", "names", multiple=True, help="Auth scheme whose key to replace; repeatable. Default: all.")
@click.option(
    "--overlap",
    type=click.FloatRange(min=0),
    default=24,
    show_default=True,
    help="Hours for which old keys still work.",
)
@json_option
@click.pass_obj
def rotate(options: Options, slug: str, names: tuple[str, ...], overlap: float, as_json: bool) -> None:
    """Replace a project's keys; the new ones are shown this once."""
    with options.open() as installation:
        found = installation.project(slug)
        schemes = [scheme(installation, name) for name in names] or installation.registry.auth_schemes.values()
        keys: Shown = {}
        for each in schemes:
            issue = installation.facts.rotate(found, each, overlap_ms=int(overlap * HOUR_MS))
            if issue is not None:
                keys[each.name] = issue[1]
            elif names:
                raise without_keys(each.name)
        _show(found, keys, as_json)


@project.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(options: Options, slug: str, *, yes: bool) -> None:
    """Stop a project at once; in seven days all of it is erased, until then it can be restored."""
    with options.open() as installation:
        found = installation.project(slug)
        if not yes and click.prompt(f"Type {slug} to delete {found.name}", default="", show_default=False) != slug:
            raise OperatorError("Nothing was deleted.")
        installation.facts.delete_project(found.id)
    click.echo(f"Project {slug} is deleted. Until it is erased in seven days: saastracker project restore {slug}")


@project.command()
@click.argument("slug")
@click.pass_obj
def restore(options: Options, slug: str) -> None:
    """Bring a deleted project back, with its keys."""
    with options.open() as installation:
        found = installation.known_project(slug)
        if found.active:
            raise OperatorError(f'The project "{slug}" is not deleted.')
        try:
            installation.facts.restore_project(found.id)
        except Conflict as refusal:
            raise OperatorError(refusal.detail) from None
    click.echo(f"Project {slug} is back, with its keys.")


def _show(shown: Project, keys: Shown, as_json: bool) -> None:
    if as_json:
        show_json(document(shown, keys))
        return
    click.echo(f"Project {shown.name} ({shown.slug}), id {shown.id}. Its keys are shown only now:")
    show_keys(keys)
