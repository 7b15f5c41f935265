"""`saastracker backup`: a consistent copy beside a running server, and the key to its secrets."""

import os
import time
from contextlib import closing
from pathlib import Path

import click

from saastracker.backups import Backup, Backups
from saastracker.cli.options import Installation, Options
from saastracker.cli.progress import bar
from saastracker.errors import OperatorError, Refusal
from saastracker.records import now_ms
from saastracker.secrets import FILE, VARIABLE


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def backup(options: Options, path: Path) -> None:
    """Copy the database to PATH, and the secret key to PATH.secret_key.

    The page Status and monitors tell when that was, and whether it failed.
    """
    with options.open() as installation:
        started_at, began = now_ms(), time.monotonic()

        def note(error: str = "") -> None:
            seconds, place = round(time.monotonic() - began, 3), path.resolve()
            size = 0 if error else _size(place)
            told = Backup(started_at=started_at, seconds=seconds, place=str(place), bytes=size, error=error)
            try:
                Backups(installation.records).note(told)
            except Refusal as refusal:
                click.echo(f"Nobody else will know of it: {refusal.detail}", err=True)

        try:
            _copy(installation, path)
        except BaseException as error:
            note(str(error) or "It was interrupted.")
            raise
        note()


def _size(path: Path) -> int:
    """Of the copy, with what a store of events elsewhere puts beside it."""
    beside = path.with_name(f"{path.name}.events")
    files = [path, beside, *(beside.rglob("*") if beside.is_dir() else ())]
    return sum(file.stat().st_size for file in files if file.is_file())


def _copy(installation: Installation, path: Path) -> None:
    key = path.with_name(f"{path.name}.{FILE}")
    for each in (path, key):
        if each.exists():
            raise OperatorError(f"{each} exists; choose another path or remove it")
    if not path.parent.is_dir():
        raise OperatorError(f"There is no folder {path.parent}; make it first")
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
