"""Shared reports in a browser: made and looked at without script, held in frames of other sites, and on paper."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from saastracker.accounts.shares import Wanted
from saastracker.event import Event
from saastracker.records import now_ms
from saastracker.web.site import SESSION_COOKIE

from .test_browser import Served, browser, complaints, served, visit  # noqa: F401  # fixtures
from .test_settings_browser import token_of


def made(served: Served, report: str = "things", origins: tuple[str, ...] = ()) -> str:  # noqa: F811
    """The address of a new link."""
    running = served.running
    token_of(running, "member")
    [maker] = running.site.accounts.snapshot.users
    wanted = Wanted(report=report, origins=origins)
    shares = running.site.accounts.shares
    return f"{served.url}/share/{shares.make(running.shop, wanted, title='', maker=maker, who='', now=now_ms()).link}"


def stranger(browser: Browser, complaints: list[str], url: str, **options: object) -> Page:  # noqa: F811
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.goto(url)
    return page


def test_a_link_is_made_and_looked_at_without_script(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    member = visit(browser, served, complaints, "/login", java_script_enabled=False)
    token = token_of(served.running, "member")
    member.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": served.url}])
    member.set_viewport_size({"width": 360, "height": 740})
    member.goto(f"{served.url}/p/shop/things?range=7d")
    member.locator("summary", has_text="Share").click()
    member.get_by_label("It works").select_option("30")
    member.get_by_role("button", name="Make a link").click()
    link = member.locator(".once pre").first.inner_text()
    assert member.evaluate("document.documentElement.scrollWidth") <= 360

    path = link.removeprefix(served.running.site.public_url)
    page = stranger(browser, complaints, served.url + path, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Things")
    for width in (360, 820, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("summary", has_text="Last 7 days").click()
    page.get_by_role("link", name="Last 90 days").click()
    expect(page.locator("summary", has_text="Last 90 days")).to_be_visible()
    page.get_by_label("Search Events by name").fill("name 1")
    page.get_by_label("Search Events by name").press("Enter")
    expect(page).to_have_url(f"{served.url}{path}?range=90d&block=names&search=name+1")
    page.locator("summary", has_text="Export").click()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("link", name="Events by name CSV").click()
    assert download.value.suggested_filename == "shop-things-names.csv"

    member.goto(f"{served.url}/settings/shares")
    member.locator("summary", has_text="Revoke").click()
    member.get_by_role("button", name="Revoke now").click()
    assert page.reload().status == 404  # type: ignore[union-attr]
    complaints.clear()  # the browser tells of 404
    member.context.close()
    page.context.close()


def test_a_shared_stream_renews_itself(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    served.publish(Event(name="first", user="u1"))
    address = made(served, "stream")
    page = browser.new_context().new_page()
    page.clock.install()
    page.goto(address)
    expect(page.get_by_text("first", exact=True)).to_be_visible()
    served.publish(Event(name="second", user="u1"))
    page.clock.run_for(11_000)
    expect(page.get_by_text("second", exact=True)).to_be_visible()
    page.locator("details.opener summary").first.click()  # somebody reads an event
    served.publish(Event(name="third", user="u1"))
    page.clock.run_for(21_000)
    expect(page.get_by_text("third", exact=True)).to_have_count(0)
    page.locator("details.opener[open] summary").click()
    page.locator("body").click(position={"x": 1, "y": 1})
    page.clock.run_for(11_000)
    expect(page.get_by_text("third", exact=True)).to_be_visible()
    page.context.close()


@pytest.fixture
def embedder() -> Iterator[ThreadingHTTPServer]:
    """Another site, whose page holds what its query names in a frame."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f'<iframe src="{self.path.partition("?")[2]}"></iframe>'.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_only_the_origins_named_hold_a_link_in_a_frame(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
    embedder: ThreadingHTTPServer,
) -> None:
    site = f"http://localhost:{embedder.server_port}"
    allowed = made(served, origins=(site,))
    page = stranger(browser, complaints, f"{site}/?{allowed}", color_scheme="dark")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_have_text("Things")
    dark = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert dark == "rgb(14, 17, 20)"
    frame.locator("summary", has_text="Last 28 days").click()
    frame.get_by_role("link", name="Last 7 days").click()
    expect(frame.locator("summary", has_text="Last 7 days")).to_be_visible()
    assert complaints == []

    running = served.running
    other, nobody = (
        running.site.accounts.shares.make(
            running.shop, Wanted(report="things", origins=origins), title="", maker="", who="", now=now_ms()
        ).link
        for origins in (("http://other.example",), ())
    )
    for path in (f"/share/{other}", f"/share/{nobody}", "/p/shop/things", "/login"):
        page.goto(f"{site}/?{served.url}{path}")
        expect(frame.get_by_role("heading", level=1)).to_have_count(0)
        assert any("frame" in said for said in complaints), path
        complaints.clear()
    page.context.close()


def test_paper_shows_the_report_and_nothing_to_press(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    for url in (made(served), f"{served.url}/p/shop/things"):
        page = visit(browser, served, complaints, "/login", color_scheme="dark")
        page.goto(url)
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        for hidden in ("button", "form", "summary", ".rail", ".scope", "input"):
            assert page.locator(f"{hidden}:visible").count() == 0, hidden
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".printed")).to_contain_text("Shop · ")
        expect(page.locator(".printed")).to_contain_text("as of ")
        assert page.locator(".panel:visible").count() > 5
        page.set_viewport_size({"width": 700, "height": 900})  # of paper
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        assert page.pdf(format="A4").startswith(b"%PDF")
        page.context.close()
