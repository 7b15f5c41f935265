"""The page Status in a browser: it renews itself while somebody looks, and only then."""

from dataclasses import replace

import msgspec
from playwright.sync_api import Browser, expect

from saastracker.web.site import SESSION_COOKIE

from .conftest import STATUS
from .test_browser import Served, browser, complaints, served, visit  # noqa: F401  # fixtures
from .test_settings_browser import token_of


def test_it_renews_itself_while_somebody_looks(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    running = served.running
    queues = iter(range(100, 200))
    running.web.state.site = replace(
        running.site, status=lambda: msgspec.structs.replace(STATUS, queue_events=next(queues))
    )
    page = visit(browser, served, complaints, "/login")
    token = token_of(running, "owner")
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": served.url}])
    page.clock.install()
    page.goto(f"{served.url}/settings/status")
    queue = page.locator(".figure", has_text="Queue").locator(".value")
    expect(queue).to_have_text("100")
    page.clock.run_for(9_000)
    expect(queue).to_have_text("100")
    page.clock.run_for(2_000)
    expect(queue).to_have_text("101")
    page.get_by_role("link", name="turned on").focus()  # which would be gone
    page.clock.run_for(21_000)
    expect(queue).to_have_text("101")
    page.get_by_role("link", name="Status").focus()
    page.clock.run_for(10_000)
    expect(queue).to_have_text("102")
    page.context.close()
