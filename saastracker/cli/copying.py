"""`saastracker copy`: from one store to another beside running servers, until they change over."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import click

from saastracker.cli.options import Installation, Options, opened
from saastracker.cli.progress import bar
from saastracker.cli.running import indexer
from saastracker.config import Config, load_config
from saastracker.contracts import Store
from saastracker.copying import unfinished
from saastracker.copying.copy import Copy
from saastracker.copying.side import Side
from saastracker.errors import OperatorError, Unavailable
from saastracker.indexer import Indexer
from saastracker.secrets import FILE, VARIABLE

PAUSE_SECONDS = 1.0  # between two looks at what came
BESIDE_SECONDS = 30.0  # between two copies of what is not events
RETRY_SECONDS = 5.0  # after a database could not be reached

# What an address begins with: the store, and the key of its table that the address is.
SCHEMES = {
    "sqlite": ("sqlite", "path"),
    "postgresql": ("postgres", "url"),
    "postgres": ("postgres", "url"),
    "http": ("clickhouse", "url"),
    "https": ("clickhouse", "url"),
    "chdb": ("clickhouse", "url"),
}
_PASSWORD = re.compile(r"(://[^:@/?]*:)[^?]*(?=@)|([?&](?:ssl)?password=)[^&]*")  # in an address
_PLACE = (
    "a configuration (*.toml), a data folder, or an address: sqlite:///FILE, postgresql://…, chdb:///FOLDER, http://…"
)


@click.command()
@click.option("--from", "source", metavar="PLACE", help=f"{_PLACE}. Default: the configuration of this command line.")
@click.option("--to", "target", metavar="PLACE", help="The same, of an empty database, or of a copy to go on with.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C or SIGTERM.")
@click.option("--switch", is_flag=True, help="Hand over: close the one, copy its last events, check, open the other.")
@click.option("--reopen", is_flag=True, help="Undo that: the database copied from takes events again.")
@click.pass_obj
def copy(options: Options, *, source: str | None, target: str | None, follow: bool, switch: bool, reopen: bool) -> None:
    """Copy all to another store while servers go on. Interrupted or killed, the same command goes on where it was."""
    if reopen:
        if target or follow or switch:
            raise click.UsageError("--reopen goes with --from alone.")
        _reopen(_config(options, source))
        return
    if target is None:
        raise click.UsageError("Name the database to copy to with --to.")
    if follow and switch:
        raise click.UsageError("Give --follow or --switch: stop the one, then type the other.")
    mine, theirs = _config(options, source), _config(options, target)
    _share_key(mine, theirs)
    with _copying(mine, theirs) as copied:
        if copied.source_closed and copied.state.switched_at is None and not switch:
            click.echo(
                "The database copied from takes nothing: go on with --switch, or open it with --reopen.", err=True
            )
        if copied.state.switched_at is not None:
            click.echo("The servers change over already: nothing is left to copy.")
        elif follow:
            _follow(copied)
            return
        elif switch:
            copied.switch()
            click.echo(f"Handed over. {_told(copied)}")
        else:
            copied.up_to_now()
            copied.beside()
            copied.recount()
            click.echo(
                f"{_told(copied)} The copy is closed until it is handed over: type the same command with --follow to "
                "go on with what comes, with --switch to hand over."
            )
            return
    for line in change_over(target, theirs):
        click.echo(line)


def _config(options: Options, place: str | None) -> Config:
    if place is None:
        return options.load()
    if not place:  # of a variable that is not set
        raise OperatorError(f"An empty place is none; write {_PLACE}")
    scheme, separator, rest = place.partition("://")
    if separator:
        if scheme not in SCHEMES:
            raise OperatorError(f"{scheme}:// is no address of a store; write {_PLACE}")
        backend, key = SCHEMES[scheme]
        value = str(Path(rest).absolute()) if backend == "sqlite" else place
        return load_config(options.config, options.data, store=(backend, {key: value}))
    if place.endswith(".toml"):
        return load_config(Path(place), options.data)
    return load_config(options.config, Path(place), store=("sqlite", {}))


def _share_key(source: Config, target: Config) -> None:
    """The key to the secrets goes along. Raises OperatorError if it is missing, or another one is there."""
    if os.environ.get(VARIABLE):
        return
    mine, theirs = source.data / FILE, target.data / FILE
    if not mine.exists():
        raise OperatorError(
            f"{mine} is missing, and no copy can be used without: put it there, set {VARIABLE}, or name the data "
            "folder that has it with --data"
        )
    text = mine.read_bytes().strip()
    if not theirs.exists():
        with os.fdopen(os.open(theirs, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
        click.echo(f"Copied the secret key to {theirs}, for your eyes only: the copy cannot be used without.", err=True)
    elif theirs.read_bytes().strip() != text:
        raise OperatorError(f"{theirs} is another key than {mine}: move it away, and that one is copied")


@contextmanager
def _copying(source: Config, target: Config) -> Iterator[Copy]:
    with ExitStack() as stack:
        sides = []
        for config in (source, target):
            installation = stack.enter_context(opened(config))
            store = installation.plugins.open_store(installation.records)
            stack.callback(store.close)
            sides.append(_side(installation, store))
        mine, theirs = sides
        theirs.store.claim()
        yield Copy(mine, theirs, bar)


def _side(installation: Installation, store: Store) -> Side:
    def newest() -> Indexer:
        installation.facts.refresh()
        installation.definitions.refresh()
        return indexer(installation, store)

    return Side(installation.records, store, newest, [tagger.namespace for tagger in installation.registry.taggers])


def _follow(copied: Copy) -> None:
    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    caught_up, beside_at = False, 0.0
    try:
        while True:
            try:
                copied.up_to_now()
                if time.monotonic() > beside_at:
                    copied.beside()
                    beside_at = time.monotonic() + BESIDE_SECONDS
            except Unavailable as error:
                click.echo(f"{error.detail} Tried again in {RETRY_SECONDS:g} s.", err=True)
                time.sleep(RETRY_SECONDS)
                continue
            if not caught_up:
                caught_up = True
                click.echo(f"{_told(copied)} What comes follows; Ctrl-C ends this, then hand over with --switch.")
            time.sleep(PAUSE_SECONDS)
    except KeyboardInterrupt:
        click.echo(f"{_told(copied)} Go on with the same command, or hand over with --switch.")


def _told(copied: Copy) -> str:
    same = copied.state.compared
    return f"{same.events} events are the same on both sides (checksum {same.checksum:016x}), {copied.behind} behind."


def change_over(place: str, config: Config) -> Iterator[str]:
    """What an operator does now."""
    yield "The database copied from takes nothing from now on. Stop its servers, and start new ones:"
    if place.endswith(".toml"):
        yield f"  saastracker --data {config.data} --config {place} serve"
    elif "://" not in place:
        yield f"  saastracker --data {place} serve"
    else:
        backend, key = SCHEMES[place.partition("://")[0]]
        value = place.partition("://")[2] if backend == "sqlite" else _without_password(place)
        yield f"  saastracker --data {config.data} serve"
        yield f'with this in their configuration:\n  [storage]\n  backend = "{backend}"'
        yield f'  [plugin.{backend}]\n  {key} = "{value}"'
    if not os.environ.get(VARIABLE):
        yield f"Each needs the secret key: {config.data / FILE}"
    yield "To go back, as long as the copy has taken no events: saastracker copy --reopen"


def _without_password(url: str) -> str:
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}PASSWORD", url)


def _reopen(config: Config) -> None:
    with opened(config) as installation:
        if unfinished(installation.records):
            raise OperatorError("This database is a copy that is not complete; it is opened by --switch")
        if not installation.records.sealed:
            click.echo("Nothing to do: it takes events.")
            return
        store = installation.plugins.open_store(installation.records)
        try:
            installation.records.seal(False)
            store.seal(False)
        finally:
            store.close()
    click.echo("It takes events again. What a copy took since the hand-over is not here.")
