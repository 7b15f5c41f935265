"""`saastracker workspace`: list, set budget and policy."""

import click

from saastracker.cli.listing import json_option, show
from saastracker.cli.options import Options
from saastracker.months import month_of
from saastracker.records import Workspace, now_ms
from saastracker.wire import Policy


@click.group()
def workspace() -> None:
    """Workspaces: whose projects share a budget."""


@workspace.command("list")
@json_option
@click.pass_obj
def list_(options: Options, as_json: bool) -> None:
    """All workspaces, with what they stored this month (UTC)."""
    with options.open() as installation:
        snapshot = installation.facts.snapshot
        usage = installation.records.usage(month_of(now_ms()))
        rows = [
            {
                "name": each.name,
                "id": each.id,
                "projects": sum(project.workspace == each.id for project in snapshot.projects.values()),
                "used": sum(usage.get(p.id, 0) for p in snapshot.projects.values() if p.workspace == each.id),
                "budget": each.budget,
                "policy": each.policy,
            }
            for each in snapshot.workspaces.values()
        ]
    show(rows, as_json)


@workspace.command("set")
@click.argument("name")
@click.option("--budget", help="Events per month (UTC), or none.")
@click.option(
    "--policy",
    type=click.Choice(["accept", "drop", "none"]),
    help="What becomes of events over budget; none: what the format does by itself.",
)
@click.pass_obj
def set_(options: Options, name: str, budget: str | None, policy: str | None) -> None:
    """Set the monthly budget and the policy; what is not given stays."""
    if budget is None and policy is None:
        raise click.UsageError("Give --budget or --policy.")
    with options.open() as installation:
        found = installation.workspace(name)
        new = installation.facts.set_workspace(found.id, budget=_budget(found, budget), policy=_policy(found, policy))
    click.echo(
        f"Workspace {new.name}: budget {'none' if new.budget is None else new.budget}, policy {new.policy or 'none'}."
    )


def _budget(found: Workspace, text: str | None) -> int | None:
    if text is None:
        return found.budget
    if text == "none":
        return None
    if not text.isdecimal():
        raise click.BadParameter("give a number of events, or none", param_hint="--budget")
    return int(text)


def _policy(found: Workspace, text: str | None) -> Policy | None:
    if text is None:
        return found.policy
    return "accept" if text == "accept" else "drop" if text == "drop" else None
