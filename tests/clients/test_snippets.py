"""The code that a new project's page shows: each piece is run as it stands there, and its event arrives."""

import html
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.clients.browsing import Site, Visit
from tests.needing import missing
from tests.serving import Served, columns, typed

PROGRAMS = {"curl": "sh", "python": sys.executable, "node": "node", "ruby": "ruby"}
ENDINGS = {"curl": "sh", "python": "py", "node": "mjs", "ruby": "rb"}
SENT = {  # what the examples say, worked out by hand from the formats' rules
    "saastracker": ("custom", "report_exported", "acme"),
    "nanosights": ("custom", "plan_chosen", None),
    "usermaven": ("custom", "signed_up", "acme"),
    "owlsignal": ("progression", "Level:Complete", None),
}
PAGE = {"nanosights": "page_view", "usermaven": "pageview"}
Shown = dict[tuple[str, str], str]  # code by format and language


@pytest.fixture(scope="module")
def shown(served: Served) -> Shown:
    """What the page of the served project shows right after a new key of each kind was made."""
    made = typed(served.data, "user", "add", "ada@example.com", "--role", "owner")
    link = re.search(r"/sign-up/[\w-]+", made["link"])
    assert link
    found: Shown = {}
    with httpx.Client(base_url=served.url, follow_redirects=True) as browser:
        for _ in range(100):  # the server learns of the link within a second
            if browser.get(link[0]).is_success:
                break
            time.sleep(0.05)
        form = {"name": "Ada", "email": "ada@example.com", "password": "an owl in the chimney"}
        assert browser.post(link[0], data=form).is_success
        page = f"/settings/projects/{served.slug}"
        csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get(page).text)
        assert csrf
        for scheme in ("hmac", "project-key", "query-token", "bearer"):
            made = browser.post(f"{page}/keys", data={"csrf": csrf[1], "scheme": scheme, "overlap": ""})
            found |= {place: code for place, code in codes(made.text).items() if "your-secret" not in code}
    return found


def codes(page: str) -> Shown:
    found: Shown = {}
    for part in page.split('<details class="format"')[1:]:
        name = re.search(r"<b>(\w+)</b>", part)
        assert name
        for language, code in re.findall(r'<div class="code l-(\w+)">.*?<pre[^>]*>(.*?)</pre>', part, re.S):
            found[name[1], language] = html.unescape(re.sub(r"</?mark>", "", code))
    return found


def test_every_format_has_every_language_that_can_send_it(shown: Shown) -> None:
    servers = {(name, language) for name in SENT for language in PROGRAMS}
    assert shown.keys() == servers | {(name, "browser") for name in PAGE}


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("language", PROGRAMS)
def test_programs(shown: Shown, served: Served, tmp_path: Path, name: str, language: str) -> None:
    program = shutil.which(PROGRAMS[language])
    if program is None:
        missing(f"{PROGRAMS[language]} is not installed")
    arrivals = served.arrivals()
    path = tmp_path / f"send.{ENDINGS[language]}"
    path.write_text(shown[name, language])
    done = subprocess.run([program, str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b20[02]\b", done.stdout), done.stdout
    assert columns(arrivals(1), "type", "name", "org") == [SENT[name]]


@pytest.mark.parametrize("name", PAGE)
def test_tags_on_pages_of_another_origin(shown: Shown, served: Served, visit: Visit, name: str) -> None:
    site = Site({})
    try:
        site.page = shown[name, "browser"]
        arrivals = served.arrivals()
        for path in ("/pricing", "/docs"):
            with visit.page.expect_request_finished(lambda request: request.url.startswith(served.url)):
                visit.page.goto(f"{site.url}{path}")
        events = arrivals(2)
        visitor = visit.page.evaluate("localStorage.visitor")
    finally:
        site.close()
    viewed = [("pageview", PAGE[name], path) for path in ("/pricing", "/docs")]
    assert columns(events, "type", "name", "path") == viewed
    assert [visitor in (request.post_data or "") for request in visit.sent] == [True, True]
    assert visit.complaints == []
    assert set(visit.statuses) <= {200, 202}
