"""`saastracker key`: add, list, set, revoke."""

from datetime import date

import click

from saastracker.cli.issuing import scheme, show_keys, without_keys
from saastracker.cli.listing import json_option, show, show_json
from saastracker.cli.options import Installation, Options
from saastracker.errors import OperatorError
from saastracker.exported import moment
from saastracker.fact_rules import RATE_MAX


@click.group()
def key() -> None:
    """Keys with which events are sent."""


@key.command()
@click.argument("name", metavar="SCHEME")
@click.option("--project", "slug", required=True, help="Slug of the project.")
@click.option("--rate", type=click.IntRange(1, RATE_MAX), help="Requests a second that it may send. Default: any.")
@json_option
@click.pass_obj
def add(options: Options, name: str, slug: str, rate: int | None, as_json: bool) -> None:
    """Make one more key of an auth scheme; it is shown this once."""
    with options.open() as installation:
        issue = installation.facts.issue_key(installation.project(slug), scheme(installation, name), rate=rate)
        if issue is None:
            raise without_keys(name)
    made, shown = issue
    if as_json:
        show_json({"id": made.id, **shown})
        return
    click.echo(f"Key {made.id}. It is shown only now:")
    show_keys({name: shown})


@key.command("list")
@click.option("--project", "slug", help="Slug of the project. Default: all.")
@json_option
@click.pass_obj
def list_(options: Options, slug: str | None, as_json: bool) -> None:
    """All keys; only the last characters of each are known."""
    with options.open() as installation:
        only = installation.project(slug).id if slug else None
        snapshot = installation.facts.snapshot
        rows = [
            {
                "id": each.id,
                "project": snapshot.projects[each.project].slug,
                "scheme": each.scheme,
                "ends_with": each.hint,
                "rate": each.rate,
                "created_at": moment(each.created_at),
                "expires_at": moment(each.expires_at),
                "revoked_at": moment(each.revoked_at),
                "used_on": _iso(installation.facts.uses.used_on(each.id)),
            }
            for each in snapshot.keys.values()
            if only in (None, each.project)
        ]
    show(rows, as_json)


@key.command("set")
@click.argument("key_id", metavar="ID")
@click.option("--rate", required=True, help="Requests a second that it may send, or none: any number.")
@click.pass_obj
def set_(options: Options, key_id: str, rate: str) -> None:
    """Limit how fast a key may send; running servers follow within seconds."""
    if rate != "none" and not rate.isdecimal():
        raise click.BadParameter("give a number of requests a second, or none", param_hint="--rate")
    with options.open() as installation:
        _known(installation, key_id)
        new = installation.facts.set_key(key_id, rate=None if rate == "none" else int(rate))
    click.echo(f"Key {key_id} may send {f'{new.rate} requests a second' if new.rate else 'as fast as it can'}.")


@key.command()
@click.argument("key_id", metavar="ID")
@click.pass_obj
def revoke(options: Options, key_id: str) -> None:
    """Make a key useless; running servers follow within seconds."""
    with options.open() as installation:
        _known(installation, key_id)
        installation.facts.revoke_key(key_id)
    click.echo(f"Key {key_id} is revoked.")


def _known(installation: Installation, key_id: str) -> None:
    if key_id not in installation.facts.snapshot.keys:
        raise OperatorError(f"There is no key {key_id}; see: saastracker key list")


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
