"""A workspace's budget: what is stored, what is dropped, and what senders are told."""

from collections.abc import Callable, Iterator

import pytest

from saastracker.wire import Policy
from tests.ingest.driving import GAME, Shop, Site

Limit = Callable[..., None]
TAKEN, LEFT_OUT = b'{"accepted":1}', b'{"accepted":0}'


@pytest.fixture
def limit(site: Site) -> Iterator[Limit]:
    """Sets how many more events the workspace of all projects may store."""
    facts = site.app.facts
    workspace = facts.default_workspace().id

    def used() -> int:
        with site.store.reader() as reader:
            [(count,)] = reader.query("SELECT COUNT(*) FROM events")
        return int(count)

    def limit(more: int, policy: Policy | None = "drop") -> None:
        facts.set_workspace(workspace, budget=used() + more, policy=policy)

    yield limit
    facts.set_workspace(workspace, budget=None, policy=None)


def test_what_comes_at_the_same_moment_is_cut_at_the_budget(site: Site, shop: Shop, limit: Limit) -> None:
    limit(5)
    answers = site.send(*(shop.hmac() for _ in range(8)))
    assert [answer.content for answer in answers] == [TAKEN] * 5 + [LEFT_OUT] * 3
    assert {answer.status_code for answer in answers} == {202}
    assert shop.stored() == ["x"] * 5
    before = site.rejections()["budget"]
    [again] = site.send(shop.hmac())
    assert again.content == LEFT_OUT
    assert site.rejections()["budget"] == before + 1
    limit(1)
    counts, details = shop.refused()
    assert counts == {"budget": 4}
    assert details[0].detail == "Events over the month's budget: 1"


def test_the_request_that_crosses_it_is_stored_whole(site: Site, shop: Shop, limit: Limit) -> None:
    limit(1)
    first, second = site.send(shop.batch(GAME, GAME, GAME), shop.batch(GAME, {}, GAME))
    assert first.json() == {"accepted": 3, "rejected": 0, "errors": []}
    assert second.content == b'{"accepted":0,"rejected":3,"errors":[],"reason":"tier_limit"}'
    assert second.status_code == 200
    assert shop.stored() == ["x"] * 3
    limit(1)
    assert shop.refused()[0] == {"budget": 2}


def test_each_format_answers_as_if_all_were_well(site: Site, shop: Shop, limit: Limit) -> None:
    limit(0)
    person = {"event_type": "signed_up", "user": {"id": "ada"}}
    tag, people, page = site.send(shop.tag(), shop.people(person), shop.page(person))
    assert (tag.status_code, tag.content) == (202, LEFT_OUT)
    assert (people.status_code, people.content) == (page.status_code, page.content) == (200, b'{"status":"ok"}')
    assert shop.stored() == []


def test_duplicates_do_not_use_it_up(site: Site, shop: Shop, limit: Limit) -> None:
    limit(3)
    twins = [shop.people({"event_type": "a", "event_id": "1", "user": {"id": "ada"}}) for _ in range(4)]
    others = [shop.people({"event_type": name, "user": {"id": "ada"}}) for name in ("b", "c", "d")]
    site.send(*twins, *others)
    assert shop.stored() == ["a", "b", "c"]


def test_without_a_policy_each_format_has_its_habit(site: Site, shop: Shop, limit: Limit) -> None:
    limit(0, None)
    signed, game = site.send(shop.hmac(), shop.batch(GAME))
    assert signed.content == TAKEN
    assert game.json()["reason"] == "tier_limit"
    limit(0, "accept")
    assert site.send(shop.batch(GAME))[0].json()["accepted"] == 1
    assert shop.stored() == ["x", "x"]


def test_a_repeat_gets_its_first_answer(site: Site, shop: Shop, limit: Limit) -> None:
    limit(1)
    kept, lost = shop.hmac(idempotency_key="kept"), shop.hmac(idempotency_key="lost")
    answers = [site.send(request)[0].content for request in (kept, lost, kept)]
    assert answers == [TAKEN, LEFT_OUT, TAKEN]
    limit(1)
    assert site.send(lost)[0].content == TAKEN, "with a larger budget a repeat is stored"
    assert shop.stored() == ["x", "x"]
