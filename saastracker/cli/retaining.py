"""`saastracker retention`: erase now what projects no longer keep, or tell what would go."""

import click

from saastracker.cli.listing import json_option, show, show_json
from saastracker.cli.options import Installation, Options
from saastracker.cli.progress import bar
from saastracker.cli.running import followed, run_job
from saastracker.records import now_ms
from saastracker.retention import Forecast, forecast
from saastracker.wire import Project


@click.command()
@click.option("--dry-run", is_flag=True, help="Erase nothing; tell what would go.")
@json_option
@click.pass_obj
def retention(options: Options, *, dry_run: bool, as_json: bool) -> None:
    """Erase events of days that projects no longer keep, as every night.

    How many days that are: saastracker project set SLUG --keep-days N
    """
    with options.open() as installation:
        going = _forecasts(installation)
        rows = [_row(project, told) for project, told in going.items()]
        if not dry_run and any(told.going_days for told in going.values()):
            with bar("Erasing") as progress:
                run_job(installation, "retention", progress)
    if as_json:
        show_json(rows)
        return
    show(rows, as_json)
    events = sum(told.going_events for told in going.values())
    click.echo(f"{events} events {'would go' if dry_run else 'are erased'}.")


def _forecasts(installation: Installation) -> dict[Project, Forecast]:
    projects = list(installation.facts.snapshot.projects.values())
    with followed(installation) as store, store.reader() as reader:
        return {each: forecast(reader, store, each, projects, now_ms()) for each in projects if each.active}


def _row(project: Project, told: Forecast) -> dict[str, object]:
    return {
        "project": project.slug,
        "keep_days": project.keep_days,
        "oldest": None if told.oldest is None else told.oldest.isoformat(),
        "events": told.events,
        "going_events": told.going_events,
        "going_days": told.going_days,
        "going_bytes": told.going_bytes,
    }
