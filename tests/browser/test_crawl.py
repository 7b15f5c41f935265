"""Every kind of page behind the links, as each role: whole, small, and without what the role may not do."""

from functools import cache

import httpx
import pytest

from saastracker.accounts.csrf import csrf_token
from saastracker.roles import ROLES
from tests.browser.conftest import Found, FoundBy
from tests.browser.crawling import Page
from tests.browser.demo_site import Site

WEIGHT_MAX = 150_000  # bytes of a page with all it loads, as sent
KINDS_MIN = 150  # of pages and files that a viewer finds


def html(found: Found) -> list[Page]:
    return [page for page in found.values() if page.html]


@pytest.mark.parametrize("role", ROLES)
def test_every_link_leads_somewhere(found_by: FoundBy, role: str) -> None:
    found = found_by(role).values()
    assert len(found) > KINDS_MIN
    dead = {page.path: (page.answer.status_code, page.linked) for page in found if page.answer.status_code >= 400}
    assert dead == {}


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_whole(found_by: FoundBy, role: str) -> None:
    wrong = []
    for page in html(found_by(role)):
        seen = page.seen
        doubled = [name for name, count in seen.ids.items() if count > 1]
        checks = {
            "language": seen.lang == "en",
            "title": seen.title.strip() not in {"", "·"},
            "one h1": seen.tags["h1"] == 1,
            "main": seen.tags["main"] == 1 and seen.ids["main"] == 1,
            "nav": seen.tags["nav"] >= 1 and seen.tags["header"] >= 1,
            f"ids {doubled}": not doubled,
            f"inline {seen.inline}": not seen.inline,
            f"loads {seen.loads}": all(each.startswith("/static/") for each in seen.loads),
            "token in forms": all("csrf" in form.names for form in seen.forms if form.method == "post"),
        }
        wrong += [(page.path, check) for check, holds in checks.items() if not holds]
    assert wrong == []


def test_titles_tell_pages_apart(found_by: FoundBy) -> None:
    plain = [page for page in html(found_by("owner")) if "?" not in page.path]
    titles = [page.seen.title for page in plain]
    assert sorted({(each.path, each.seen.title) for each in plain if titles.count(each.seen.title) > 1}) == []


def test_every_page_is_small(found_by: FoundBy, site: Site) -> None:
    with httpx.Client(base_url=site.url) as client:

        @cache
        def weight(path: str) -> int:
            return client.get(path).raise_for_status().num_bytes_downloaded

        heavy = {}
        for page in html(found_by("owner")):
            sent = page.answer.num_bytes_downloaded + sum(weight(each) for each in page.seen.loads)
            if sent > WEIGHT_MAX:
                heavy[page.path] = sent
    assert heavy == {}


@pytest.mark.parametrize("role", ROLES[:-1])
def test_what_a_role_may_not_do_is_absent_and_refused(found_by: FoundBy, site: Site, role: str) -> None:
    """Every form that the owner finds and the role does not; and every page, or it can only be read."""
    may = {name for page in html(found_by(role)) for name in page.forms}
    forms = {name: action for page in html(found_by("owner")) for name, action in page.forms.items() if name not in may}
    pages = [page for name, page in found_by("owner").items() if len(name) == 1 and name not in found_by(role)]
    assert forms
    taken = []
    with site.client(role) as client:
        for action in forms.values():
            answer = client.post(action, data={"csrf": csrf_token(site.sessions[role])})
            if answer.status_code not in {403, 404}:
                taken.append((action, answer.status_code))
        for page in pages:
            again = Page(page.path, client.get(page.path), page.linked)
            offered = again.html and set(again.forms) - may
            if again.answer.status_code not in {200, 403, 404} or (again.answer.status_code == 200 and offered):
                taken.append((page.path, again.answer.status_code))
    assert taken == []
