"""`saastracker serve` and `saastracker init`: the first start makes a workspace, a project and its keys."""

from contextlib import closing

import click

from saastracker.accounts.invitations import first_owner
from saastracker.cli.issuing import show_keys
from saastracker.cli.options import Installation, Options, opened
from saastracker.cli.progress import bar
from saastracker.copying import unfinished
from saastracker.errors import Conflict, OperatorError
from saastracker.records import now_ms
from saastracker.snippets import curl

FIRST_PROJECT = "My product"


@click.command()
@click.option("--host", help="Address to listen on. Default: [server] host, 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. Default: [server] port, 8000.")
@click.option("--demo", is_flag=True, help="First make two projects with 90 days of made-up events to look around in.")
@click.pass_obj
def serve(options: Options, *, host: str | None, port: int | None, demo: bool) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    from saastracker.app import run  # noqa: PLC0415  # `init` does not need a web server

    config = options.load(host=host, port=port)
    with opened(config) as installation:
        check_open(installation)
        first_start(installation)
        if demo:
            make_demo(installation)
    click.echo(f"Serving at {config.server.url} (stop with Ctrl-C)")
    run(config)


@click.command()
@click.pass_obj
def init(options: Options) -> None:
    """Make the data folder, a first project and its keys, without starting the server."""
    with options.open() as installation:
        if not first_start(installation):
            click.echo(
                f"Nothing to do: {installation.config.data} has projects already. List them: saastracker project list"
            )


def check_open(installation: Installation) -> None:
    """Raises OperatorError for a database that takes nothing."""
    if not installation.records.sealed:
        return
    if unfinished(installation.records):
        raise OperatorError("This database is a copy that is not complete; end it with: saastracker copy --switch …")
    raise OperatorError(
        "All of this database was handed over to another one: start the server with the configuration of that. "
        "To go on with this one all the same, type: saastracker copy --reopen"
    )


def first_start(installation: Installation) -> bool:
    """At the first start, make a project with keys and a token, print them, and return True."""
    facts = installation.facts
    facts.refresh()  # loading the plugins took a while, and another process may start too
    if facts.snapshot.workspaces:  # not projects: the last one may have been deleted
        return False
    try:
        with facts.at_once() as held:  # or a start that is killed leaves a project whose keys nobody was shown
            workspace = facts.default_workspace()
            project = facts.add_project(FIRST_PROJECT, workspace.id)
            keys = facts.issue_keys(project, installation.registry.auth_schemes)
            _, token = facts.add_token("first", workspace.id, "admin")
            invited, writes = first_owner(workspace.id, now_ms())
            held.extend(writes)
    except Conflict:  # another process just did the same
        return False
    url = installation.config.server.url
    click.echo(f'Made the project "{project.name}". Keep these keys now; they are shown only this once:\n')
    show_keys(keys)
    click.echo("\nSend an event in any of the formats:\n")
    for name, line in curl(url, installation.registry.bindings, keys).items():
        click.echo(f"# {name}\n{line}\n")
    click.echo("Make your account, the owner's, with this link; it works once, for seven days:\n")
    click.echo(f"  {invited.address(url)}\n")
    click.echo(f"Scripts, and people without an account, see the events at {url}/ with this token:\n\n  {token}\n")
    return True


def make_demo(installation: Installation) -> None:
    """Make the demo projects that are not there yet."""
    from saastracker.demo.load import DEMOS, define, load  # noqa: PLC0415  # few starts need it

    facts, url = installation.facts, installation.config.server.url
    missing = [demo for demo in DEMOS if demo.slug not in facts.snapshot.projects_by_slug]
    for demo in DEMOS:
        if demo not in missing:
            click.echo(f'The project "{demo.slug}" is there already; nothing was added to it.')
    if not missing:
        return
    now = now_ms()
    with closing(installation.plugins.open_store(installation.records)) as store:
        if not store.shared:
            store.claim()
        for demo in missing:
            with bar(f"Making {demo.name}") as progress:
                count = load(demo, facts, store, now, progress)
            define(demo, facts, installation.definitions, now)
            click.echo(f'Made the demo project "{demo.name}" with {count:,} events: {url}/p/{demo.slug}/')
