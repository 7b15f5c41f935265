"""The Python SDK's wheel, in an environment with nothing else, does what its README shows."""

import re
import subprocess
import sys
import typing
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest

from saastracker_sdk import Options
from saastracker_sdk.drops import Reason
from saastracker_sdk.options import Settings
from tests.serving import Served
from tests.test_packaging import ENVIRONMENT, build_wheel, run

SDK = Path(__file__).parents[2] / "contrib" / "sdk-python"
README = (SDK / "README.md").read_text()
CODES = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
SENT: tuple[list[str], ...] = (  # by the README's pieces of code, in their order
    ["user_identify", "signed_up"],
    ["report_exported", "plan_chosen", "LCP", "Session:Start", "Complete:Tutorial", "Source:Coins", "Session:End"],
    ["signed_up"],
    ["error", "error"],
    [],
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(SDK, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and nothing else."""
    home = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    found = home / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        found,
        "--disable-pip-version-check",
        "install",
        "--no-index",
        wheel,
        cwd=home,
    )
    return found


def test_the_wheel_holds_the_package_its_types_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    about = "saastracker_sdk-0.1.0.dist-info"
    assert names == {
        *(f"saastracker_sdk/{path.name}" for path in (SDK / "saastracker_sdk").iterdir() if path.is_file()),
        *(f"{about}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE")),
    }
    assert "saastracker_sdk/py.typed" in names
    assert (SDK / "LICENSE").read_text() == (SDK.parents[1] / "LICENSE").read_text()


@pytest.mark.parametrize("place", range(len(SENT)))
def test_the_readmes_code_sends_what_it_says(place: int, python: Path, served: Served, tmp_path: Path) -> None:
    own = {
        "https://stats.example.com": served.url,
        "API_KEY": served.keys["query-token"]["api_key"],
        "SERVER_TOKEN": served.keys["query-token"]["server_token"],
        "4e2208c0-0d07-48ed-8097-ef293520ad45": served.keys["hmac"]["app_uuid"],
        "SECRET": served.keys["hmac"]["api_secret"],
        "PROJECT_KEY": served.keys["project-key"]["key"],
        "pk_live_…": served.keys["bearer"]["key"],
    }
    code = CODES[place]
    for shown, real in own.items():
        code = code.replace(f'"{shown}"', f'"{real}"')
    assert "stats.example.com" not in code
    script = tmp_path / "program.py"
    script.write_text(code)
    arrivals = served.arrivals()
    done = subprocess.run(
        [python, "-W", "error", script],
        env=ENVIRONMENT,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    assert [event["name"] for event in arrivals(len(SENT[place]))] == SENT[place]


def test_all_code_is_tried() -> None:
    assert len(CODES) == len(SENT)


def test_every_option_is_told_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", README.partition("## Options")[2], re.MULTILINE))
    assert list(rows) == list(Options.__annotations__) == [field.name for field in fields(Settings)]
    for field in fields(Settings):
        assert rows[field.name].replace(" ", "") == ("none" if field.default is None else str(field.default))


def test_every_reason_is_told() -> None:
    said = README.partition("Its reasons are")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", said)) == typing.get_args(Reason)


def test_nothing_is_imported_but_the_standard_library(python: Path, tmp_path: Path) -> None:
    code = (  # Debian's Python has loaded a module of its own before
        "import sys; before = {*sys.modules}; import saastracker_sdk;"
        "print(*{name.partition('.')[0] for name in {*sys.modules} - before})"
    )
    found = set(run(python, "-I", "-c", code, cwd=tmp_path).split())
    assert found - sys.stdlib_module_names == {"saastracker_sdk"}
