"""The list of shared links: what it says of each, and revoking."""

import html
import re

from saastracker.records import HOUR_MS, now_ms

from .conftest import Running
from .settling import entries, look, send
from .test_shared import FIELDS, shared, visit
from .test_sign_in import join

SHARES = "/settings/shares"
MEMBER = "member@example.com"


def test_a_link_is_shown_once_listed_and_revoked(running: Running) -> None:
    cookies = join(running, MEMBER)
    assert "No link yet" in look(running, SHARES, cookies).text
    path = shared(running, cookies, query="range=7d&org=acme", days="30", origins="https://a.test")
    token = path.removeprefix("/share/")
    listed = look(running, SHARES, cookies).text
    assert token not in listed
    for told in ("Live stream", "Shop", "Last 7 days, org is acme", MEMBER, "never", "until", "https://a.test"):
        assert told in listed, told
    assert 'href="/p/shop/stream?range=7d&amp;org=acme"' in listed
    [share] = running.site.accounts.snapshot.shares.values()
    assert token not in repr(running.records.records("share"))
    answer = send(running, f"{SHARES}/{share.id}/revoke", cookies)
    assert "The link is revoked." in look(running, answer.headers["location"], cookies).text
    assert visit(running, path).status_code == 404
    assert send(running, f"{SHARES}/{share.id}/revoke", cookies).status_code == 404
    assert entries(running, "share") == [(MEMBER, "create"), (MEMBER, "delete")]
    log = look(running, "/settings/audit", join(running, "admin@example.com", "admin")).text
    assert "Share made" in log
    assert token not in log
    assert share.digest not in log


def test_another_process_revokes(running: Running) -> None:
    """What any process wrote is seen with the next refresh, which comes every few seconds."""
    cookies = join(running, MEMBER)
    path = shared(running, cookies)
    other = type(running.site.accounts)(running.records, None)  # type: ignore[arg-type]
    [share] = other.snapshot.shares.values()
    other.shares.revoke(share.workspace, share.id, who=MEMBER, now=now_ms())
    running.site.accounts.refresh()
    assert visit(running, path).status_code == 404


def test_the_iframe_is_ready_to_copy(running: Running) -> None:
    cookies = join(running, MEMBER)
    answer = send(running, SHARES, cookies, **{**FIELDS, "origins": "https://a.test"})
    snippet = re.search(r"<pre[^>]*>(&lt;iframe.*?)</pre>", answer.text)
    assert snippet
    assert re.fullmatch(
        r'<iframe src="https://stats\.example/share/[\w-]{43}" title="Live stream" width="100%" height="800" '
        r'style="border:0"></iframe>',
        html.unescape(snippet[1]),
    )
    assert "&lt;iframe" not in send(running, SHARES, cookies, **FIELDS).text


def test_it_is_kept_when_a_link_was_opened(running: Running) -> None:
    cookies = join(running, MEMBER)
    path = shared(running, cookies)
    accounts = running.site.accounts
    [share] = accounts.snapshot.shares.values()
    for _ in range(2):
        assert visit(running, path).status_code == 200
    accounts.refresh()
    [opened] = accounts.snapshot.shares.values()
    assert share.seen_at == 0 < opened.seen_at
    assert "never" not in look(running, SHARES, cookies).text
    change = running.records.change()
    visit(running, path)
    accounts.refresh()
    assert running.records.change() == change  # within the hour nothing is written
    accounts.shares.open(opened, opened.seen_at + HOUR_MS)
    accounts.refresh()
    assert accounts.snapshot.shares[share.id].seen_at == opened.seen_at + HOUR_MS
    assert len(entries(running, "share")) == 1  # opening is no change of settings


def test_what_was_typed_stays_when_something_is_wrong(running: Running) -> None:
    cookies = join(running, MEMBER)
    sent = {**FIELDS, "query": "range=7d", "days": "30", "fixed": "on", "origins": "nonsense"}
    answer = send(running, SHARES, cookies, **sent)
    assert answer.status_code == 400
    for kept in (
        'name="query" value="range=7d"',
        'value="30" selected',
        'name="fixed" value="on" checked',
        ">nonsense<",
    ):
        assert kept in answer.text
    assert "is no origin; one reads like https://www.example.com" in html.unescape(answer.text)


def test_links_of_others_are_not_there(running: Running) -> None:
    stranger = join(running, "eve@example.com", "owner", running.foreign.workspace)
    cookies = join(running, MEMBER)
    shared(running, cookies)
    [share] = running.site.accounts.snapshot.shares.values()
    assert send(running, f"{SHARES}/{share.id}/revoke", stranger).status_code == 404
    assert "No link yet" in look(running, SHARES, stranger).text
