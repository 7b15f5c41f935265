"""Imports only point down: a module of the core sees its own floor and those below, a plugin floors 0 and 1."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (
    {"event", "errors"},
    {
        *("contracts", "channel", "roles", "wire", "actors", "hookspecs", "decoding", "strict", "definition", "job"),
        *("report", "late", "scope", "conditions", "index", "index_store", "cells", "active", "persons"),
        *("tagger", "packing", "columns", "moments", "parts", "segments", "visits", "channels", "dwell", "sums"),
        "resting",
        *("sql_reads_elsewhere", "sql_index_elsewhere", "sql_index_reads"),
        *("erasable", "claimable", "copyable", "stored", "event_rows", "months"),
        *("dictionary", "sql", "sql_reads", "sql_events", "sql_index", "sql_index_writes", "sql_copying"),
        *("rules", "customers", "health", "told", "latest", "issues", "matching", "compiled", "written", "merging"),
    },
    {
        "config",
        "config_keys",
        "records",
        "facts",
        "fact_rules",
        "snapshots",
        "key_uses",
        "setups",
        "audit",
        "definitions",
        "secrets",
        "views",
        "accounts",
        "annotations",
        "environments",
        "bindings",
    },
    {
        "plugins",
        "writer",
        "quota",
        "deliveries",
        "sessions",
        "refusals",
        "metrics",
        "job_runs",
        "backups",
        "enriching",
        "job_requests",
        "logs",
        "folding",
    }
    | {"chunks", "enrolling", "tagging", "longer", "settling", "daily", "timing"},
    {
        "ingest",
        "indexer",
        "following",
        "alarms",
        "index_watch",
        "commanded",
        "disk",
        "runtime",
        "watch",
        "units",
        "notify",
        "outbox",
        "budgets",
        "limits",
        "meter",
        "schedule",
        "leading",
        "relaying",
        "upkeep",
        *("exported", "personal", "erasing", "erasure", "erasures", "keeping", "mentions", "narrowing", "retention"),
        "bodies",
        "copying",
        "live",
        "control",
        "web",
        "server",
        "demo",
        "snippets",
    },
    {"app", "cli", "__main__", "testing"},
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
PLUGIN_FLOOR = 1
CORE = sorted(path for path in (ROOT / "saastracker").rglob("*.py") if path != ROOT / "saastracker" / "__init__.py")
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
PACKAGES = sorted(path.parent for path in (*CORE, *PLUGINS) if path.name == "__init__.py")


def imports(path: Path) -> set[str]:
    """Dotted names of all modules a file imports, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            if node.module == "saastracker":
                found |= {f"saastracker.{alias.name}" for alias in node.names}
            else:
                found.add(node.module)
    return found


def part(module: str) -> str:
    """`saastracker.web.pages` belongs to the part `web`."""
    return module.split(".")[1]


def own_part(path: Path) -> str:
    return path.relative_to(ROOT / "saastracker").parts[0].removesuffix(".py")


def seen_parts(path: Path) -> set[str]:
    return {part(name) for name in imports(path) if name.startswith("saastracker.")} - {own_part(path)}


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_core_imports_point_down(path: Path) -> None:
    own = own_part(path)
    assert own in FLOOR, f"give {own} a floor"
    assert {name for name in seen_parts(path) if FLOOR[name] > FLOOR[own]} == set()


def test_parts_of_one_floor_form_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in CORE:
        graph.setdefault(own_part(path), set()).update(seen_parts(path))
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_see_only_public_floors_and_themselves(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    for name in imports(path):
        if name.startswith("saastracker."):
            assert FLOOR[part(name)] <= PLUGIN_FLOOR, name
        elif name.startswith("saastracker_"):
            assert name.split(".")[0] == own, name


def test_only_two_modules_know_pluggy() -> None:
    knowing = {path.name for path in (*CORE, *PLUGINS) if any(name.split(".")[0] == "pluggy" for name in imports(path))}
    assert knowing == {"hookspecs.py", "plugins.py"}


def test_plugins_is_a_folder_of_packages() -> None:
    assert not (ROOT / "plugins" / "__init__.py").exists()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_of_a_package_hides_behind_a_submodule(package: Path) -> None:
    """Importing `package.preview` sets `package.preview`: a function of that name is gone from then on."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    body = ast.parse((package / "__init__.py").read_text()).body
    names = {node.name for node in body if isinstance(node, defined)}
    for node in body:
        # What comes from a module of its own is set after that module is, and stays.
        if isinstance(node, ast.ImportFrom) and package.name not in (node.module or "").split("."):
            names |= {alias.asname or alias.name for alias in node.names}
    assert names & {path.stem for path in package.iterdir()} == set()
