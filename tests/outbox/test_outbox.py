"""Who is told of a notice, in how many messages, and that each goes out at most once."""

import threading
from typing import Any

import pytest

from saastracker import audit
from saastracker import outbox as outbox_module
from saastracker.accounts.model import OPERATOR, Signed
from saastracker.deliveries import Deliveries, change
from saastracker.errors import Conflict, Forbidden, NotFound, Refusal, Unavailable
from saastracker.job import Notice
from saastracker.notify import Notices
from saastracker_email import compose
from tests.outbox.conftest import HOUR, MINUTE, NOW, Office

pytestmark = pytest.mark.usefixtures("owner")


def addresses(office: Office) -> list[str]:
    return sorted(message.to for message in office.post.sent)


def test_those_who_follow_a_topic_are_told(office: Office) -> None:
    office.join("bob@shop.example", "admin")
    member = office.join("mia@shop.example", "member")
    viewer = office.join("vic@shop.example", "viewer")
    office.accounts.subscriptions.choose(member, office.workspace.id, {"errors": True, "budgets": True}, NOW)
    office.tell("e1")
    office.tell("b1", job="budgets")
    office.tell("n1", job="nothing people follow")
    office.run()
    assert addresses(office) == ["ada@shop.example", "bob@shop.example"], "budgets are for admins, whatever is chosen"
    office.post.sent.clear()
    office.run(NOW + MINUTE)
    assert addresses(office) == ["ada@shop.example", "bob@shop.example", "mia@shop.example"]
    assert viewer.user.email not in addresses(office)
    assert set(office.states()) == {"sent"}


def test_who_wants_no_more_is_told_no_more(office: Office, owner: Signed) -> None:
    office.tell("e1")
    office.outbox().route(NOW)
    office.accounts.subscriptions.choose(owner, office.workspace.id, {"errors": False}, NOW)
    office.run(NOW + MINUTE)
    assert office.states() == ["withdrawn"]
    office.tell("e2")
    office.run(NOW + MINUTE)
    assert office.states() == ["withdrawn"]
    assert office.post.sent == []


def test_what_comes_together_is_one_message(office: Office) -> None:
    office.tell("e1", "e2")
    office.run()
    office.tell("e3", now=NOW + MINUTE // 2)
    office.run(NOW + MINUTE // 2)
    assert office.post.sent == []
    office.run(NOW + MINUTE + MINUTE // 2)
    [message] = office.post.sent
    assert message.subject == "Shop: New errors (3)"
    assert [item.title for item in message.items] == ["About e1", "About e2", "About e3"]
    assert message.items[0].link == "https://analytics.example/p/shop/errors/e1"
    assert "About e2\nWhat happened.\nhttps://analytics.example/p/shop/errors/e2\n" in message.text
    assert message.html.count("About e") == 3


def test_a_topic_that_is_not_grouped_has_a_message_for_each(office: Office) -> None:
    office.tell("80", "100", job="budgets")
    office.run()
    assert [message.subject for message in office.post.sent] == ["Shop: About 80", "Shop: About 100"]


def test_the_same_is_told_once(office: Office) -> None:
    for now in (NOW, NOW + HOUR):
        office.tell("e1", now=now)
        office.run(now)
    assert len(office.post.sent) == 1


def test_only_so_many_an_hour(office: Office) -> None:
    for number in range(outbox_module.HOURLY_MAX + 5):
        office.tell(f"e{number}", now=NOW + number * MINUTE)
        office.run(NOW + number * MINUTE)
    assert len(office.post.sent) == outbox_module.HOURLY_MAX
    office.run(NOW + 2 * HOUR)
    assert len(office.post.sent) == outbox_module.HOURLY_MAX + 1
    assert len(office.post.sent[-1].items) == 5


def test_what_may_work_later_is_tried_again_ever_more_rarely(office: Office) -> None:
    office.post.failure = Unavailable("The mail server sleeps.")
    office.tell("b1", job="budgets")
    now, waits = NOW, []
    while True:
        office.run(now)
        [delivery] = office.deliveries()
        if delivery.state != "waiting":
            break
        assert delivery.error == "The mail server sleeps."
        waits.append((delivery.due_at - now) // MINUTE)
        office.run(delivery.due_at - 1)
        assert office.deliveries()[0].attempts == len(waits), "not before its time"
        now = delivery.due_at
    assert waits == [1, 5, 15, 60, 240, 720, 1440]
    assert (delivery.state, delivery.attempts) == ("failed", 8)
    first = delivery.message
    office.post.failure = None
    Deliveries(office.records).send_again(office.workspace.id, delivery.id, who="ada", now=now)
    office.run(now)
    assert [message.id for message in office.post.sent] == [first]
    with pytest.raises(Conflict):
        Deliveries(office.records).send_again(office.workspace.id, delivery.id, who="ada", now=now)
    with pytest.raises(NotFound):
        Deliveries(office.records).send_again("another workspace", delivery.id, who="ada", now=now)
    [entry] = audit.entries(office.records, "", "message", delivery.id)
    assert (entry.who, entry.workspace, entry.action) == ("ada", office.workspace.id, "run")


def test_what_is_new_has_all_its_tries_beside_what_is_at_its_last(office: Office) -> None:
    office.post.failure = Unavailable("The mail server sleeps.")
    deliveries = Deliveries(office.records)
    office.tell("old")
    office.outbox().route(NOW)
    [old] = deliveries.all()
    deliveries.write([change(old, attempts=len(outbox_module.BACK_OFF))])
    office.tell("new")
    office.outbox().route(NOW)
    office.run(NOW + MINUTE)
    told = {each.title: each for each in office.deliveries()}
    assert (told["About old"].state, told["About old"].attempts) == ("failed", 8)
    assert (told["About new"].state, told["About new"].attempts) == ("waiting", 1)
    office.post.failure = None
    office.run(told["About new"].due_at)
    assert [message.subject for message in office.post.sent] == ["Shop: About new"]


def test_a_clock_that_is_set_back_holds_nothing_up(office: Office) -> None:
    wrong = NOW + 400 * 24 * HOUR
    for number in range(outbox_module.HOURLY_MAX):
        office.tell(f"early{number}", now=wrong + number * MINUTE)
        office.run(wrong + number * MINUTE)
    office.tell("e1", now=wrong + HOUR)
    office.outbox().route(wrong + HOUR)
    office.run(NOW)
    office.tell("e2", now=NOW)
    office.run(NOW)
    office.run(NOW + MINUTE)
    told = [item.title for message in office.post.sent for item in message.items]
    assert told[-2:] == ["About e1", "About e2"]


def test_of_very_many_a_mail_tells_the_first(office: Office) -> None:
    office.tell(*(f"e{number:03}" for number in range(120)))
    office.run()
    office.run(NOW + MINUTE)
    [message] = office.post.sent
    assert (message.subject, len(message.items)) == ("Shop: New errors (120)", 120)
    for told in (message.text, message.html):
        assert ("About e049" in told, "About e050" in told, "And 70 more." in told) == (True, False, True)


def test_a_title_is_one_line(office: Office) -> None:
    """An error's message may hold whatever ends a line somewhere; Python's headers refuse all of it."""
    title = "a\nb\rc\x0bd\x0ce\x1cf\x1dg\x1eh\x85i\u2028j\u2029k"
    Notices(office.records).add("budgets", [Notice(project=office.shop.id, key="k", title=title, text="")], NOW)
    office.run()
    [message] = office.post.sent
    assert message.subject == "Shop: a b c d e f g h i j k"
    assert message.items[0].title == "a b c d e f g h i j k"
    assert compose(message, "a@a.example", "a@a.example")["Subject"] == message.subject


@pytest.mark.parametrize("failure", [Refusal("No such mailbox."), RuntimeError("a fault of the channel")])
def test_what_will_not_work_is_not_tried_again(office: Office, failure: Exception) -> None:
    office.post.failure = failure
    office.tell("b1", job="budgets")
    for hours in range(3):
        office.run(NOW + hours * HOUR)
    [delivery] = office.deliveries()
    assert (delivery.state, delivery.attempts) == ("failed", 1)
    assert delivery.error in {"No such mailbox.", "The channel failed: RuntimeError"}


class Killed(BaseException):
    """The process ends here."""


def test_after_a_kill_while_sending_nothing_is_sent_twice(office: Office) -> None:
    office.post.failure = Killed()
    office.tell("b1", job="budgets")
    with pytest.raises(Killed):
        office.run()
    office.post.failure = None
    for minutes in (1, 10):
        office.run(NOW + minutes * MINUTE)
    assert office.states() == ["sending"]
    office.run(NOW + 16 * MINUTE)
    assert office.states() == ["uncertain"]
    assert office.post.sent == []
    Deliveries(office.records).send_again(office.workspace.id, office.deliveries()[0].id, who="ada", now=NOW)
    office.run(NOW + HOUR)
    assert len(office.post.sent) == 1


def test_several_processes_send_each_once(office: Office) -> None:
    office.tell(*(f"b{number}" for number in range(20)), job="budgets")
    workers = [threading.Thread(target=office.run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    office.run()
    assert sorted(message.subject for message in office.post.sent) == sorted(f"Shop: About b{n}" for n in range(20))


def test_destinations(office: Office, owner: Signed) -> None:
    add = office.accounts.subscriptions.add
    by = owner.by(office.workspace.id)
    other = office.facts.add_project("Other", office.workspace.id)
    given: dict[str, Any] = {"name": "Ops", "topics": ["errors"], "by": by, "now": NOW}
    made, secret = add(office.workspace.id, office.hook, address="HTTPS://ops", project=None, **given)
    add(office.workspace.id, office.hook, address="other", project=other.id, **given)
    office.tell("e1")
    office.run()
    office.run(NOW + MINUTE)
    [message] = office.hook.sent
    assert (message.to, message.secret) == ("https://ops", secret.encode())
    office.tell("e2")
    office.outbox().route(NOW)
    office.accounts.subscriptions.remove(office.workspace.id, made.id, by=by, now=NOW)
    office.run(NOW + HOUR)
    assert len(office.hook.sent) == 1
    assert office.states().count("withdrawn") == 1
    stored = b"".join(record.data for record in office.records.records())
    assert secret.encode() not in stored


def test_who_may_add_destinations(office: Office) -> None:
    add, remove = office.accounts.subscriptions.add, office.accounts.subscriptions.remove
    member = office.join("mia@shop.example", "member").by(office.workspace.id)
    given: dict[str, Any] = {"name": "Ops", "address": "a", "topics": ["errors"], "project": None, "now": NOW}
    with pytest.raises(Forbidden):
        add(office.workspace.id, office.hook, by=member, **given)
    made, _ = add(office.workspace.id, office.hook, by=OPERATOR, **given)
    with pytest.raises(Forbidden):
        remove(office.workspace.id, made.id, by=member, now=NOW)
    with pytest.raises(NotFound):
        remove("another", made.id, by=OPERATOR, now=NOW)
    with pytest.raises(Refusal, match="choose for themselves"):
        add(office.workspace.id, office.post, by=OPERATOR, **given)
    with pytest.raises(Refusal, match="at least one topic"):
        add(office.workspace.id, office.hook, by=OPERATOR, **given | {"topics": []})


def test_unsubscribing_by_the_address_of_a_message(office: Office) -> None:
    office.tell("b1", job="budgets")
    office.run()
    [message] = office.post.sent
    sealed = message.unsubscribe.rpartition("/")[2]
    assert message.unsubscribe == f"https://analytics.example/unsubscribe/{sealed}"
    leaving = office.messages.leaving(sealed)
    office.accounts.subscriptions.choose_by_link(leaving.user, leaving.workspace, {leaving.topic: False}, NOW)
    office.tell("b2", job="budgets")
    office.run(NOW + HOUR)
    assert len(office.post.sent) == 1
    for wrong in ("", "x", sealed[:-2], "é"):
        with pytest.raises(NotFound):
            office.messages.leaving(wrong)


def test_old_messages_are_forgotten_and_open_ones_are_not(office: Office) -> None:
    office.tell("b1", job="budgets")
    office.run()
    office.tell("e1")
    office.run(NOW + HOUR)
    Deliveries(office.records).expire(NOW + 2 * HOUR)
    assert office.states() == ["waiting"]


@pytest.mark.parametrize(
    ("failure", "result"),
    [
        (None, "sent"),
        (Unavailable("The mail server said 450 <ada@shop.example>: later."), "retried"),
        (Refusal("The mail server said 550 <ada@shop.example>: no such person."), "failed"),
        (ValueError("a bug"), "failed"),
    ],
)
def test_tries_are_counted_and_the_log_names_nobody(
    office: Office, failure: Exception | None, result: str, caplog: pytest.LogCaptureFixture
) -> None:
    office.post.failure = failure
    office.tell("b1", job="budgets")
    office.run()
    told = {"channel": "post", "result": result}
    assert office.metrics.registry.get_sample_value("saastracker_messages_total", told) == 1
    assert "shop.example" not in caplog.text
    assert bool(caplog.records) == (failure is not None)
