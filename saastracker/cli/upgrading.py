"""`saastracker upgrade`: brings the database to this release, or tells what that would do."""

from contextlib import closing

import click

from saastracker.cli.listing import json_option, show_json
from saastracker.cli.options import Options
from saastracker.errors import OperatorError
from saastracker.following import BEHIND_SECONDS, SHARE
from saastracker.index import VERSION
from saastracker.plugins import Plugins
from saastracker.resting import DatabaseState

COPIED = 200_000_000  # bytes a second, about
INDEXED = 100_000  # events a second, about


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; tell what an upgrade would do, and how long about.")
@json_option
@click.pass_obj
def upgrade(options: Options, *, check: bool, as_json: bool) -> None:
    """Bring the database to this release, after a copy of it. The server does the same when it starts."""
    state = Plugins(options.load()).database().state()
    if state.unknown:
        release = state.unknown[-1].split()[0]
        raise OperatorError(
            f"{state.place} was made by saastracker {release}, which is newer than this one: "
            f"pip install 'saastracker>={release}'"
        )
    if as_json:
        show_json(_told(state))
    else:
        for line in _lines(state):
            click.echo(line)
    if check or not state.pending:
        return
    with options.open() as installation, closing(installation.plugins.open_store(installation.records)):
        pass
    if not as_json:
        click.echo("The database is of this release now.")


def _told(state: DatabaseState) -> dict[str, object]:
    return {
        "place": state.place,
        "exists": state.exists,
        "release": state.applied[-1].split()[0] if state.applied else None,
        "schema": list(state.applied),
        "pending": list(state.pending),
        "index": state.index or None,
        "index_needed": VERSION,
        "copy": state.copy or None if state.applied and state.pending else None,
        "copy_seconds": _copying(state),
        "index_seconds": _indexing(state),
    }


def _lines(state: DatabaseState) -> list[str]:
    if not state.applied:
        return [f"There is no database at {state.place} yet; it is made when the server starts."]
    found = f"schema {state.applied[-1]} ({len(state.applied)} migrations), index version {state.index or 'none'}"
    lines = [f"{state.place}: {found}, {state.events} events, {state.bytes / 1e6:.1f} MB."]
    if state.pending:
        copy = f"copy it to {state.copy} (about {_copying(state)} s), then " if state.copy else ""
        lines.append(f"To do: {copy}{', '.join(state.pending)}.")
    if _indexing(state):
        lines.append(
            f"The index is made again as version {VERSION} beside the work (about {_indexing(state)} s); "
            "reports are incomplete until then, events are taken meanwhile."
        )
    return lines if len(lines) > 1 else [*lines, "Nothing to do."]


def _copying(state: DatabaseState) -> int:
    return max(1, round(state.bytes / COPIED)) if state.copy and state.pending else 0


def _indexing(state: DatabaseState) -> int:
    """An index whose tables are made anew is made again, too; whether a migration does that is not known here."""
    if not state.events or (state.index == VERSION and not state.pending):
        return 0
    work = state.events / INDEXED
    # The server gives it a share of a core, and after a while as much as it takes.
    return max(1, round(min(work / SHARE, BEHIND_SECONDS + work - BEHIND_SECONDS * SHARE)))
