"""Chromium and the npm packages; where one is missing, tests that need it are skipped, in CI they fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import chromium
from tests.clients.browsing import Visit
from tests.npm import installed
from tests.serving import Served


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with the npm packages of `package.json`, installed."""
    return installed(Path(__file__).parent)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[Visit]:
    with Visit(browser, served.url) as visit:
        yield visit
