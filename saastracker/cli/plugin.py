"""`saastracker plugin`: begin a plugin of one's own."""

import keyword
import re
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click
from jinja2 import Environment, StrictUndefined

from saastracker.cli.options import Options
from saastracker.definitions import NOTHING_DEFINED
from saastracker.errors import OperatorError
from saastracker.plugins import Plugins
from saastracker.records import Snapshot

NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_MAX = 40
TEMPLATE = ".jinja"


@click.group()
def plugin() -> None:
    """Plugins of one's own."""


@plugin.command()
@click.argument("name")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where the package is put. Default: ./saastracker-NAME."
)
@click.pass_obj
def new(options: Options, *, name: str, folder: Path | None) -> None:
    """Make a package with a definition, a report, a job and tests that pass."""
    if not NAME.fullmatch(name) or len(name) > NAME_MAX or keyword.iskeyword(name):
        raise OperatorError(
            f"{name!r}: take lower-case letters, digits and hyphens, as in: saastracker plugin new my-goals"
        )
    folder = folder or Path(f"saastracker-{name}")
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise OperatorError(f"{folder} is there already; name another place: saastracker plugin new {name} --folder …")
    package = f"saastracker_{name.replace('-', '_')}"
    title = name.replace("-", " ").capitalize()
    values = {"name": name, "package": package, "title": title, "version": version("saastracker")}
    # Code is not HTML, and its last line ends as all others do.
    environment = Environment(autoescape=False, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    _write(environment, files("saastracker.cli") / "kit", folder, values)
    click.echo(f"Made {folder}. Try it:\n\n  cd {folder}\n  pip install -e '.[test]'\n  pytest\n")
    on = [each.name for each in Plugins(options.load()).registry(Snapshot(), NOTHING_DEFINED).plugins if each.enabled]
    names = ", ".join(f'"{each}"' for each in dict.fromkeys((*on, name)))
    click.echo(f"Turn it on in config.toml, whose first lines, above all sections, say then:\n\n  plugins = [{names}]")


def _write(environment: Environment, source: Traversable, folder: Path, values: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in source.iterdir():
        if each.is_dir():
            _write(environment, each, folder / (values["package"] if each.name == "package" else each.name), values)
        elif each.name.endswith(TEMPLATE):
            text = environment.from_string(each.read_text("utf-8")).render(values)
            (folder / each.name.removesuffix(TEMPLATE)).write_text(text, "utf-8")
