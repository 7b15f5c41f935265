"""`saastracker import`: events from NDJSON or CSV, through the running server if there is one."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import IO, TypeAlias

import click

from saastracker.cli.lines import from_row, origin, read
from saastracker.cli.options import Installation, Options
from saastracker.cli.progress import bar
from saastracker.contracts import Group, Store, Submission
from saastracker.control import Appended, Control
from saastracker.enriching import enrich
from saastracker.errors import Invalid, OperatorError
from saastracker.event import Event
from saastracker.records import now_ms
from saastracker.wire import Enricher, Project, Reply

BATCH = 500  # events; at their largest they fit one message to the server
LINE_MAX = 1024 * 1024  # bytes
SHOWN = 10  # bad lines that are shown

Line: TypeAlias = tuple[int, bytes, int]  # number, text, bytes of the file it took


class Direct:
    """Appends to a store that no server of this data folder has open; answers like Control."""

    def __init__(self, store: Store, project: Project, enrichers: Sequence[Enricher]) -> None:
        if not store.shared:
            store.claim()
        self._store = store
        self._project = project
        self._enrichers = enrichers

    def append(self, _project: str, events: list[Event], *, as_is: bool) -> Appended:
        dropped = list[Event]()
        if not as_is:
            events, dropped = enrich(self._enrichers, events, self._project, "server")
        now = now_ms()
        for event in events:
            event.received_at = event.received_at or now
            event.time = event.received_at if event.time is None else event.time
        self._store.append(Group([Submission(self._project, events, now, Reply(202, b""))]))
        stored = sum(event.sequence > 0 for event in events)
        return Appended(stored, len(events) - stored, len(dropped))

    def close(self) -> None:
        """The store is its opener's to close."""


class Counts:
    """What became of the lines."""

    def __init__(self) -> None:
        self.stored = self.present = self.bad = self.left_out = 0
        self.line = self.taken = 0  # how far the file was read: lines, bytes

    def __str__(self) -> str:
        told = f"{self.stored} stored, {self.present} already there, {self.bad} bad lines"
        return f"{told}, {self.left_out} left out by the project's rules" if self.left_out else told


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--project", "slug", required=True, help="Slug of the project.")
@click.option(
    "--format", "form", type=click.Choice(["ndjson", "csv"]), help="Default: by the file's name, else ndjson."
)
@click.option("--as-is", is_flag=True, help="Change and leave out nothing: for what saastracker itself exported.")
@click.pass_obj
def import_(options: Options, *, file: IO[bytes], slug: str, form: str | None, as_is: bool) -> None:
    """Store events from FILE (- for stdin): one JSON object a line, or a CSV with field names on top.

    Field names are those of `saastracker export`. What was stored before is skipped, so that the
    same command goes on after an interruption. What is new is treated as if it were sent now: the
    project's path rules and own traffic hold. An export was treated so when its events came; with
    --as-is it is taken as it is.
    """
    counts = Counts()
    name = getattr(file, "name", "")
    lines = _csv_lines(file) if (form or str(name).rpartition(".")[2]) == "csv" else _lines(file)
    size = _size(file)
    with options.open() as installation, _sink(installation, slug) as (project, store, sink), bar("Importing") as show:
        batch: list[Event] = []
        try:
            for number, text, taken in lines:
                counts.line, counts.taken = number, counts.taken + taken
                show(counts.taken, size)
                try:
                    batch.append(read(text, now_ms()))
                except Invalid as error:
                    _bad(counts, number, error.detail)
                if len(batch) == BATCH:
                    _store(batch, counts, project, store, sink, as_is)
                    batch = []
            _store(batch, counts, project, store, sink, as_is)
        except KeyboardInterrupt:
            raise OperatorError(
                f"Interrupted near line {counts.line}: {counts}. Run the same command again to go on"
            ) from None
    click.echo(f"{counts}.")


@contextmanager
def _sink(installation: Installation, slug: str) -> "Iterator[tuple[Project, Store, Control | Direct]]":
    project, enrichers = installation.project(slug), installation.registry.enrichers
    with (
        closing(installation.plugins.open_store(installation.records)) as store,
        closing(Control.connect(installation.config.data) or Direct(store, project, enrichers)) as sink,
    ):
        yield project, store, sink


def _store(  # noqa: PLR0917
    batch: list[Event], counts: Counts, project: Project, store: Store, sink: "Control | Direct", as_is: bool
) -> None:
    new = _without_originals(batch, project.id, store)
    told = sink.append(project.id, new, as_is=as_is) if new else Appended(0, 0)
    counts.stored += told.stored
    counts.present += told.duplicates + len(batch) - len(new)
    counts.left_out += told.left_out


def _without_originals(batch: list[Event], project: str, store: Store) -> list[Event]:
    """The batch without events that this project exported under a derived id and still has."""
    sequences = {event.id: number for event in batch if event.id and (number := origin(project, event.id))}
    if not sequences:
        return batch
    with store.reader() as reader:
        kept = {event.sequence: event for event in reader.events(sorted(sequences.values()))}
    new = []
    for event in batch:
        original = kept.get(sequences.get(event.id or b"", 0))
        if original is None or (original.name, original.received_at) != (event.name, event.received_at):
            new.append(event)
    return new


def _bad(counts: Counts, number: int, detail: str) -> None:
    counts.bad += 1
    if counts.bad <= SHOWN:
        click.echo(f"line {number}: {detail}", err=True)


def _lines(file: IO[bytes]) -> Iterator[Line]:
    number = 0
    while text := file.readline(LINE_MAX):
        number += 1
        taken = len(text)
        while not text.endswith(b"\n") and (rest := file.readline(LINE_MAX)):
            text, taken = b"(longer than 1 MiB)", taken + len(rest)
            if rest.endswith(b"\n"):
                break
        if text.strip():
            yield number, text, taken


def _csv_lines(file: IO[bytes]) -> Iterator[Line]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.DictReader(text)
    try:
        for row in reader:
            line = from_row(row)
            yield reader.line_num, line, len(line)
    except (csv.Error, UnicodeDecodeError) as error:
        raise OperatorError(f"line {reader.line_num + 1}: not a CSV in UTF-8: {error}") from None
    finally:
        text.detach()  # the file is click's to close


def _size(file: IO[bytes]) -> int | None:
    if not file.seekable():
        return None
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size
