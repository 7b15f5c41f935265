"""Pages of other hosts, the client's address, and crawlers."""

import httpx
import pytest

from tests.ingest.driving import Shop, Site

ORIGIN = "https://app.example.com"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def test_a_preflight_is_answered_without_a_project(site: Site) -> None:
    headers = {"origin": ORIGIN, "access-control-request-headers": "content-type, x-own"}
    for path in ("/api/tags/custom", "/api/v1/event", "/api.abc", "/api/v1/events", "/api/v1/s2s/event"):
        [answer] = site.send(httpx.Request("OPTIONS", f"http://localhost{path}", headers=headers))
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
        assert answer.headers["access-control-allow-headers"] == "content-type, x-own"
        assert answer.headers["access-control-max-age"] == "86400"
        assert answer.headers["vary"] == "Origin"


def test_pages_can_read_every_answer(site: Site, shop: Shop) -> None:
    from_page = {"origin": ORIGIN}
    answers = site.send(
        shop.tag(**from_page),
        shop.page(b"{", **from_page),
        shop.page(b"{", key="unknown", **from_page),
        shop.page(bytes(5000), **from_page),
        shop.page(b"{", content_encoding="br", **from_page),
        shop.page(b"", method="GET", **from_page),
    )
    assert [answer.status_code for answer in answers] == [202, 400, 401, 413, 415, 405]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"
        assert "set-cookie" not in answer.headers
    [answer] = site.send(shop.tag())
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("peer", "forwarded", "country"),
    [
        ("192.0.2.5", None, "DE"),
        ("192.0.2.5", "198.51.100.7", "DE"),  # not a proxy: whatever it says
        ("10.1.2.3", "198.51.100.7", "FR"),
        ("10.1.2.3", "192.0.2.5, 198.51.100.7", "FR"),  # the nearest that is no proxy
        ("10.1.2.3", "198.51.100.7, 10.9.9.9", "FR"),
        ("2001:db8::1", "198.51.100.7", "FR"),
        ("10.1.2.3", "198.51.100.7, nonsense", None),
        ("10.1.2.3", None, "XX"),
    ],
)
def test_the_clients_address(site: Site, shop: Shop, peer: str, forwarded: str | None, country: str | None) -> None:
    headers = {} if forwarded is None else {"x_forwarded_for": forwarded}
    site.send(shop.tag(**headers), client=peer)
    site.send(shop.hmac(**headers), client=peer)  # a server's address says nothing about the person
    assert shop.stored("country") == [country, None]


def test_crawlers_are_acknowledged_counted_and_not_stored(site: Site, shop: Shop) -> None:
    answers = site.send(shop.tag(user_agent=GOOGLEBOT), shop.tag(user_agent="curl/8.0"))
    assert [answer.json() for answer in answers] == [{"accepted": 1}] * 2
    assert shop.stored() == ["x"]
    counts, [details] = shop.refused()
    assert counts == {"bot": 1}
    assert (details.reason, details.path) == ("bot", "/api/tags/custom")
