"""A first day with saastracker, by keyboard alone: from the link of the first start to signing out."""

import re
import subprocess
import time
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.demo_site import PASSWORD
from tests.browser.keyboard import Keyboard
from tests.serving import Server

COUNTED_SECONDS = 30  # until the index has what was sent


def shell(line: str) -> None:
    """Run what a page shows, as somebody pastes it into a terminal."""
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert re.match(r"HTTP/1.1 20[02]", done.stdout), done.stdout


def reload_until(page: Page, shown: Locator) -> None:
    """Until the index has it."""
    deadline = time.monotonic() + COUNTED_SECONDS
    while shown.count() == 0:
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        page.wait_for_timeout(500)
        page.reload()


def sign_up(page: Page, keys: Keyboard, link: str, name: str, email: str) -> None:
    page.goto(link)
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/p/"))


def test_a_first_day_by_keyboard(opened: Open, tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        link = re.search(r"http\S+/sign-up/\S+", server.output)
        assert link
        page = opened(server.url, reduced_motion="reduce")
        keys = Keyboard(page)
        sign_up(page, keys, link[0], "Ada", "ada@example.com")

        keys.follow("Settings")
        keys.follow("Projects")
        keys.type("Name", "Harbour")
        keys.push("Add project")
        expect(page.get_by_role("heading", level=1)).to_have_text("Harbour")
        line = page.locator("pre", has_text="x-signature").first.inner_text()

        keys.follow("Open reports")
        expect(page.locator("#live")).to_contain_text("Listening")
        shell(line)
        expect(page.locator("#totals .value").first).to_have_text("1 up 1", timeout=COUNTED_SECONDS * 1000)
        keys.follow("Live stream")
        expect(page.locator("#live")).to_have_text("Live")
        expect(page.locator("#rows .title")).to_have_text(["report_exported"])
        shell(line.replace("report_exported", "error"))
        expect(page.locator("#rows .title")).to_have_text(["error", "report_exported"])

        invited = invite(page, keys)
        other = opened(server.url, reduced_motion="reduce")
        sign_up(other, Keyboard(other), invited, "Grace", "")

        keys.follow("Features")
        keys.follow("Define a feature")
        keys.type("Name", "Exports")
        keys.type("Event", "report_exported")
        keys.push("Save", "Space")
        expect(page.get_by_role("heading", level=1)).to_have_text("Features")
        reload_until(page, page.get_by_role("img", name="uses it", exact=True))

        keys.follow("Health")
        reload_until(page, page.locator("tbody tr", has_text="acme"))

        keys.follow("Errors")
        reload_until(page, page.locator("tbody tr", has_text="error"))
        keys.follow("error")
        keys.push("Resolve")
        expect(page.get_by_role("button", name="Reopen")).to_be_visible()

        keys.follow("Settings")
        keys.follow("Members")
        keys.choose("Role of Grace", "viewer")
        keys.push("Change role of Grace")
        expect(page.get_by_role("status").filter(has_text="The role is changed.")).to_be_visible()
        other.goto(f"{server.url}/p/harbour/adoption")
        expect(other.get_by_role("link", name="Features").first).to_be_visible()
        expect(other.get_by_role("link", name="Define a feature")).to_have_count(0)

        keys.open("your account")
        keys.push("Sign out")
        expect(page).to_have_title("Sign in · saastracker")
        page.goto("/p/harbour/home")
        expect(page).to_have_title("Sign in · saastracker")
    finally:
        assert server.stop() == 0, server.output


def invite(page: Page, keys: Keyboard) -> str:
    """The link that one sends to a colleague."""
    keys.follow("Settings")
    keys.follow("Members")
    keys.type("E-mail", "grace@example.com")
    keys.choose("Role", "member")
    keys.push("Invite")
    shown = page.locator(".once pre")
    expect(shown).to_contain_text("/sign-up/")
    return shown.inner_text().strip()
