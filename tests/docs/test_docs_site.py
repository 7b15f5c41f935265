"""The documentation's site: it builds without a warning, is complete, and asks no other host for anything."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Request
from playwright.sync_api import TimeoutError as NotYet

import api_pages
from tests.chromium import chromium

ROOT = Path(__file__).parent.parent.parent
BUILD_SECONDS = 10.0  # of CPU
QUIET = {"NO_MKDOCS_2_WARNING": "1"}  # Material tells of another program
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
ELSEWHERE = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    began = os.times()
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, env=os.environ | QUIET, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    ended = os.times()
    assert done.returncode == 0, done.stderr
    assert not re.search(r"^(WARNING|ERROR)", done.stderr, re.MULTILINE), done.stderr
    assert (ended.children_user - began.children_user) + (ended.children_system - began.children_system) < BUILD_SECONDS
    return folder


class Loads(HTMLParser):
    """Addresses that a page loads by itself, links not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") in {"prev", "next", "canonical"}:
            return
        self.found += [value for name, value in attrs if value and (name == "srcset" or name == LOADS.get(tag))]


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text())
        assert loads.found
        assert [address for address in loads.found if ELSEWHERE.match(address)] == [], page
    for sheet in site.rglob("*.css"):
        loaded = re.findall(r"""(?:url\(|@import\s)\s*['"]?([^'")\s]+)""", sheet.read_text())
        assert [address for address in loaded if ELSEWHERE.match(address)] == [], sheet


def test_no_program_is_left_among_the_pages(site: Path) -> None:
    assert [path.name for path in site.rglob("*.py*")] == []


def test_every_operation_of_the_api_is_there(site: Path) -> None:
    operations = [
        (each["operationId"], path)
        for path, methods in api_pages.described()["paths"].items()
        for each in methods.values()
        if not path.endswith(".csv")  # stands with its twin
    ]
    text = {page.name: page.read_text() for page in site.glob("api-*.html")}
    assert len(operations) > 100
    for name, path in operations:
        [page] = [page for page in text.values() if f' id="{name}"' in page]
        assert f"{path}</code>" in page, path


def test_pictures_are_there(site: Path) -> None:
    assert 'src="screenshots/organizations.png"' in (site / "index.html").read_text()
    assert (site / "screenshots" / "organizations.png").stat().st_size > 10_000


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_browser_asks_only_the_readers_host(address: str) -> None:
    """The search, too; and on a phone no page is wider than the screen."""
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 360, "height": 740})

        def note(request: Request) -> None:
            asked.append(request.url)

        page.on("request", note)
        for name in ("index", "events", "configuration", "api-definitions"):
            page.goto(f"{address}/{name}.html")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{address}/index.html")
        search, found = page.locator("input.md-search__input"), page.locator(".md-search-result__item").first
        for _ in range(60):  # what is typed before the script is ready is not looked for
            search.fill("")
            search.press_sequentially("Idempotency-Key")
            with contextlib.suppress(NotYet):
                found.wait_for(timeout=1000)
                break
        assert found.is_visible()
        time.sleep(0.2)  # what a page asks for late
    assert any(url.endswith(".js") for url in asked)
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()
