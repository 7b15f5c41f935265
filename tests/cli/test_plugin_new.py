"""`saastracker plugin new`: the package passes its tests, and once installed does what it says."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from saastracker.cli import main
from tests.serving import SAASTRACKER, Server

ROOT = Path(__file__).parent.parent.parent


def new(*arguments: str, folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["--data", str(folder / "data"), "plugin", "new", *arguments])
    return done.exit_code, done.output


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        command, check=False, cwd=cwd, env=os.environ | variables, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    code, output = new("my-goals", "--folder", str(folder / "package"), folder=folder)
    assert code == 0, output
    assert '"sqlite"' in output
    assert '"my-goals"]' in output
    return folder / "package"


def test_it_passes_its_tests(package: Path) -> None:
    run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=package, PYTHONDONTWRITEBYTECODE="1")


def test_it_is_as_clean_as_the_core(package: Path) -> None:
    for command in ("check", "format --check"):
        run("ruff", *command.split(), "--no-cache", "--config", str(ROOT / "pyproject.toml"), ".", cwd=package)
    assert not [path for path in package.rglob("*") if path.is_file() and "{{" in path.read_text()]


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An admin of a server that finds the package as one that is installed, with the project `shop`."""
    folder = tmp_path_factory.mktemp("installed")
    offline = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", *offline, "--target", folder / "site", package, cwd=folder)
    (folder / "config.toml").write_text('plugins = ["sqlite", "stream", "events", "bearer", "my-goals"]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join((str(folder / "site"), str(ROOT), str(ROOT / "plugins"))))
        run(*SAASTRACKER, "--data", folder / "data", "project", "add", "Shop", cwd=folder)
        token = run(
            *SAASTRACKER, "--data", folder / "data", "token", "add", "t", "--scope", "admin", "--json", cwd=folder
        )
        server = Server(folder)
        bearer = {"Authorization": f"Bearer {json.loads(token)['token']}"}
        with httpx.Client(base_url=server.url, headers=bearer) as client:
            yield client
        assert server.stop() == 0, server.output


def test_its_report_definition_and_job_are_there(installed: httpx.Client) -> None:
    page = installed.get("/p/shop/my-goals")
    assert page.status_code == 200
    assert "No targets yet" in page.text
    target = {"event": "signed_up", "per_day": 2}
    assert installed.post("/api/v1/projects/shop/definitions/my-goals", json=target).status_code == 201
    report = installed.get("/p/shop/my-goals.json?range=7d").json()
    rows = {block["key"]: block.get("rows") for block in report["blocks"]}
    assert rows["targets"] == [["signed_up", 2, 0, 0, 7]]
    installed.post("/api/v1/jobs/my-goals/run").raise_for_status()
    deadline = time.monotonic() + 20
    runs: list[dict[str, object]] = []
    while not runs and time.monotonic() < deadline:
        time.sleep(0.05)
        [runs] = [job["runs"] for job in installed.get("/api/v1/jobs").json() if job["name"] == "my-goals"]
    assert [(each["result"], each["notices"]) for each in runs] == [("done", 1)]


@pytest.mark.parametrize("name", ["", "Goals", "my_goals", "-a", "a-", "a--b", "1a", "a/b", "a" * 41, "class"])
def test_names_that_no_package_can_have_are_refused(name: str, tmp_path: Path) -> None:
    code, output = new("--", name, folder=tmp_path)
    assert code == 1
    assert "saastracker plugin new my-goals" in output


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    for place in ("mine", "mine/notes.txt"):
        code, output = new("my-goals", "--folder", str(tmp_path / place), folder=tmp_path)
        assert code == 1
        assert "--folder" in output
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
