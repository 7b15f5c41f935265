"""What a browser shows while a page is on its way, and how one stops waiting for it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from .test_browser import Served, browser, complaints, served, visit  # noqa: F401  # fixtures


@pytest.fixture
def page(browser: Browser, served: Served, complaints: list[str]) -> Page:  # noqa: F811
    """A page that is never left, as if the next one did not come, and whose clock stands still."""
    page = visit(browser, served, complaints, "/p/shop/things")
    page.clock.install()
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")  # after all others
    return page


def test_a_wait_is_shown_and_can_be_ended(page: Page) -> None:
    page.get_by_role("link", name="Live stream").first.click()
    expect(page.locator(".waiting")).to_have_count(0)
    page.clock.run_for(400)
    expect(page.locator(".waiting [role=status]")).to_have_text("Loading")
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_have_count(0)
    page.clock.run_for(6000)
    expect(page.locator(".waiting p")).to_contain_text("Still counting, 6 s so far")
    cancel.click()
    expect(page.locator(".waiting")).to_have_count(0)
    expect(page).to_have_url(re.compile("/p/shop/things"))
    page.context.close()


def test_what_stays_on_the_page_is_no_wait(page: Page) -> None:
    page.get_by_role("link", name="Skip to content").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    page.clock.run_for(1000)
    expect(page.locator(".waiting")).to_have_count(0)
    page.context.close()
