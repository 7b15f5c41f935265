"""`saastracker erase`: a person or an organization, as if they had never been there."""

import click

from saastracker.cli.options import Installation, Options
from saastracker.cli.progress import bar
from saastracker.cli.running import followed, run_job
from saastracker.erasable import Subject
from saastracker.erasure import Amount, amount
from saastracker.erasures import JOB, Erasures
from saastracker.errors import OperatorError
from saastracker.facts import COMMAND_LINE


@click.command()
@click.option("--project", "slug", required=True, help="Slug of the project.")
@click.option("--person", help="User id or anonymous id; the anonymous ids that were joined to it go, too.")
@click.option("--org", help="Id of an organization; those merged into it go, too.")
@click.option("--dry-run", is_flag=True, help="Erase nothing; tell what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(options: Options, *, slug: str, person: str | None, org: str | None, dry_run: bool, yes: bool) -> None:
    """Erase all events of a person or an organization, and all that names them. This cannot be undone."""
    if (person is None) == (org is None):
        raise click.UsageError("Give --person or --org.")
    with options.open() as installation:
        project = installation.project(slug)
        subject = Subject(project.id, "org", org) if org is not None else Subject(project.id, "person", person or "")
        found = _amount(installation, subject)
        click.echo(f"{found.events} events on {found.days} days, named by: {', '.join(found.ids)}.", err=not dry_run)
        if dry_run:
            return
        if not yes and click.prompt(f"Type {subject.id} to erase", default="", show_default=False) != subject.id:
            raise OperatorError("Nothing was erased.")
        mark = Erasures(installation.records, installation.secrets).ask(subject, COMMAND_LINE)
        with bar("Erasing") as show:
            run_job(installation, JOB, show)
    click.echo(
        f"Erased; the audit log names it {mark}. Backups that were made before still hold all of it, "
        "and so may the copy that an upgrade left beside the database."
    )


def _amount(installation: Installation, subject: Subject) -> Amount:
    """Raises NotFound."""
    with followed(installation) as store, store.reader() as reader:
        return amount(reader, subject)
