"""The web SDK as its package builds it, and pages of a site that load it, in Chromium."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import chromium
from tests.clients.browsing import Site, Visit
from tests.npm import installed
from tests.sdk_web.pages import SCRIPTS

SOURCE = Path(__file__).parent.parent.parent / "contrib" / "sdk-web"
UNWANTED = shutil.ignore_patterns("node_modules", "dist", "build")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package's folder, built."""
    folder = tmp_path_factory.mktemp("sdk-web") / "package"
    shutil.copytree(SOURCE, folder, ignore=UNWANTED)
    installed(folder)
    subprocess.run(["npm", "run", "build"], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(package: Path) -> Iterator[Site]:
    site = Site({address: package / "dist" / file for address, file in SCRIPTS.items()})
    yield site
    site.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    with Visit(browser, "http://127.0.0.1") as visit:
        yield visit
