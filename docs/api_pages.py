"""The API's pages, made from its OpenAPI description: one for each group of operations, and a table of all."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from saastracker.config import load_config
from saastracker.definitions import NOTHING_DEFINED
from saastracker.plugins import Plugins
from saastracker.records import Snapshot
from saastracker.web.api import catalogue
from saastracker.web.api.openapi import document
from saastracker.web.api.viewing import Line, Row, Shown, groups, shown

EVERY_KEY = Path(__file__).parent.parent / "config.example.toml"
SERVER = "https://stats.example.com"
PREFIX = "api-"  # of the pages' names
REPORTS = "Reports"  # the group of all reports' twins, which differ in their parameters only


class ApiPage(NamedTuple):
    """A page in Markdown."""

    name: str
    title: str
    text: str


@cache
def described() -> dict[str, Any]:
    """OpenAPI's document, of a server with the plugins that come along."""
    plugins = Plugins(load_config(EVERY_KEY, Path("data")))
    registry = plugins.registry(Snapshot(), NOTHING_DEFINED)
    return document(catalogue.described(plugins.kinds.values()), registry.reports.values(), registry.auth_schemes)


@cache
def pages() -> Sequence[ApiPage]:
    return [
        ApiPage(_page(group), group, _reports(lines) if group == REPORTS else _group(group, lines))
        for group, lines in groups(described()).items()
    ]


def contents() -> str:
    """A table of all operations for each group."""
    parts = []
    for group, lines in groups(described()).items():
        parts += [f"\n## {group}\n", "| address | what it does |", "|---|---|"]
        if group == REPORTS:
            parts.append(f"| `GET /p/{{slug}}/{{report}}.json`, `.csv` | [What each report is asked]({_page(group)}) |")
        else:
            parts += [
                f"| `{each.method} {each.path}` | [{_text(each.title)}]({_page(group)}#{each.name}) |" for each in lines
            ]
    return "\n".join(parts) + "\n"


def _page(group: str) -> str:
    return f"{PREFIX}{group.lower().replace(' ', '-')}.md"


def _group(group: str, lines: Sequence[Line]) -> str:
    """All operations, and at the end, once, the types that their bodies and answers name."""
    parts, types = [f"# {group}\n"], dict[str, Sequence[Row]]()
    for line in lines:
        one = _shown(line)
        parts.append(_operation(one, line.name))
        types |= {heading: rows for heading, rows in one.tables if not _own(heading)}
    parts += [f"## Type {_text(heading)}\n\n" + "\n".join(_table(rows)) for heading, rows in sorted(types.items())]
    return "\n".join(parts)


def _own(heading: str) -> bool:
    """Whether a table is of an operation itself, not of a type that it names."""
    return heading.startswith(("Parameters", "Body", "Answer"))


def _shown(line: Line) -> Shown:
    method = line.method.lower()
    return shown(described(), SERVER, line.path, method, described()["paths"][line.path][method])


def _operation(one: Shown, name: str) -> str:
    lines = [f"## {_text(one.title)} {{: #{name} }}\n", f"`{one.method} {one.path}`\n", f"{_text(one.about)}\n"]
    for heading, rows in one.tables:
        lines += [f"**{_text(heading)}**\n", *_table(rows)] if _own(heading) else []
    return "\n".join([*lines, "```sh", one.curl, "```\n", _statuses(one)])


def _statuses(one: Shown) -> str:
    return f"Answers: {', '.join(f'`{status}`' for status, _ in one.statuses)}.\n"


def _reports(lines: Sequence[Line]) -> str:
    """What all twins share once, then what each is asked besides."""
    twins = {line: _shown(line) for line in lines if line.path.endswith(".json")}
    common = set.intersection(*({row.name for row in _parameters(one)} for one in twins.values()))
    first = next(iter(twins.values()))
    parts = [f"# {REPORTS}\n", f"{first.about.partition('. ')[2]} Each is there as `.csv`, too.\n"]
    parts += ["## What all are asked\n", *_table([row for row in _parameters(first) if row.name in common])]
    parts.append("## What all answer, as JSON\n")
    for heading, rows in first.tables[1:]:
        parts += [f"**{_text(heading)}**\n", *_table(rows)]
    parts.append(_statuses(first))
    for line, one in twins.items():
        parts += [f"## {_text(line.title.removesuffix(', as JSON'))} {{: #{line.name} }}\n"]
        parts += [f"`GET {line.path}`\n", f"{_text(one.about)}\n"]
        if own := [row for row in _parameters(one) if row.name not in common]:
            parts += _table(own)
    return "\n".join(parts)


def _parameters(one: Shown) -> Sequence[Row]:
    return next(rows for heading, rows in one.tables if heading == "Parameters")


def _table(rows: Sequence[Row]) -> list[str]:
    return ["| name | type | |", "|---|---|---|", *map(_row, rows), ""]


def _row(row: Row) -> str:
    needed = "**required.** " if row.needed else ""
    return f"| `{row.name}` | {_text(row.type)} | {needed}{_text(row.about)} |"


def _text(text: str) -> str:
    """As it reads, within a table too."""
    return text.replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
