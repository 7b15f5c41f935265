"""The command line; a command's module is imported only when it runs."""

from importlib import import_module
from pathlib import Path

import click

from saastracker.cli.options import Options
from saastracker.errors import OperatorError, Refusal

COMMANDS = {
    "serve": "serving:serve",
    "init": "serving:init",
    "check": "checking:check",
    "plugins": "checking:plugins",
    "plugin": "plugin:plugin",
    "project": "project:project",
    "user": "user:user",
    "workspace": "workspace:workspace",
    "key": "key:key",
    "token": "token:token",
    "import": "importing:import_",
    "export": "exporting:export",
    "rebuild": "rebuilding:rebuild",
    "retention": "retaining:retention",
    "erase": "erasing:erase",
    "backup": "backup:backup",
    "restore": "restoring:restore",
    "copy": "copying:copy",
    "upgrade": "upgrading:upgrade",
    "bench": "bench:bench",
}


class Commands(click.Group):
    """Finds commands by name, and turns what an operator can mend into one line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"saastracker.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (OperatorError, Refusal) as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("saastracker-data"),
    show_default=True,
    help="Folder of databases and secrets.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Configuration file; else $SAASTRACKER_CONFIG, else ./config.toml if there is one.",
)
@click.version_option(package_name="saastracker", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context, data: Path, config: Path | None) -> None:
    """Self-hosted, pluggable analytics for SaaS."""
    context.obj = Options(data, config)
