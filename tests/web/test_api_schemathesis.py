"""Schemathesis asks a live server whatever its own description allows, and what it does not."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from tests.needing import missing
from tests.serving import Server, typed

ROOT = Path(__file__).parents[2]
# What is the same for each kind of definition and each report is asked of one of them.
ASKED = r"^/api/v1/(?!.*/definitions/)|/definitions/feature|^/p/\{slug\}/retention\.json"


def test_the_api_does_what_it_says(tmp_path: Path) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        missing("schemathesis is not installed: pip install -e '.[dev]'")
    server = Server(tmp_path)
    try:
        typed(server.data, "project", "add", "Shop")
        token = typed(server.data, "token", "add", "t", "--scope", "admin")["token"]
        asked = [
            *("--config-file", str(ROOT / "schemathesis.toml"), "run", f"{server.url}/api/openapi.json"),
            *("--header", f"Authorization: Bearer {token}", "--include-path-regex", ASKED),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "3"),
            "--generation-deterministic",
        ]
        tried = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *asked],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert tried.returncode == 0, tried.stdout[-20_000:] + tried.stderr[-2_000:]
        assert "Tested: " in tried.stdout
        assert "Traceback" not in server.output
    finally:
        server.stop()
