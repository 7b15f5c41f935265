"""What is refused harms nothing else, is counted where it belongs, and tells no secret."""

import logging

import httpx
import pytest

from tests.ingest.driving import GAME, PERSON, Shop, Site


def test_a_bad_event_beside_good_ones(site: Site, shop: Shop) -> None:
    [games, people] = site.send(
        shop.batch(GAME, {**GAME, "value": "text"}, GAME),
        shop.people([{"event_type": "a", "user": {"id": "u"}}, {"event_type": "b"}]),
    )
    assert games.status_code == people.status_code == 200
    assert (games.json()["accepted"], games.json()["rejected"]) == (2, 1)
    assert [error["index"] for error in games.json()["errors"]] == [1]
    assert people.json()["status"] == "ok"
    assert [error["index"] for error in people.json()["rejected"]] == [1]
    assert sorted(shop.stored()) == ["a", "x", "x"]
    counts, details = shop.refused()
    assert counts == {"invalid": 2}
    assert {each.path for each in details} == {"/api/v1/events", "/api/v1/s2s/event"}, "without the token"


def test_a_bad_request_beside_good_ones(site: Site, shop: Shop) -> None:
    far = {"event": "x", "user_hash": PERSON, "customer_org_id": "acme", "ts_epoch": 10**30}
    half = b'{"event":"x","user_hash":"%s","customer_org_id":"acme","properties":{"a":"\\ud800"}}' % PERSON.encode()
    answers = site.send(shop.hmac(), shop.hmac(far), shop.hmac(half), shop.hmac())
    assert [answer.status_code for answer in answers] == [202, 400, 400, 202]
    assert shop.stored() == ["x", "x"]


def test_refusals_are_counted_where_they_belong(site: Site, shop: Shop) -> None:
    before = site.rejections()
    answers = site.send(
        shop.hmac(b"{"),
        shop.hmac(x_signature="00"),
        shop.hmac(x_app_uuid="00000000-0000-4000-8000-000000000000"),
        shop.page(b"{", key="unknown"),
        shop.people(b"{"),
    )
    assert [answer.status_code for answer in answers] == [400, 401, 404, 401, 400]
    counts, details = shop.refused()
    assert counts == {"invalid": 2, "signature": 1}
    assert {(each.reason, each.path) for each in details} == {
        ("invalid", "/v1/events"),
        ("invalid", "/api/v1/s2s/event"),
        ("signature", "/v1/events"),
    }
    after = site.rejections()
    grown = {reason: count - before.get(reason, 0) for reason, count in after.items()}
    assert {reason: count for reason, count in grown.items() if count} == {
        "invalid": 2,
        "signature": 1,
        "unknown_project": 1,
        "unauthorized": 1,
    }


def test_projects_do_not_touch_each_other(site: Site) -> None:
    event = {"event_type": "x", "event_id": "e1", "user": {"id": "u"}}
    shops = [site.add_project(), site.add_project()]
    for shop in shops:
        [answer] = site.send(shop.people(event, idempotency_key="k"))
        assert answer.status_code == 200
    site.send(shops[0].hmac(b"{"))
    assert [shop.stored() for shop in shops] == [["x"], ["x"]]
    assert [shop.refused()[0] for shop in shops] == [{"invalid": 1}, {}]
    foreign = shops[0].hmac(x_app_uuid=shops[1].id)
    assert site.send(foreign)[0].status_code == 401


def test_secrets_are_neither_logged_nor_answered(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shop = site.add_project("app.example.com")
    secrets = {"api_secret", "server_token", "key", "api_key"}
    told = [value for keys in shop.keys.values() for name, value in keys.items() if name in secrets]
    answers = site.send(
        shop.hmac(),
        shop.hmac(shop.keys["hmac"]["api_secret"].encode()),
        shop.batch({"name": shop.keys["bearer"]["key"]}),
        shop.people(b"{"),
        shop.people({"event_type": "x", "api_key": shop.keys["query-token"]["server_token"]}),
        shop.page({"event_type": "x", "user": {"id": "u"}}),
        shop.tag(content_encoding="br"),
        shop.tag(),
        httpx.Request("POST", "http://localhost/v1/events/x", headers={"x-signature": shop.keys["hmac"]["api_secret"]}),
    )
    with site.locked():
        answers += site.send(shop.hmac(), shop.people({"event_type": "x", "user": {"id": "u"}}))
    assert {answer.status_code for answer in answers} >= {202, 400, 403, 415, 503}
    _, details = shop.refused()
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]  # the client's
    assert any("locked" in line for line in logged)
    for text in [*logged, repr(details), *(answer.text for answer in answers)]:
        for secret in told:
            assert secret not in text
