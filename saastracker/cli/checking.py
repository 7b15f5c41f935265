"""`saastracker check` and `saastracker plugins`: look at configuration and plugins without opening a store."""

import click

from saastracker.cli.listing import json_option, show
from saastracker.cli.options import Options
from saastracker.definitions import NOTHING_DEFINED
from saastracker.plugins import Plugins
from saastracker.records import Snapshot


@click.command()
@click.pass_obj
def check(options: Options) -> None:
    """Check configuration and plugins without starting or writing anything."""
    config = options.load()
    click.echo(f"ok  configuration: {config.file}")
    plugins = Plugins(config)
    registry = plugins.registry(Snapshot(), NOTHING_DEFINED)
    plugins.check_storage()
    enabled = [each for each in registry.plugins if each.enabled]
    click.echo(f"ok  plugins: {', '.join(each.name for each in enabled)}")
    for bound in registry.bindings.values():
        click.echo(f"ok  {bound.path}: format {bound.format.name}, auth scheme {bound.scheme.name}")
    click.echo(f"ok  storage: {config.storage.backend}")


@click.command()
@json_option
@click.pass_obj
def plugins(options: Options, as_json: bool) -> None:
    """All installed plugins, whether they are turned on, and what they offer."""
    registry = Plugins(options.load()).registry(Snapshot(), NOTHING_DEFINED)
    show(
        [
            {
                "name": each.name,
                "version": each.version,
                "distribution": each.distribution,
                "enabled": each.enabled,
                "offers": each.offers,
            }
            for each in registry.plugins
        ],
        as_json,
    )
