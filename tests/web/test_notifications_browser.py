"""Notifications in a browser without script: choosing, a destination with its secret and a test, unsubscribing."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from saastracker.job import Notice
from saastracker.notify import Notices
from saastracker.records import now_ms
from saastracker.web.site import SESSION_COOKIE

from .conftest import BASE
from .settling import failed
from .test_browser import Served, browser, complaints, served, visit  # noqa: F401  # fixtures
from .test_settings_browser import token_of


@pytest.fixture
def page(browser: Browser, served: Served, complaints: list[str]) -> Page:  # noqa: F811
    """An admin's."""
    page = visit(browser, served, complaints, "/login", java_script_enabled=False)
    token = token_of(served.running, "admin")
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": served.url}])
    return page


def test_choosing_what_one_hears_of(page: Page, served: Served) -> None:  # noqa: F811
    page.goto(f"{served.url}/settings/account")
    page.get_by_role("link", name="Choose").click()
    expect(page.get_by_label("New errors on by default")).to_be_checked()
    page.get_by_label("New errors on by default").uncheck()
    page.get_by_role("button", name="Save for Default").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(page.get_by_label("New errors on by default")).not_to_be_checked()
    expect(page.get_by_label("Budget on by default")).to_be_checked()


def test_a_destination_from_its_form_to_its_end(page: Page, served: Served) -> None:  # noqa: F811
    running = served.running
    failed(running)
    page.goto(f"{served.url}/settings/notifications")
    page.get_by_role("button", name="Send me a test message by Post").click()
    expect(page.get_by_text("The test message is sent.")).to_be_visible()
    page.get_by_label("Name").fill("Ops chat")
    page.get_by_label("Address").fill("https://ops.example/hook")
    page.get_by_label("New errors").check()
    page.get_by_role("button", name="Add destination").click()
    secret = page.get_by_text(re.compile("^whsec_"))
    expect(secret).to_be_visible()
    told = secret.inner_text()
    page.get_by_role("button", name="Test the destination Ops chat").click()
    expect(page.get_by_text("The test message is sent.")).to_be_visible()
    assert told not in page.content()
    assert [message.secret.decode() for message in running.hook.sent] == [told]
    page.get_by_role("button", name="Send again New error: out of cheese").click()
    expect(page.get_by_text("It is sent again within seconds.")).to_be_visible()
    page.get_by_text("Remove the destination").click()
    page.get_by_role("button", name="Remove now the destination Ops chat").click()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_unsubscribing_from_a_message(page: Page, served: Served) -> None:  # noqa: F811
    running, now = served.running, now_ms()
    Notices(running.records).add("budgets", [Notice(project=running.shop.id, key="1", title="T", text="x")], now)
    running.site.outbox.route(now)
    running.site.outbox.send(now, lambda: False)
    [message] = running.post.sent
    page.context.clear_cookies()
    page.goto(message.unsubscribe.replace(BASE, served.url))
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are subscribed again")
