"""What is checked before what, where ingest answers, and how bodies may be packed."""

import gzip
import zlib
from typing import Any

import httpx
import pytest

from tests.ingest.driving import GAME, PERSON, Shop, Site, encode

ORIGIN = "https://app.example.com"


def test_the_order_of_checks_of_a_browser_format(site: Site) -> None:
    shop = site.add_project("app.example.com")
    large, body = bytes(5000), {"event_type": "x", "user": {"id": "u"}, "url": "https://evil.example/"}
    wrong = {"content_encoding": "br", "origin": ORIGIN}
    asked = [
        shop.page(large, method="PUT", key="", **wrong),
        shop.page(large, key="", **wrong),
        shop.page(b"{", key="", **wrong),
        shop.page(b"{", key="", origin=ORIGIN),
        shop.page(b"{", key="unknown", origin=ORIGIN),
        shop.page(b"{", origin=ORIGIN),
        shop.page({**body, "user": {}}, origin=ORIGIN),
        shop.page(body, origin=ORIGIN),
    ]
    answers = [answer for request in asked for answer in site.send(request)]
    good = {**body, "url": ORIGIN}
    with site.locked():
        answers += site.send(shop.page(good))
    answers += site.send(shop.page(good))
    assert [answer.status_code for answer in answers] == [405, 413, 415, 401, 401, 400, 400, 403, 503, 200]
    assert answers[0].headers["allow"] == "POST, OPTIONS"
    assert int(answers[8].headers["retry-after"]) > 0
    for answer in answers[:-1]:
        assert answer.headers["content-type"] == "application/json"
        detail = answer.json()["detail"]
        assert answer.json().keys() == {"detail"}
        assert detail.endswith(".") or answer.status_code in {400, 401}, detail
    assert shop.stored() == ["x"]


def test_the_order_of_checks_of_a_server_format(site: Site, shop: Shop) -> None:
    packed = gzip.compress(b"{")[:-1]  # ends too early
    unknown = {"x_app_uuid": "00000000-0000-4000-8000-000000000000"}
    asked = [
        httpx.Request("OPTIONS", "http://localhost/v1/events", headers={"origin": ORIGIN}),
        shop.hmac(bytes(5000), x_app_uuid="", content_encoding="br"),
        shop.hmac(b"{", x_app_uuid="", content_encoding="gzip, br"),
        shop.hmac(packed, x_app_uuid="", content_encoding="gzip"),
        shop.hmac(packed, content_encoding="gzip", **unknown),
        shop.hmac(packed, content_encoding="gzip", x_signature="00"),
        shop.hmac(packed, content_encoding="gzip"),
        shop.hmac(gzip.compress(b"{"), content_encoding="gzip"),
    ]
    answers = [answer for request in asked for answer in site.send(request)]
    assert [answer.status_code for answer in answers] == [405, 413, 415, 401, 404, 401, 400, 400]
    assert answers[0].headers["allow"] == "POST"
    assert answers[4].json() == {"detail": "Unknown app_uuid"}
    assert answers[5].json() == {"detail": "Invalid signature"}
    assert "gzip" in answers[6].json()["detail"]
    assert "JSON" in answers[7].json()["detail"]
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)
    assert shop.stored() == []


def test_a_store_that_cannot_write_is_seen_and_nothing_lost(site: Site, shop: Shop) -> None:
    ready = httpx.Request("GET", "http://localhost/readyz")
    with site.locked():
        answers = site.send(shop.hmac(), shop.tag(), shop.batch(GAME), ready)
        assert [answer.status_code for answer in answers] == [503] * 4
        assert "locked" in answers[-1].json()["store"]
    assert [answer.status_code for answer in site.send(shop.hmac(), shop.tag(), ready)] == [202, 202, 200]
    assert shop.stored() == ["x", "x"]


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/", "//v1/events", "///v1/events/"])
def test_slashes(site: Site, shop: Shop, path: str) -> None:
    [answer] = site.send(shop.hmac(path=path))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert shop.stored() == ["x"]


@pytest.mark.parametrize("name", ["a", "Zx9", "abcdefghijklmnop"])
def test_a_path_that_blockers_do_not_know(site: Site, shop: Shop, name: str) -> None:
    url = f"http://localhost/api.{name}?p_{name}={shop.keys['query-token']['api_key']}"
    body = encode({"event_type": "x", "user": {"anonymous_id": "a"}})
    [answer] = site.send(httpx.Request("POST", url, content=body))
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert shop.stored() == ["x"]


@pytest.mark.parametrize("path", ["/api.", "/api.abcdefghijklmnopq", "/api.a-b", "/api.ü", "/v2/api.a", "/v1/events/x"])
def test_other_paths_are_not_ingest(site: Site, path: str) -> None:
    [answer] = site.send(httpx.Request("POST", f"http://localhost{path}", content=b"{}"))
    assert answer.status_code in {404, 405}


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("DEFLATE", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
    ],
)
def test_codings(site: Site, shop: Shop, coding: str, packed: Any) -> None:
    body = encode({"event": "packed", "user_hash": PERSON, "customer_org_id": "acme"})
    [answer] = site.send(shop.hmac(packed(body), content_encoding=coding))
    assert answer.status_code == 202
    assert shop.stored() == ["packed"]


def test_a_body_that_unpacks_too_large(site: Site, shop: Shop) -> None:
    [answer] = site.send(shop.hmac(gzip.compress(bytes(20_000)), content_encoding="gzip"))
    assert answer.status_code == 413
    assert "16384" in answer.json()["detail"]


def test_the_content_type_says_nothing(site: Site, shop: Shop) -> None:
    answers = site.send(*(shop.hmac(content_type=kind) for kind in ("text/plain", "application/x-www-form-urlencoded")))
    assert [answer.status_code for answer in answers] == [202, 202]
