"""`saastracker backup`: a consistent copy beside a running server, and the key to its secrets."""

import os
from contextlib import closing
from pathlib import Path

import click

from saastracker.cli.options import Options
from saastracker.cli.progress import bar
from saastracker.errors import OperatorError
from saastracker.secrets import FILE, VARIABLE


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def backup(options: Options, path: Path) -> None:
    """Copy the database to PATH, and the secret key to PATH.secret_key."""
    key = path.with_name(f"{path.name}.{FILE}")
    for each in (path, key):
        if each.exists():
            raise OperatorError(f"{each} exists; choose another path or remove it")
    if not path.parent.is_dir():
        raise OperatorError(f"There is no folder {path.parent}; make it first")
    with options.open() as installation:
        with closing(installation.plugins.open_store(installation.records)) as store, bar("Copying") as show:
            store.backup(path, show)
        click.echo(f"Copied the database to {path}.")
        if os.environ.get(VARIABLE):
            click.echo(f"The secret key is in the variable {VARIABLE}: keep it too, the copy cannot be used without.")
            return
        descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, (installation.config.data / FILE).read_bytes())
        os.close(descriptor)
        click.echo(f"Copied the secret key to {key}, for your eyes only: the copy cannot be used without.")
