"""The npm packages that some tests need; where they cannot be had, these are skipped, in CI they fail."""

import shutil
import subprocess
from pathlib import Path

from tests.needing import missing


def installed(folder: Path) -> Path:
    """The folder with the packages of the `package.json` in `folder`, installed: as its lock says, if it has one."""
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed")
    how = ("ci",) if (folder / "package-lock.json").exists() else ("install", "--no-package-lock")
    options = ("--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
    done = subprocess.run(
        [npm, *how, *options], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        missing(f"npm install failed: {done.stderr[-500:]}")
    return folder / "node_modules"
