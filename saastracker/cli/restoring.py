"""`saastracker restore`: a backup in place of the database, which is kept aside."""

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from saastracker.cli.options import Options, opened
from saastracker.cli.progress import bar
from saastracker.config import Config
from saastracker.control import Control
from saastracker.copying import INSTALLATION
from saastracker.errors import OperatorError
from saastracker.plugins import Plugins
from saastracker.secrets import FILE, VARIABLE


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def restore(options: Options, path: Path) -> None:
    """Put the backup PATH, checked, in place of the database, with the secret key beside it.

    What is replaced is kept aside. A server has to be stopped first.
    """
    config = options.load()
    control = Control.connect(config.data)
    if control is not None:
        control.close()
        raise OperatorError(
            f"A server runs on {config.data}: stop it (systemctl stop saastracker, or Ctrl-C where it runs), "
            f"then type: saastracker --data {config.data} restore {path}"
        )
    with bar("Restoring") as show, Plugins(config).database().restoring(path, show) as aside:
        key = _replace_key(config, path)
        try:
            _open(config)
        except BaseException:
            if key is not None:
                key.rename(config.data / FILE)
            raise
    click.echo(f"Restored {path}.")
    events = path.with_name(f"{path.name}.events")
    if events.exists():
        click.echo(f"Its events are in {events}: README.md says under {config.storage.backend} how to put them back.")
    for kept in (aside, key):
        if kept is not None:
            click.echo(f"What was there before is kept as {kept}: remove it when all is well.")


def _replace_key(config: Config, path: Path) -> Path | None:
    """The key of the backup becomes that of the data folder; where the one that was there is now, if another."""
    new, own = path.with_name(f"{path.name}.{FILE}"), config.data / FILE
    if os.environ.get(VARIABLE) or not new.exists():
        return None
    text, aside = new.read_bytes(), None
    if own.exists():
        if own.read_bytes().strip() == text.strip():
            return None
        aside = own.with_name(f"{FILE}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        own.rename(aside)
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with closing(os.fdopen(descriptor, "wb")) as file:
        file.write(text)
    return aside


def _open(config: Config) -> None:
    """Bring it to today's tables, and see whether its secrets can be read. Raises OperatorError."""
    with opened(config) as installation, closing(installation.plugins.open_store(installation.records)):
        records = installation.records
        # What comes now gets the numbers of what came since the backup: a copy that was begun is none of it any more.
        records.put_records([], records.records(INSTALLATION))
