"""Chromium and the npm packages; where one is missing, tests that need it are skipped, in CI they fail."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.clients.browsing import Visit
from tests.needing import missing
from tests.serving import Served

FOLDER = Path(__file__).parent
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with the npm packages of `package.json`, installed."""
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed")
    options = ("--prefer-offline", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    done = subprocess.run(
        [npm, "install", *options], cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        missing(f"npm install failed: {done.stderr[-500:]}")
    return FOLDER / "node_modules"


@pytest.fixture(scope="module")  # Playwright's event loop would get in the way of other modules' own
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Visit]:
    with Visit(browser, served.url) as visit:
        yield visit
