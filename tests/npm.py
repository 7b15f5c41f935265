"""The npm packages that some tests need; where they cannot be had, these are skipped, in CI they fail."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from tests.needing import missing


def installed(folder: Path) -> Path:
    """The folder with the packages of the `package.json` in `folder`, installed: as its lock says, if it has one."""
    packages = folder / "node_modules"
    with (folder / "package.json").open() as asked:
        fcntl.flock(asked, fcntl.LOCK_EX)  # tests of another process may want them at the same moment
        if not _are_as_asked(packages):
            _install(folder)
    return packages


def _are_as_asked(packages: Path) -> bool:
    done = packages / ".package-lock.json"  # npm's last step
    asked = (packages.with_name(name) for name in ("package.json", "package-lock.json"))
    return done.exists() and all(not each.exists() or each.stat().st_mtime < done.stat().st_mtime for each in asked)


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed")
    how = ("ci",) if (folder / "package-lock.json").exists() else ("install", "--no-package-lock")
    options = ("--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
    done = subprocess.run([npm, *how, *options], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        missing(f"npm install failed: {done.stderr[-500:]}")
