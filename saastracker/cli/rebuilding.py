"""`saastracker rebuild`: the index, made again from the events."""

from collections.abc import Callable
from contextlib import closing

import click

from saastracker.cli.options import Installation, Options
from saastracker.cli.progress import bar
from saastracker.cli.running import indexer
from saastracker.control import Control


@click.command()
@click.pass_obj
def rebuild(options: Options) -> None:
    """Make the index again from the events. Reports are incomplete until it is done."""
    with options.open() as installation, bar("Rebuilding") as show:
        control = Control.connect(installation.config.data)
        if control is None:
            _directly(installation, show)
        else:
            with closing(control):
                control.rebuild(show)
    click.echo("The index was made again.")


def _directly(installation: Installation, show: Callable[[int, int | None], None]) -> None:
    with closing(installation.plugins.open_store(installation.records)) as store:
        store.claim()
        indexer(installation, store).rebuild(show)
