"""A key that sends faster than it may is told when to come again, and harms nobody else."""

from tests.ingest.driving import GAME, Shop, Site

BURST = 10  # of a key that may send one request a second
MANY = 40  # more than could be right while a slow machine takes them


def limit(site: Site, shop: Shop, scheme: str, rate: int | None = 1) -> None:
    for key in site.app.facts.snapshot.keys.values():
        if (key.project, key.scheme) == (shop.id, scheme):
            site.app.facts.set_key(key.id, rate=rate)


def test_what_comes_too_fast_is_refused_and_counted(site: Site, shop: Shop) -> None:
    limit(site, shop, "hmac")
    before = site.rejections().get("rate_limit", 0)
    answers = site.send(*(shop.hmac() for _ in range(MANY)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers[:BURST]} == {202}
    assert answers[-1] in refused
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert answers[-1].json() == {
        "detail": "Requests a second that this key may send: 1. Nothing was stored; send again later."
    }
    assert shop.stored() == ["x"] * (MANY - len(refused))
    assert site.send(shop.batch(GAME))[0].status_code == 200, "the project's other keys go on"
    assert site.rejections()["rate_limit"] == before + len(refused)
    limit(site, shop, "hmac", None)
    assert {answer.status_code for answer in site.send(*(shop.hmac() for _ in range(MANY)))} == {202}
    counts, details = shop.refused()
    assert counts == {"rate_limit": len(refused)}
    assert {(each.reason, each.path) for each in details} == {("rate_limit", "/v1/events")}


def test_each_format_answers_what_its_clients_send_again(site: Site, shop: Shop) -> None:
    for scheme in ("bearer", "query-token", "project-key"):
        limit(site, shop, scheme)
    person = {"event_type": "a", "user": {"id": "ada"}}
    origin = "https://app.example.com"
    *_, game = site.send(*(shop.batch(GAME) for _ in range(MANY)))
    *_, tag = site.send(*(shop.tag(origin=origin) for _ in range(MANY)))
    *_, people, page = site.send(*(shop.people(person) for _ in range(MANY)), shop.page(person))
    assert [answer.status_code for answer in (game, tag, people)] == [503, 429, 429]
    assert page.status_code == 429, "browsers use the public half of the same key"
    assert {answer.headers["retry-after"] for answer in (game, tag, people, page)} == {"1"}
    assert tag.headers["access-control-allow-origin"] == origin, "a page can read it"


def test_it_comes_after_the_credentials_and_before_the_body(site: Site, shop: Shop) -> None:
    limit(site, shop, "hmac")
    *_, malformed, wrong = site.send(
        *(shop.hmac() for _ in range(MANY)), shop.hmac(b"not JSON"), shop.hmac(x_signature="0" * 64)
    )
    assert (malformed.status_code, wrong.status_code) == (429, 401)
