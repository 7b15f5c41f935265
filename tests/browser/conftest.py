"""The demo site, served once, a browser, and what the browser has to say."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, Page

from saastracker.web.site import SESSION_COOKIE
from tests.browser import crawling, demo_site
from tests.browser.crawling import crawl, kind
from tests.browser.demo_site import Site
from tests.chromium import chromium
from tests.npm import installed

Open = Callable[..., Page]
Found: TypeAlias = dict[tuple[str, ...], crawling.Page]  # by kind
FoundBy: TypeAlias = Callable[[str], Found]  # by role

VARIED = "/p/harbourdesk/"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = demo_site.start(tmp_path_factory.mktemp("demo"))
    yield running
    assert running.server.stop() == 0, running.server.output


@pytest.fixture(scope="session")
def found_by(site: Site) -> FoundBy:
    """All that somebody of a role finds, by kind; the owner in one project also what one name in the query changes."""

    @cache
    def found(role: str) -> Found:
        with site.client(role) as client:
            return {kind(page.path): page for page in crawl(client, varied=VARIED if role == "owner" else "")}

    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    return (installed(Path(__file__).parent) / "axe-core" / "axe.min.js").read_text()


# Of a page that is left before Chromium has shown it, which our scripts have no part in.
LEFT = "Transition was aborted because of invalid state"


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser had to say, and where else it wanted to go; must stay empty."""
    said: list[str] = []
    yield said
    assert said == []


@pytest.fixture
def opened(browser: Browser, complaints: list[str]) -> Iterator[Open]:
    """Opens a new browser context on an address, of the session of somebody if one is given."""
    pages: list[Page] = []

    def open_page(url: str, session: str | None = None, **options: object) -> Page:
        page = browser.new_context(base_url=url, **options).new_page()  # type: ignore[arg-type]
        pages.append(page)
        if session:
            page.context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": url}])
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}"))
        page.on(
            "pageerror", lambda error: complaints.append(f"{page.url}: {error}") if LEFT not in str(error) else None
        )
        page.on("request", lambda sent: None if sent.url.startswith(url) else complaints.append(sent.url))
        return page

    yield open_page
    for page in pages:
        page.context.close()
