"""The wheel holds what it should, and with a stranger's plugin beside it serves events from an empty environment."""

import ast
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from saastracker import hookspecs
from tests.serve_one_event import call, running

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "contrib" / "example-plugin"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "saastracker", "plugins")
STRAYS = ("plugins/notes.txt", "plugins/other/__init__.py", "tests/test_stray.py", "saastracker/__pycache__/app.pyc")
FOUND_BY_OTHERS = {"tzdata", "ua-parser-rs", "uvloop"}  # uvicorn, zoneinfo and ua-parser look for them
TESTERS_BRING = {"hypothesis", "pytest"}  # imported by saastracker.testing
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SAASTRACKER"))}


def run(*command: str | Path, cwd: Path) -> str:
    """What a command that must succeed prints."""
    done = subprocess.run(command, check=False, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_wheel(source: Path, into: Path) -> Path:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", into, source, cwd=into)
    [wheel] = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy in which files that should not ship lie around."""
    copy = tmp_path_factory.mktemp("copy")
    for name in BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    for stray in STRAYS:
        (copy / stray).parent.mkdir(exist_ok=True)
        (copy / stray).touch()
    return build_wheel(copy, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def contents(wheel: Path) -> dict[str, bytes]:
    """The wheel's files by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def plugin_folders() -> set[str]:
    return {path.parent.name for path in ROOT.glob("plugins/saastracker_*/__init__.py")}


def test_the_wheel_holds_every_package_whole_and_nothing_else(contents: dict[str, bytes]) -> None:
    expected = {
        str(path.relative_to(base))
        for base, tree in [(ROOT, ROOT / "saastracker"), (ROOT / "plugins", ROOT / "plugins")]
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    about = f"saastracker-{PROJECT['version']}.dist-info"
    for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"):
        expected.add(f"{about}/{name}")
    assert set(contents) == expected
    assert "saastracker/py.typed" in contents


def test_every_plugin_folder_has_one_entry_point() -> None:
    named = [value.partition(" [")[0] for value in PROJECT["entry-points"]["saastracker"].values()]  # without its extra
    assert sorted(named) == sorted(plugin_folders())


def test_the_wheel_declares_what_it_imports_and_no_more(contents: dict[str, bytes]) -> None:
    imported = set()
    for name, source in contents.items():
        for node in ast.walk(ast.parse(source)) if name.endswith(".py") else ():
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    imported -= sys.stdlib_module_names | plugin_folders() | {"saastracker"}
    installed = packages_distributions()
    found = {installed.get(module, [module])[0].lower().replace("_", "-") for module in imported}
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in extras.keys() - {"dev", "docs"} for line in extras[extra])]
    declared = {re.split(r"[\[>=;]", line)[0] for line in lines}
    assert found - TESTERS_BRING == declared - FOUND_BY_OTHERS


# --- A stranger's plugin ---


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the two wheels and only sees the dependencies installed here.

    A `.pth` file in a folder that a `.pth` file adds is not read: an editable installation stays out of sight.
    """
    built = build_wheel(EXAMPLE, tmp_path_factory.mktemp("example"))
    home = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    packages = next(home.glob("lib/python*/site-packages"))
    dependencies = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    (packages / "dependencies.pth").write_text("\n".join(dependencies))
    pip = (sys.executable, "-m", "pip", "--python", home / "bin" / "python", "--disable-pip-version-check")
    run(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", wheel, built, cwd=home)
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the configuration that the example's README shows."""
    [toml] = re.findall("```toml\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.DOTALL)
    (tmp_path / "config.toml").write_text(toml)
    return tmp_path


@pytest.fixture
def saastracker(environment: Path) -> Path:
    return environment / "bin" / "saastracker"


def test_the_example_implements_every_hook() -> None:
    hooks = {name for name, value in vars(hookspecs).items() if hasattr(value, "saastracker_spec")}
    package = ast.parse((EXAMPLE / "saastracker_example" / "__init__.py").read_text())
    assert hooks == {node.name for node in package.body if isinstance(node, ast.FunctionDef)}


def test_the_example_passes_its_own_tests(environment: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path, dirs_exist_ok=True)
    run(environment / "bin" / "python", "-P", "-m", "pytest", "-q", "-W", "error", tmp_path, cwd=tmp_path)


def test_everything_comes_from_the_wheels(environment: Path, folder: Path) -> None:
    modules = ("saastracker", "saastracker_sqlite", "saastracker_example")
    code = f"import {', '.join(modules)}\nfor m in ({', '.join(modules)}): print(m.__file__)"
    for file in run(environment / "bin" / "python", "-c", code, cwd=folder).splitlines():
        assert environment in Path(file).parents


def test_the_plugin_is_listed_with_its_distribution(saastracker: Path, folder: Path) -> None:
    assert "ok  /ndjson: format ndjson, auth scheme basic\n" in run(saastracker, "check", cwd=folder)
    listed = json.loads(run(saastracker, "plugins", "--json", cwd=folder))
    assert next(each for each in listed if each["name"] == "example") == {
        "name": "example",
        "distribution": "saastracker-example",
        "version": "1.0.0",
        "enabled": True,
        "offers": [
            "definition goal",
            "auth scheme basic",
            "wire format ndjson",
            "enricher internal",
            "report busiest",
            "tagger goal",
            "job goals",
            "channel journal",
        ],
    }


def test_a_plugin_that_is_not_listed_stays_off(saastracker: Path, tmp_path: Path) -> None:
    listed = json.loads(run(saastracker, "plugins", "--json", cwd=tmp_path))
    assert [each["name"] for each in listed if not each["enabled"]] == ["clickhouse", "example", "postgres"]


def test_events_through_the_plugin_are_stored_and_reported(saastracker: Path, folder: Path) -> None:
    project = json.loads(run(saastracker, "project", "add", "Shop", "--json", cwd=folder))
    basic = project["keys"]["basic"]
    credentials = base64.b64encode(f"{basic['username']}:{basic['password']}".encode()).decode()
    token = json.loads(run(saastracker, "token", "add", "test", "--project", "shop", "--json", cwd=folder))["token"]
    lines = (
        b'{"event":"signed_up","user":"ada","org":"acme"}',
        b'{"event":"signed_up","user":1}',
        b'{"event":"signed_up","user":"eve","org":"my-company"}',
    )
    with running(str(saastracker), cwd=folder, env=ENVIRONMENT) as url:
        answer = call(f"{url}/ndjson", b"\n".join(lines), {"Authorization": f"Basic {credentials}"})
        reader = {"Authorization": f"Bearer {token}"}
        stream, busiest = (call(f"{url}/p/shop/{slug}.json", None, reader) for slug in ("stream", "busiest"))
    assert (answer["accepted"], [each["index"] for each in answer["rejected"]]) == (2, [1])
    [event] = stream["blocks"][0]["rows"]
    assert {"signed_up", "ada", "acme"} < set(event)
    assert busiest["blocks"][0]["rows"] == [["acme", 1, 1]]


def test_a_definition_of_the_plugin_is_kept_and_its_job_tells_of_it(saastracker: Path, folder: Path) -> None:
    run(saastracker, "project", "add", "Shop", cwd=folder)
    token = json.loads(run(saastracker, "token", "add", "ci", "--scope", "admin", "--json", cwd=folder))["token"]
    admin = {"Authorization": f"Bearer {token}"}
    with running(str(saastracker), cwd=folder, env=ENVIRONMENT) as url:
        made = call(f"{url}/api/v1/projects/shop/definitions/goal", b'{"event":"signed_up","per_day":10}', admin)
        call(f"{url}/api/v1/jobs/goals/run", b"", admin)
        goals: dict[str, Any] = {"runs": []}
        while not goals["runs"]:
            time.sleep(0.05)
            [goals] = (job for job in call(f"{url}/api/v1/jobs", None, admin) if job["name"] == "goals")
    assert (made["version"], made["event"], made["per_day"]) == (1, "signed_up", 10)
    assert [(each["result"], each["notices"]) for each in goals["runs"]] == [("done", 1)]
    assert goals["next_run"]
