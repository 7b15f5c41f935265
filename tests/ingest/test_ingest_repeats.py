"""What is sent again is stored once and gets the same answer."""

import sqlite3
from contextlib import closing

from saastracker.ingest import IDEMPOTENCY_KEY_MAX
from tests.ingest.driving import GAME, Shop, Site


def test_a_repeat_gets_the_first_answer(site: Site, shop: Shop) -> None:
    first, other = shop.batch(GAME, {}, idempotency_key="k"), shop.batch(GAME, idempotency_key="k")
    malformed = shop.batch(idempotency_key="k")
    answers = [answer for request in (first, first, other, malformed) for answer in site.send(request)]
    assert answers[0].json()["accepted"] == 1
    assert answers[0].json()["rejected"] == 1
    assert [answer.content for answer in answers] == [answers[0].content] * 4
    assert shop.stored() == ["x"]
    assert shop.refused()[0] == {"invalid": 1}, "a repeat is not refused again"


def test_a_repeat_of_nothing_stored_gets_the_first_answer_too(site: Site, shop: Shop) -> None:
    [first] = site.send(shop.batch({}, idempotency_key="k"))
    [second] = site.send(shop.batch(GAME, idempotency_key="k"))
    assert first.json()["accepted"] == 0
    assert second.content == first.content
    assert shop.stored() == []


def test_twins_in_flight_are_stored_once(site: Site, shop: Shop) -> None:
    answers = site.send(*(shop.hmac(idempotency_key="k") for _ in range(5)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b'{"accepted":1}')}
    assert shop.stored() == ["x"]


def test_only_success_is_kept_for_a_repeat(site: Site, shop: Shop) -> None:
    requests = shop.hmac(b"{", idempotency_key="k"), shop.hmac(idempotency_key="k")
    answers = [answer.status_code for request in requests for answer in site.send(request)]
    with site.locked():
        answers += [site.send(shop.hmac(idempotency_key="l"))[0].status_code]
    answers += [site.send(shop.hmac(idempotency_key="l"))[0].status_code]
    assert answers == [400, 202, 503, 202]
    assert shop.stored() == ["x", "x"]


def test_after_a_day_a_key_is_forgotten(site: Site, shop: Shop) -> None:
    site.send(shop.hmac(idempotency_key="k"))
    site.send(shop.hmac(idempotency_key="k"))
    assert len(shop.stored()) == 1
    with closing(sqlite3.connect(site.database)) as other, other:
        other.execute("UPDATE answers SET at = at - 86400000 WHERE project = ?", (shop.id,))
    site.send(shop.hmac(idempotency_key="k"))
    assert len(shop.stored()) == 2


def test_the_length_of_a_key(site: Site, shop: Shop) -> None:
    answers = site.send(
        shop.hmac(idempotency_key="k" * IDEMPOTENCY_KEY_MAX), shop.hmac(idempotency_key="k" * (IDEMPOTENCY_KEY_MAX + 1))
    )
    assert [answer.status_code for answer in answers] == [202, 400]
    assert "255" in answers[1].json()["detail"]


def test_an_event_with_its_own_id_is_stored_once(site: Site, shop: Shop) -> None:
    event = {"event_type": "x", "event_id": "e1", "user": {"id": "u"}, "_timestamp": 1_778_070_896_000}
    another = {**event, "user": {"id": "v"}}  # ids of one real SDK hold 40 bits only
    for request in (shop.people([event, event, another]), shop.people(event)):
        [answer] = site.send(request)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert shop.stored("user") == ["u", "v"]
