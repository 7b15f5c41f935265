"""`saastracker rebuild`: the index, made again from the events."""

from collections.abc import Callable
from contextlib import closing

import click

from saastracker.cli.options import Installation, Options
from saastracker.cli.progress import bar
from saastracker.control import Control
from saastracker.indexer import Indexer


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
    zones = {project.id: project.timezone for project in installation.facts.snapshot.projects.values()}
    with closing(installation.plugins.open_store(installation.records)) as store:
        store.claim()
        indexer = Indexer(
            store.index,
            lambda: zones,
            lambda work: work(),
            taggers=installation.registry.taggers,
            definitions=installation.definitions,
        )
        indexer.rebuild(show)
