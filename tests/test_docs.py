"""README.md names every hook with its exact signature, every configuration key and every command."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from saastracker import hookspecs
from saastracker.cli import main
from saastracker.config import load_config
from saastracker.config_keys import Binding, File
from saastracker.definitions import NOTHING_DEFINED
from saastracker.event import Event
from saastracker.plugins import Plugins
from saastracker.records import Snapshot
from saastracker.testing import PROJECT

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PATHS = [path for path in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in path]


def hooks() -> Iterator[str]:
    for node in ast.parse(Path(hookspecs.__file__).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            assert node.returns
            yield f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"


def commands(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for part in command.list_commands(context):
            found = command.get_command(context, part)
            assert found
            yield from commands(found, f"{name} {part}")
    else:
        yield name


def keys() -> Iterator[str]:
    for field in msgspec.structs.fields(File):
        if isinstance(field.default, msgspec.Struct):
            yield from (f"{field.name}.{name}" for name in field.default.__struct_fields__)
    yield from (f"endpoint.{name}" for name in Binding.__struct_fields__)
    config = load_config(ROOT / "config.example.toml", Path("data"))
    Plugins(config).registry(Snapshot(), NOTHING_DEFINED)
    for name, settings in config.read.items():
        yield from (f"plugin.{name}.{field}" for field in settings.__struct_fields__)


@pytest.mark.parametrize("signature", list(hooks()))
def test_hooks(signature: str) -> None:
    assert f"`{signature}`" in README.replace("\\|", "|")


@pytest.mark.parametrize("key", ["plugins", *keys()])
def test_configuration_keys(key: str) -> None:
    assert re.search(rf"^\| .*`{re.escape(key)}`", README, re.MULTILINE)


@pytest.mark.parametrize("command", list(commands(main, "saastracker")))
def test_commands(command: str) -> None:
    assert f"| `{command}` |" in README


def test_no_command_is_made_up() -> None:
    assert set(re.findall(r"^\| `(saastracker [^`]+)` \|", README, re.MULTILINE)) == set(commands(main, "saastracker"))


@pytest.mark.parametrize("path", PATHS)
def test_links(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_example_plugin_works() -> None:
    (code,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    (enricher,) = names["enrichers"](None)  # type: ignore[operator]
    events = [Event(name="a"), Event(name="b", release="1.2")]
    enricher.enrich(events, PROJECT, "server", None)
    assert [event.release for event in events] == ["unreleased", "1.2"]


def test_the_example_bodies_are_json() -> None:
    bodies = re.findall(r"'(\{.+?\})'(?:$|\n)", re.sub(r"'\$\w+'", "KEY", README), re.DOTALL)
    assert len(bodies) == 4
    for body in bodies:
        json.loads(body)
