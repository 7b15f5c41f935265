"""What pages say of keys, commands and hooks, made from the code: `python docs/reference.py` writes it into them.

A page holds it between `<!-- made: NAME -->` and `<!-- end -->`; tests/docs compare it with the code.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import msgspec

from saastracker import config_keys, hookspecs
from saastracker.cli import main as command_line
from saastracker.config import load_config
from saastracker.definitions import NOTHING_DEFINED
from saastracker.plugins import Plugins
from saastracker.records import Snapshot

DOCS = Path(__file__).parent
EVERY_KEY = DOCS.parent / "config.example.toml"
MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
STORES = ("sqlite", "postgres", "clickhouse")


# --- Configuration ---


def configuration() -> str:
    """A table of all keys for each table of the file."""
    parts = [_keys("", config_keys.File, "")]
    fields = [each for each in msgspec.structs.fields(config_keys.File) if isinstance(each.default, msgspec.Struct)]
    parts += [_keys(f"[{each.name}]", type(each.default), each.name) for each in fields]
    parts.append(_keys("[[endpoint]]", config_keys.Binding, "endpoint"))
    parts += [_keys(f"[plugin.{name}]", each, f"plugin.{name}") for name, each in plugin_settings().items()]
    return "\n".join(parts)


def plugin_settings() -> Mapping[str, type[msgspec.Struct]]:
    """The settings of all plugins that come along and have some, by the plugin's name."""
    config = load_config(EVERY_KEY, Path("data"))
    config.plugins = tuple(dict.fromkeys([*(config.plugins or ()), *STORES]))
    Plugins(config).registry(Snapshot(), NOTHING_DEFINED)
    return config.read


def _keys(title: str, table: type[msgspec.Struct], path: str) -> str:
    lines = [f"### `{title}`\n"] if title else []
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(table):
        if field.default_factory is dict or isinstance(field.default, msgspec.Struct) or field.name == "endpoint":
            continue  # tables of their own
        info = msgspec.inspect.type_info(field.type)
        if not isinstance(info, msgspec.inspect.Metadata) or not info.extra_json_schema:
            raise SystemExit(f"{path}.{field.name}: give it a description: Annotated[…, msgspec.Meta(description=…)]")
        name = f"{path}.{field.name}".lstrip(".")
        meaning = _cell(info.extra_json_schema["description"])
        words = " or ".join(f'`"{value}"`' for value in _words(field.type)) or _kind(info.type)
        lines.append(f"| `{name}` | {_cell(words)} | {_default(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _kind(info: msgspec.inspect.Type) -> str:
    """A type and its limits, in words."""
    match info:
        case msgspec.inspect.BoolType():
            return "`true` or `false`"
        case msgspec.inspect.IntType(ge=least, le=most):
            return " ".join(["integer", *_limits(least, most)])
        case msgspec.inspect.FloatType(ge=least, le=most):
            return " ".join(["number", *_limits(least, most)])
        case msgspec.inspect.StrType(pattern=pattern):
            return f"text like `{pattern}`" if pattern else "text"
        case msgspec.inspect.VarTupleType():
            return "list of texts"
        case msgspec.inspect.UnionType(types=types):
            return " or ".join(_kind(each) for each in types if not isinstance(each, msgspec.inspect.NoneType))
        case _:
            raise SystemExit(f"docs/reference.py has no words for {info}")


def _words(kind: Any) -> tuple[str, ...]:
    """Those of an annotated Literal, in their order."""
    inner = get_args(kind)[0]
    return get_args(inner) if get_origin(inner) is Literal else ()


def _limits(least: float | None, most: float | None) -> list[str]:
    if most is not None:
        return [f"{least} to {most}"]
    return [] if least is None else [f"from {least}"]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "has to be given"
    value = field.default
    if value is None:
        return "all that come along"
    if value in ("", ()):
        return "empty"
    return f"`{msgspec.json.encode(value).decode()}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# --- Commands ---


def commands() -> str:
    """A section for each command: how it is written, what it does, its options."""
    return "\n".join(_command(each, name) for name, each in walk(command_line, "saastracker"))


def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it, without the groups, by what is typed."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for part in command.list_commands(context):
            found = command.get_command(context, part)
            if found is not None and not found.hidden:
                yield from walk(found, f"{name} {part}")
    else:
        yield name, command


def _command(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name)
    written = " ".join([name, *command.collect_usage_pieces(context)])
    about = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(command.help or "")).strip()
    lines = [f"### {name}\n", f"`{written}`\n", f"{about}\n"]
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    records = [record for each in options if (record := each.get_help_record(context))]
    if records:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{_cell(option)}` | {_cell(about)} |" for option, about in records]
        lines.append("")
    return "\n".join(lines)


# --- Hooks ---


def hooks() -> str:
    """A section for each hook, with its signature."""
    return "\n".join(_hook(node) for node in hook_functions())


def hook_functions() -> Iterator[ast.FunctionDef]:
    for node in ast.parse(Path(hookspecs.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield node


def _hook(node: ast.FunctionDef) -> str:
    about = ast.get_docstring(node) or ""
    assert node.returns
    signature = f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
    return f"### {node.name}\n\n`{signature}`\n\n{about}\n"


# --- Pages ---

PARTS: Mapping[str, Callable[[], str]] = {"configuration": configuration, "commands": commands, "hooks": hooks}


def filled(text: str) -> str:
    """A page with what is made as the code has it now. An unknown name raises KeyError."""

    def put(found: re.Match[str]) -> str:
        return f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}"

    return MADE.sub(put, text)


def main() -> None:
    """Write it into all pages, and name those that were changed."""
    for page in sorted(DOCS.glob("*.md")):
        old = page.read_text(encoding="utf-8")
        if (new := filled(old)) != old:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"{page}\n")


if __name__ == "__main__":
    main()
