"""Pictures of every kind of page for people to look at: light, dark, and on a phone.

    python -m tests.browser.screenshots FOLDER [--only TEXT]

The data are those of the tests of pages, with all their events, so that every report has something to show.
"""

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

from saastracker.web.site import SESSION_COOKIE
from tests.browser import demo_site
from tests.browser.crawling import crawl, kind
from tests.chromium import chromium

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 720}},
}


def file_name(path: str) -> str:
    """Of a page, without what names one of many."""
    return re.sub(r"[^\w-]+", "_", kind(path)[0].replace("*", "one")).strip("_") or "start"


def take(site: demo_site.Site, folder: Path, only: str) -> None:
    with site.client("owner") as client:
        paths = [page.path for page in crawl(client) if page.html and only in page.path]
    with chromium() as browser:
        for look, options in LOOKS.items():
            context = browser.new_context(base_url=site.url, **options)
            context.add_cookies([{"name": SESSION_COOKIE, "value": site.sessions["owner"], "url": site.url}])
            page = context.new_page()
            for path in paths:
                page.goto(path)
                page.screenshot(path=folder / f"{file_name(path)}-{look}.png", full_page=True)
            context.close()
    print(f"{len(paths)} pages in {len(LOOKS)} looks are in {folder}")  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT", help="pages whose address holds this")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        site = demo_site.start(Path(folder), one_of=1)
        try:
            take(site, given.folder, given.only)
        finally:
            site.server.stop()


if __name__ == "__main__":
    main()
