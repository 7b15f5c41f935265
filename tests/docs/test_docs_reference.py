"""What pages say of keys, commands, hooks, reports and definitions is what the code has."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import reference
from saastracker import config_keys, scope
from saastracker.cli import main
from saastracker.config import load_config
from saastracker.contracts import ReportPage
from saastracker.definition import Definition
from saastracker.definitions import NOTHING_DEFINED
from saastracker.plugins import Plugins
from saastracker.records import Snapshot

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PLUGINS = Plugins(load_config(ROOT / "config.example.toml", Path("data")))
REPORTS = PLUGINS.registry(Snapshot(), NOTHING_DEFINED).reports
HOW = "run: python docs/reference.py"


def text(page: str) -> str:
    return (DOCS / page).read_text()


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_what_is_made_is_as_the_code_has_it(page: str) -> None:
    assert text(page) == reference.filled(text(page)), HOW


def test_every_part_is_on_one_page() -> None:
    found = [name for path in sorted(DOCS.glob("*.md")) for _, name, _ in reference.MADE.findall(path.read_text())]
    assert sorted(found) == sorted(reference.PARTS)


def keys() -> list[str]:
    """By another way than the generator: from the example, which names each key."""
    lines = (ROOT / "config.example.toml").read_text().splitlines()
    found, table = [], ""
    for line in lines:
        if head := re.fullmatch(r"(?:# )?\[\[?([\w.]+)\]\]?", line):
            table = f"{head[1]}."
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            found.append(f"{table}{key[1]}")
    return found


def test_keys_are_those_of_the_example() -> None:
    shown = re.findall(r"^\| `([\w.]+)` \|", reference.configuration(), re.MULTILINE)
    assert sorted(shown) == sorted(keys())


@pytest.mark.parametrize("key", ["server.port", "plugin.postgres.url", "plugin.email.password", "endpoint.path"])
def test_keys_of_each_kind_of_table_are_there(key: str) -> None:
    [line] = re.findall(rf"^\| `{re.escape(key)}` \|.*", text("configuration.md"), re.MULTILINE)
    assert len(line.replace("\\|", "").split("|")[4].strip()) > 5  # a meaning


def test_a_key_without_a_meaning_is_refused() -> None:
    class Table(msgspec.Struct):
        size: int = 1

    with pytest.raises(SystemExit, match=r"plugin\.mine\.size: give it a description"):
        reference._keys("[plugin.mine]", Table, "plugin.mine")


def test_types_and_limits() -> None:
    table = reference._keys("[server]", config_keys.Server, "server")
    assert "| `server.port` | integer 0 to 65535 | `8000` | port to listen on; 0: any free one |" in table
    assert "| `server.max_body` | integer from 1024 | `4194304` |" in table
    assert '| `log.format` | `"text"` or `"json"` | `"text"` |' in reference._keys("[log]", config_keys.Log, "log")


def test_commands_are_all_there() -> None:
    names = [name for name, _ in reference.walk(main, "saastracker")]
    assert re.findall(r"^### (saastracker .+)$", text("commands.md"), re.MULTILINE) == names
    assert {"saastracker serve", "saastracker key add", "saastracker copy"} <= set(names)
    assert "| `--json` | Print JSON. |" in text("commands.md")


def test_hooks_are_all_there() -> None:
    names = [node.name for node in reference.hook_functions()]
    assert re.findall(r"^### (\w+)$", text("hooks.md"), re.MULTILINE) == names
    assert "`channels(config: Config) -> Sequence[Channel] | None`" in text("hooks.md")


def test_reports_stand_as_in_the_menu() -> None:
    """Under the heading of their section, with their title and slug, in that order."""
    found = [
        (section, title, slug)
        for section, body in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text("reports.md"), re.MULTILINE | re.DOTALL)
        for title, slug in re.findall(r"^### ([\w ]+?)(?: \{.*)?\n\n`([\w-]+)`", body, re.MULTILINE)
    ]
    assert sorted(found) == sorted((page.section, page.title, page.slug) for page in REPORTS.values())


@pytest.mark.parametrize("page", REPORTS.values(), ids=REPORTS)
def test_what_a_report_asks_besides_is_told(page: ReportPage) -> None:
    told = text("reports.md").partition(f"`{page.slug}`")[2].partition("\n### ")[0]
    for parameter in (*page.parameters, *page.detail_parameters):
        assert re.search(rf"\b{parameter.name}\b", " ".join(re.findall(r"`[^`]+`", told))), parameter.name
    for kind in page.defines:
        if PLUGINS.kinds[kind].by_hand:
            assert f"definitions.md#{kind}" in told


@pytest.mark.parametrize("kind", PLUGINS.kinds.values(), ids=PLUGINS.kinds)
def test_examples_of_definitions_are_taken(kind: Definition) -> None:
    """Each kind has one, of its struct, that its check lets through."""
    [told] = re.findall(rf"^## {kind.kind}\n(.*?)(?=^## |\Z)", text("definitions.md"), re.MULTILINE | re.DOTALL)
    examples = re.findall(r"```json\n(.+?)```", told, re.DOTALL)
    assert examples
    for example in examples:
        value = msgspec.json.decode(example, type=kind.struct)
        if kind.check:
            kind.check(value)


def test_health_is_told_as_it_is_by_default() -> None:
    kind = PLUGINS.kinds["health-model"]
    told = text("definitions.md").partition("## health-model")[2].partition("```json\n")[2].partition("```")[0]
    assert msgspec.json.decode(told, type=kind.struct) == kind.struct()
    defaults: Any = kind.struct()
    weights = dict(re.findall(r"^\| (\w+) \| (\d+) \|", text("reports.md"), re.MULTILINE))
    assert weights == {name: f"{value:g}" for name, value in msgspec.structs.asdict(defaults.weights).items()}


def test_scopes_are_told() -> None:
    told = set(re.findall(r"`([^`]+)`", text("numbers.md")))
    assert {*scope.RANGES, *scope.COMPARES, *scope.OPERATORS, *scope.DIMENSIONS, *scope.PARAMETERS} - told == set()


def messages() -> list[str]:
    """What the table of troubles quotes, in the pieces that do not change."""
    table = text("operations.md").partition("## Trouble")[2]
    quoted = [code for line in table.splitlines() for code in re.findall(r"`([^`]+)`", line.partition(" | ")[0])]
    return [piece.strip() for code in quoted for piece in code.split("…") if len(piece.strip()) > 1]


def test_troubles_quote_what_is_said() -> None:
    source = "".join(path.read_text() for name in ("saastracker", "plugins") for path in (ROOT / name).rglob("*.py"))
    source = re.sub(r'"\n\s+f?"', "", source)  # texts over several lines
    assert len(messages()) > 12
    assert [message for message in messages() if message not in source] == []
