"""The Dockerfile, the compose files and the systemd unit, as far as can be told without Docker and without systemd."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from saastracker.config import load_config
from tests.needing import missing
from tests.serving import SAASTRACKER, Server

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "contrib" / "deploy"
COMPOSES = {
    "PostgreSQL": DEPLOY / "compose.yml",
    "ClickHouse": DEPLOY / "clickhouse" / "compose.yml",
}


def stages() -> Iterator[list[tuple[str, str]]]:
    """Instructions of each stage of the Dockerfile."""
    lines = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text()).splitlines()
    told = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    starts = [place for place, (word, _) in enumerate(told) if word == "FROM"]
    for start, end in zip(starts, [*starts[1:], len(told)], strict=True):
        yield [(word, rest) for word, rest in told[start:end]]


def test_the_image_is_slim_runs_as_nobody_and_says_how_it_is() -> None:
    build, final = stages()
    assert {build[0][1], final[0][1]} == {"python:3.13-slim AS build", "python:3.13-slim"}
    words = [word for word, _ in final]
    user = dict(final)["USER"]
    assert user not in {"root", "0"}
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert any(f"useradd --uid 10001 --no-create-home --home-dir /data {user}" in rest for _, rest in final)
    assert "/readyz" in dict(final)["HEALTHCHECK"]
    assert "gcc" not in str(final)


def test_the_image_is_made_of_what_there_is() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    build, _ = stages()
    for word, rest in build:
        if word == "COPY":
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists(), name
    [extras] = re.findall(r"'\.\[([\w,]+)\]'", str(build))
    assert set(extras.split(",")) == project["optional-dependencies"].keys() - {"dev", "docs"}
    copied = " ".join(rest for word, rest in build if word == "COPY").split()
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {f"!{name}" for name in copied if (ROOT / name).samefile(ROOT) is False} <= set(ignored)


@pytest.fixture(params=list(COMPOSES))
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSES[request.param].read_text())
    return read | {"folder": COMPOSES[request.param].parent}


def test_services_use_what_is_declared(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["restart"] == "unless-stopped", name
        assert set(service.get("depends_on", ())) <= compose["services"].keys()
        assert set(service["networks"]) <= compose["networks"].keys()
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (compose["folder"] / source).exists() if source.startswith(".") else source in compose["volumes"]
        for config in service.get("configs", ()):
            assert config["source"] in compose["configs"]
        if "build" in service:
            context = compose["folder"] / service["build"]["context"]
            assert (context / service["build"]["dockerfile"]).is_file()
        else:
            assert re.search(r":\d", service["image"]), f"{name}: no version"


def test_servers_may_do_little(compose: dict[str, Any]) -> None:
    servers = [service for service in compose["services"].values() if "build" in service]
    assert servers
    for server in servers:
        assert (server["read_only"], server["cap_drop"]) == (True, ["ALL"])
        assert server["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in server


def test_the_servers_configuration_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compose = yaml.safe_load(COMPOSES["PostgreSQL"].read_text())
    path = tmp_path / "config.toml"
    path.write_text(compose["configs"]["saastracker"]["content"])
    for name in compose["x-server"]["environment"]:
        monkeypatch.setenv(name, "https://stats.example.com")
    config = load_config(path, tmp_path)
    assert config.server.public_url == "https://stats.example.com"
    [subnet] = compose["networks"]["inside"]["ipam"]["config"]
    assert config.server.trusted_proxies == (subnet["subnet"],)


def test_caddys_configuration_is_one(tmp_path: Path) -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        missing("caddy is not installed: apt-get install caddy")
    content = yaml.safe_load(COMPOSES["PostgreSQL"].read_text())["configs"]["caddy"]["content"].replace("$$", "$")
    content = content.replace("client_ip_hash", "ip_hash")  # its name before Caddy 2.7, which Debian has
    (tmp_path / "Caddyfile").write_text(content)
    command = [caddy, "adapt", "--adapter", "caddyfile", "--config", "Caddyfile", "--validate"]
    environment = {**os.environ, "SAASTRACKER_HOST": "localhost", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"one:8000"' in done.stdout
    assert '"two:8000"' in done.stdout


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there."""
    text = (DEPLOY / "saastracker.service").read_text()
    path = tmp_path / "saastracker.service"
    path.write_text(text.replace("/opt/saastracker/bin/saastracker", sys.executable))
    return path


def analyze(*command: str | Path) -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze is not installed: apt-get install systemd")
    done = subprocess.run([program, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_unit_is_one(unit: Path) -> None:
    assert analyze("verify", unit) == ""


def test_the_unit_is_hardened(unit: Path) -> None:
    said = analyze("security", "--offline=true", "--no-pager", unit)
    [exposure] = re.findall(r"Overall exposure level for \S+ ([\d.]+) OK", said)
    assert float(exposure) < 2  # of 10; the network is left to it


def read_only(data: Path) -> Sequence[str]:
    """The program without any capability, where nothing can be written but its data and temporary files.

    SQLite needs a place for these. In a container it is /tmp, below which a test's data lies, hence /var/tmp.
    """
    for needed in ("unshare", "setpriv", "mount"):
        if shutil.which(needed) is None:
            missing(f"{needed} is not installed: apt-get install util-linux")
    script = (
        f"mount -t tmpfs tmpfs '{data}' && mount -t tmpfs tmpfs /var/tmp && mount -o remount,ro,bind / && "
        "! touch /usr/written 2>/dev/null && "
        'exec setpriv --no-new-privs --bounding-set=-all "$@"'
    )
    command = ("unshare", "--mount", "sh", "-c", script, "sh")
    tried = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:  # no `missing`: nothing can be installed that lets a container mount, in CI neither
        pytest.skip(f"This machine lets nobody remount: {tried.stderr}")
    return (*command, *SAASTRACKER)


def test_a_server_needs_only_its_data_and_temporary_files_to_be_writable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "data").mkdir()
    server = Server(tmp_path, saastracker=read_only(tmp_path / "data"))
    try:
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        assert httpx.get(f"{server.url}/login").status_code == 200
        assert "Traceback" not in server.output
    finally:
        assert server.stop() == 0
