"""What every Store must keep: subclass `StoreContract` in a test module and override `factories`."""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from saastracker.contracts import Group, RecordStore, Refused, Store
from saastracker.errors import OperatorError, Unavailable
from saastracker.testing import NOW, OTHER_PROJECT, PROJECT
from saastracker.testing.opened import ACCEPTED, FULL, Opened, event, names, submission, unstorable
from saastracker.wire import Reply

DAY_MS = 24 * 3600 * 1000
DAY = NOW // DAY_MS


class StoreContract(Opened):
    """Override `factories`."""

    # --- Events ---

    def test_every_field_comes_back(self, store: Store) -> None:
        sent = msgspec.structs.replace(FULL)
        store.append(Group([submission(sent)]))
        assert sent.sequence > 0
        assert store.read_after(0, 10) == [(PROJECT.id, sent)]

    def test_absent_fields_stay_absent(self, store: Store) -> None:
        sent = event()
        store.append(Group([submission(sent)]))
        [(_, found)] = store.read_after(0, 10)
        assert found == sent
        assert [getattr(found, name) for name in ("user", "org", "value", "properties", "traits", "id")] == [None] * 6

    @pytest.mark.parametrize("value", [0, 0.0, 5, -1, 0.1, 1e300, 2**53])
    def test_values_are_exact(self, store: Store, value: float) -> None:
        store.append(Group([submission(event(value=value))]))
        assert store.read_after(0, 1)[0][1].value == value

    def test_an_event_without_a_time_happened_when_it_arrived(self, store: Store) -> None:
        store.append(Group([submission(event(time=None))]))
        [(_, found)] = store.read_after(0, 10)
        assert (found.time, found.received_at) == (NOW, NOW)

    def test_times_may_lie_on_either_side_of_the_arrival(self, store: Store) -> None:
        times = [0, NOW - 30 * DAY_MS, NOW + 300 * DAY_MS]
        store.append(Group([submission(*(event(time=time) for time in times))]))
        assert [(found.time, found.received_at) for _, found in store.read_after(0, 10)] == [(t, NOW) for t in times]

    # --- Order of arrival ---

    def test_sequences_grow_in_order_of_arrival(self, store: Store) -> None:
        first = [event(f"a{number}") for number in range(3)]
        second = [event(f"b{number}") for number in range(2)]
        third = [event("c")]
        store.append(Group([submission(*first), submission(*second, project=OTHER_PROJECT)]))
        store.append(Group([submission(*third)]))
        sequences = [sent.sequence for sent in first + second + third]
        assert sequences == sorted(set(sequences))
        assert sequences[0] > 0
        assert names(store) == ["a0", "a1", "a2", "b0", "b1", "c"]

    def test_read_after_pages_and_selects_a_project(self, store: Store) -> None:
        mine = [event(f"mine{number}") for number in range(5)]
        other = [event("other")]
        store.append(Group([submission(*mine[:3]), submission(*other, project=OTHER_PROJECT), submission(*mine[3:])]))
        assert [found.name for _, found in store.read_after(mine[1].sequence, 2)] == ["mine2", "other"]
        assert [found.name for _, found in store.read_after(mine[1].sequence, 2, PROJECT.id)] == ["mine2", "mine3"]
        assert store.read_after(0, 10, OTHER_PROJECT.id) == [(OTHER_PROJECT.id, other[0])]
        assert store.read_after(mine[4].sequence, 10) == []
        assert store.read_after(0, 10, "no such project") == []

    def test_numbers_go_on_after_reopening(self, open_store: Callable[[], Store]) -> None:
        last = 0
        for name in ("first", "second"):
            with contextlib.closing(open_store()) as store:
                store.claim()
                sent = event(name, org="Acme")
                store.append(Group([submission(sent)]))
                assert sent.sequence > last
                last = sent.sequence
                assert {found.org for _, found in store.read_after(0, 10)} == {"Acme"}
        assert last

    def test_large_groups(self, store: Store) -> None:
        sent = [event(f"event{number % 7}", user=f"user{number}") for number in range(3333)]
        store.append(Group([submission(*sent[start : start + 100]) for start in range(0, len(sent), 100)]))
        found = store.read_after(0, 10_000)
        assert [(each.user, each.name) for _, each in found] == [(each.user, each.name) for each in sent]
        assert [each.sequence for _, each in found] == [each.sequence for each in sent]

    # --- Repeats ---

    def test_an_id_is_stored_once_per_project(self, store: Store, records: RecordStore) -> None:
        first, twin, later, other = (event(name, id=b"i" * 16) for name in ("first", "twin", "later", "other"))
        store.append(Group([submission(first, twin), submission(event("twin", id=b"i" * 16), event("new"))]))
        store.append(Group([submission(later), submission(other, project=OTHER_PROJECT)]))
        assert names(store) == ["first", "new", "other"]
        assert first.sequence > 0
        assert other.sequence > 0
        assert twin.sequence == later.sequence == 0
        assert records.usage("2026-05") == {PROJECT.id: 2, OTHER_PROJECT.id: 1}

    def test_events_without_an_id_are_never_duplicates(self, store: Store) -> None:
        store.append(Group([submission(event(), event())]))
        store.append(Group([submission(event())]))
        assert len(names(store)) == 3

    def test_a_repeated_key_stores_nothing_and_gets_the_first_answer(self, store: Store, records: RecordStore) -> None:
        key = b"k" * 16
        now = _now()
        first = submission(event("first"), idempotency=key, received_at=now, reply=Reply(200, b'{"first": true}'))
        twin = submission(event("twin"), idempotency=key, received_at=now)
        store.append(Group([first, twin, submission(event("stranger"), received_at=now)]))
        later = submission(event("later"), idempotency=key, received_at=now + 1)
        store.append(Group([later]))
        assert names(store) == ["first", "stranger"]
        assert first.reply == twin.reply == later.reply == store.answer(key) == Reply(200, b'{"first": true}')
        assert twin.events[0].sequence == later.events[0].sequence == 0
        assert sum(records.usage(time.strftime("%Y-%m", time.gmtime(now / 1000))).values()) == 2

    def test_only_good_answers_are_kept(self, store: Store) -> None:
        key = b"k" * 16
        store.append(
            Group([submission(event("refused"), idempotency=key, reply=Reply(503, b"{}"), received_at=_now())])
        )
        assert store.answer(key) is None
        retried = submission(event("retried"), idempotency=key, received_at=_now())
        store.append(Group([retried]))
        assert names(store) == ["refused", "retried"]
        assert store.answer(key) == retried.reply == ACCEPTED

    def test_answers_expire_after_a_day(self, store: Store) -> None:
        key, other = b"k" * 16, b"o" * 16
        now = _now()
        old = submission(event("old"), idempotency=key, received_at=now - DAY_MS - 60_000, reply=Reply(200, b"old"))
        store.append(Group([old, submission(event("other"), idempotency=other, received_at=now - DAY_MS + 60_000)]))
        assert store.answer(key) is None
        assert store.answer(other) == ACCEPTED
        new = submission(event("new"), idempotency=key, received_at=now)
        store.append(Group([new]))
        assert names(store) == ["old", "other", "new"]
        assert store.answer(key) == new.reply == ACCEPTED
        assert store.answer(b"n" * 16) is None

    # --- All or nothing ---

    def test_a_group_that_fails_leaves_nothing(self, store: Store, records: RecordStore) -> None:
        key = b"k" * 16
        good = submission(event("good", org="New customer", id=b"i" * 16), idempotency=key, reply=Reply(200, b"mine"))
        twin = submission(event("twin"), idempotency=key)
        refused = Refused(PROJECT.id, NOW, "invalid", "wrong", "/")
        group = Group([good, twin, submission(unstorable())], [refused], {(PROJECT.id, "invalid", NOW // DAY_MS): 1})
        with pytest.raises(Exception) as raised:  # noqa: PT011 - which one is the store's own affair
            store.append(group)
        assert not isinstance(raised.value, Unavailable)
        assert all(sent.sequence == 0 for each in group.submissions for sent in each.events)
        assert (good.reply, twin.reply) == (Reply(200, b"mine"), ACCEPTED)
        assert names(store) == []
        assert store.answer(key) is None
        assert records.usage("2026-05") == {}
        with store.reader() as reader:
            assert reader.rejected(PROJECT.id, 10) == []
            assert reader.refusals(PROJECT.id) == {}

    def test_a_group_that_failed_harms_none_that_follow(self, store: Store) -> None:
        first = event("first", org="Old customer")
        store.append(Group([submission(first)]))
        good = event("good", org="New customer", user="new", id=b"i" * 16)
        for poisoned in ([good, unstorable()], [unstorable()]):
            with pytest.raises(Exception):  # noqa: B017, PT011 - which one is the store's own affair
                store.append(Group([submission(*poisoned)]))
        store.append(Group([submission(good)]))
        store.append(Group([submission(event("last", org="New customer"))]))
        assert names(store) == ["first", "good", "last"]
        with store.reader() as reader:
            rows = reader.query('SELECT name, org, "user" FROM events ORDER BY sequence')
        assert rows == [
            ("first", "Old customer", None),
            ("good", "New customer", "new"),
            ("last", "New customer", None),
        ]

    def test_an_empty_group(self, store: Store) -> None:
        store.append(Group())
        store.append(Group())
        assert names(store) == []

    def test_what_append_returned_from_is_seen_at_once(self, store: Store, open_store: Callable[[], Store]) -> None:
        with contextlib.closing(open_store()) as other:
            for number in range(3):
                store.append(Group([submission(event(f"event{number}"))]))
                assert len(names(other)) == number + 1

    # --- Usage and refusals ---

    def test_usage_counts_by_project_and_month_of_arrival(self, store: Store, records: RecordStore) -> None:
        end_of_may = 1_780_271_999_999  # 2026-05-31T23:59:59.999Z
        told = store.append(Group([submission(event(time=0), event(), received_at=end_of_may), submission(event())]))
        assert told == {(PROJECT.id, "2026-05"): 3}
        told = store.append(
            Group([submission(event(), received_at=end_of_may + 1), submission(event(), project=OTHER_PROJECT)])
        )
        assert told == {(PROJECT.id, "2026-06"): 1, (OTHER_PROJECT.id, "2026-05"): 1}
        assert store.append(Group([submission(event())])) == {(PROJECT.id, "2026-05"): 4}
        assert records.usage("2026-05") == {PROJECT.id: 4, OTHER_PROJECT.id: 1}
        assert records.usage("2026-06") == {PROJECT.id: 1}
        assert records.usage("2026-07") == {}

    def test_refusals_are_counted_and_the_newest_kept(self, store: Store) -> None:
        for start in range(0, 1500, 500):
            refused = [
                Refused(PROJECT.id, NOW + n, "invalid", f"wrong {n}", "/v1/events") for n in range(start, start + 500)
            ]
            other = Refused(OTHER_PROJECT.id, NOW, "bot", "", "/")
            store.append(
                Group((), [*refused, other], {(PROJECT.id, "invalid", DAY): 700, (OTHER_PROJECT.id, "bot", DAY): 1})
            )
        store.append(Group((), (), {(PROJECT.id, "budget", DAY): 5, (PROJECT.id, "invalid", DAY + 1): 1}))
        with store.reader() as reader:
            kept = reader.rejected(PROJECT.id, 5000)
            assert [item.at - NOW for item in kept] == list(range(1499, 499, -1))
            assert kept[0] == Refused(PROJECT.id, NOW + 1499, "invalid", "wrong 1499", "/v1/events")
            assert reader.rejected(PROJECT.id, 3) == kept[:3]
            assert len(reader.rejected(OTHER_PROJECT.id, 10)) == 3
            assert reader.refusals(PROJECT.id) == {"invalid": 2101, "budget": 5}
            assert reader.refusals(PROJECT.id, DAY, DAY) == {"invalid": 2100, "budget": 5}
            assert reader.refusals(PROJECT.id, DAY + 1, DAY + 9) == {"invalid": 1}
            assert reader.refusals(PROJECT.id, DAY + 2) == {}
            assert reader.refusals(OTHER_PROJECT.id) == {"bot": 3}
            assert reader.refusals("no such project") == {}

    # --- One writer ---

    def test_one_claim_at_a_time(self, store: Store, open_store: Callable[[], Store]) -> None:
        with contextlib.closing(open_store()) as other:
            with pytest.raises(OperatorError, match=str(os.getpid())):
                other.claim()
            store.append(Group([submission(event())]))
            assert names(other) == ["clicked"]  # reading needs no claim
            store.close()
            other.claim()
            other.append(Group([submission(event("second"))]))
            assert names(other) == ["clicked", "second"]

    # --- Copies ---

    def test_a_backup_never_overwrites(self, store: Store, tmp_path: Path) -> None:
        store.append(Group([submission(event())]))
        told: list[tuple[int, int]] = []
        target = tmp_path / "copy"
        store.backup(target, lambda done, total: told.append((done, total)))
        assert told[-1][0] == told[-1][1] > 0
        with pytest.raises(OperatorError, match="copy"):
            store.backup(target, lambda _done, _total: None)


def _now() -> int:
    return time.time_ns() // 1_000_000
