"""The settings in a browser without script: a project from its form to its key, at each width, without a complaint."""

import pytest
from playwright.sync_api import Browser, expect

from saastracker.accounts.model import OPERATOR
from saastracker.records import now_ms
from saastracker.roles import Role
from saastracker.web.settings.frame import SECTIONS
from saastracker.web.site import SESSION_COOKIE

from .conftest import Running
from .settling import add_destination, failed
from .test_browser import Served, browser, complaints, served, visit  # noqa: F401  # fixtures
from .test_sign_in import ADA, PASSWORD


def token_of(running: Running, role: Role, email: str = ADA) -> str:
    """Of the session of somebody new, without a request: Playwright has a loop of its own."""
    invitations, now = running.site.accounts.invitations, now_ms()
    made = invitations.invite(running.shop.workspace, email, role, by=OPERATOR, now=now)
    return invitations.sign_up(made.link, name="Ada", email=email, password=PASSWORD, agent="Chrome", now=now).token


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_settings_page_scrolls_sideways(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
    scheme: str,
) -> None:
    running = served.running
    running.facts.issue_keys(running.shop, running.site.registry.auth_schemes)
    running.facts.add_token("t" * 60, running.shop.workspace, "read")
    failed(running, title="t" * 200, error="e" * 500)
    add_destination(running, address="a" * 500)
    token_of(running, "viewer", f"{'a' * 60}@{'b' * 60}.example.com")
    page = visit(browser, served, complaints, "/login", java_script_enabled=False, color_scheme=scheme)
    token = token_of(running, "owner")
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": served.url}])
    for path in (
        *(section.path for section in SECTIONS),
        "projects/shop",
        "account/second-factor",
        "account/notifications",
    ):
        page.goto(f"{served.url}/settings/{path}")
        expect(page.locator("h1")).to_have_count(1)
        unlabelled = page.locator("input:not([type=hidden]):not([hidden]), select, textarea").evaluate_all(
            "fields => fields.filter(field => !field.labels.length && !field.ariaLabel).map(field => field.name)"
        )
        assert unlabelled == [], path
        for width in (360, 820, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    page.context.close()


def test_a_project_is_made_without_script(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    page = visit(browser, served, complaints, "/login", java_script_enabled=False)
    token = token_of(served.running, "admin")
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": served.url}])
    page.goto(f"{served.url}/p/shop/stream")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name").fill("Second product")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Add project").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second product")
    expect(page.get_by_text("Copy the new keys now")).to_be_visible()
    page.goto(f"{served.url}/settings/projects/second-product")
    page.get_by_text("Revoke the hmac key").click()
    page.get_by_role("button", name="Revoke now the hmac key").click()
    expect(page.get_by_role("status").filter(has_text="The key is revoked.")).to_be_visible()
    page.context.close()
