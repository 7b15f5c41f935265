"""`saastracker export`: a project's events as NDJSON or CSV."""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import IO, Any, TypeAlias
from zoneinfo import ZoneInfo

import click
import msgspec

from saastracker.cli.options import Installation, Options
from saastracker.cli.progress import bar
from saastracker.cli.running import followed
from saastracker.contracts import Store
from saastracker.event import Event
from saastracker.exported import COLUMNS, OBJECTS, written
from saastracker.personal import everything
from saastracker.records import now_ms
from saastracker.wire import Project

PAGE = 1000  # events read at once
Writer: TypeAlias = Callable[[dict[str, Any]], object]

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--project", "slug", required=True, help="Slug of the project.")
@click.option("--output", type=click.Path(dir_okay=False, allow_dash=True), default="-", help="File. Default: stdout.")
@click.option("--format", "form", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True)
@click.option("--person", help="Only this person, as one JSON document: ids, traits and all events.")
@click.option("--from", "first", type=DAY, help="First day, in the project's time zone.")
@click.option("--to", "last", type=DAY, help="Last day, in the project's time zone.")
@click.pass_obj
def export(
    options: Options,
    *,
    slug: str,
    output: str,
    form: str,
    person: str | None,
    first: datetime | None,
    last: datetime | None,
) -> None:
    """Write a project's events, in order of arrival.

    Importing the file is idempotent, also into the project it came from.
    """
    if person is not None and (first or last or form == "csv"):
        raise click.UsageError("--person goes without --from, --to and --format: it is everything, as JSON.")
    with options.open() as installation:
        project = installation.project(slug)
        if person is not None:
            _export_person(installation, project, person, output)
            return
        store = installation.plugins.open_store(installation.records)
        start = _midnight(project, first, 0) if first else None
        end = _midnight(project, last, 1) if last else None
        try:
            with click.open_file(output, "w", encoding="utf-8") as file:
                write = _csv_writer(file) if form == "csv" else _ndjson_writer(file)
                for event in _events(store, project.id):
                    if (start is None or _time(event) >= start) and (end is None or _time(event) < end):
                        write(written(project.id, event))
        finally:
            store.close()


def _export_person(installation: Installation, project: Project, person: str, output: str) -> None:
    with followed(installation) as store:
        pieces = everything(store, project, person, now_ms())  # raises before a file is made
        with click.open_file(output, "wb") as file, bar("Exporting") as show:
            for number, piece in enumerate(pieces):
                file.write(piece)
                show(number, None)


def _events(store: Store, project: str) -> Iterator[Event]:
    with store.reader() as reader:
        ((total,),) = reader.query("SELECT COUNT(*) FROM events WHERE project = :project", project=project)
    sequence = done = 0
    with bar("Exporting") as show:
        while page := store.read_after(sequence, PAGE, project):
            for _, event in page:
                yield event
            sequence = page[-1][1].sequence
            done += len(page)
            show(done, total)


def _time(event: Event) -> int:
    return event.received_at if event.time is None else event.time


def _midnight(project: Project, day: datetime, days: int) -> int:
    return int((day + timedelta(days)).replace(tzinfo=ZoneInfo(project.timezone)).timestamp() * 1000)


def _ndjson_writer(file: IO[Any]) -> Writer:
    return lambda columns: file.write(msgspec.json.encode(columns).decode() + "\n")


def _csv_writer(file: IO[Any]) -> Writer:
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()

    def write(columns: dict[str, Any]) -> object:
        texts = {name: bytes(columns[name]).decode() for name in OBJECTS if name in columns}
        return writer.writerow(columns | texts)

    return write
