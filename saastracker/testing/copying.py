"""What every Store and RecordStore must let a copy do: subclass these in a test module and override `factories`."""

import contextlib
from collections.abc import Callable

import msgspec
import pytest

from saastracker.contracts import Change, Group, Record, RecordStore, Refused, Store
from saastracker.copyable import Answer, Tallies
from saastracker.errors import Unavailable
from saastracker.records import now_ms
from saastracker.testing import NOW, OTHER_PROJECT, PROJECT
from saastracker.testing.opened import ACCEPTED, FULL, Factories, Opened, event, names, submission, unstorable
from saastracker.wire import Reply

DAY = NOW // (24 * 3600 * 1000)


class CopyContract(Opened):
    """Of stores of events."""

    def test_events_are_put_under_their_numbers(self, store: Store, open_store: Callable[[], Store]) -> None:
        full = msgspec.structs.replace(FULL, sequence=7)
        plain, other = event("plain", sequence=8, time=0), event("other", sequence=3_000_000_000, id=FULL.id)
        store.put_events([(PROJECT.id, full), (PROJECT.id, plain), (OTHER_PROJECT.id, other)], 3_000_000_000)
        late = event("late", sequence=3_000_000_005)
        store.put_events([(PROJECT.id, late)], 3_000_000_009)
        put = [(PROJECT.id, full), (PROJECT.id, plain), (OTHER_PROJECT.id, other), (PROJECT.id, late)]
        with contextlib.closing(open_store()) as again:
            for each in (store, again):
                assert each.read_after(0, 10) == put
                assert each.last == 3_000_000_009
        with store.reader() as reader:
            assert reader.query("SELECT name FROM events ORDER BY sequence") == [
                *((each.name,) for _, each in put),
            ]

    def test_numbers_go_on_above_what_was_put(self, store: Store) -> None:
        store.put_events([], 40)
        assert (store.last, names(store)) == (40, [])
        first = event("first")
        store.append(Group([submission(first)]))
        assert store.last == first.sequence > 40
        store.put_events([(PROJECT.id, event("put", sequence=first.sequence + 10))], first.sequence + 10)
        last = event("last")
        store.append(Group([submission(last)]))
        assert last.sequence > first.sequence + 10
        assert names(store) == ["first", "put", "last"]

    def test_ids_that_were_put_are_known(self, store: Store, records: RecordStore) -> None:
        store.put_events([(PROJECT.id, event("put", id=b"i" * 16, sequence=1))], 1)
        assert records.usage("2026-05") == {}
        twin = event("twin", id=b"i" * 16)
        store.append(Group([submission(twin), submission(event("other", id=b"i" * 16), project=OTHER_PROJECT)]))
        assert (names(store), twin.sequence) == (["put", "other"], 0)
        assert records.usage("2026-05") == {OTHER_PROJECT.id: 1}

    def test_all_or_none_are_put(self, store: Store) -> None:
        bad = unstorable()
        bad.sequence = 2
        with pytest.raises(Exception):  # noqa: B017, PT011 - which one is the store's own affair
            store.put_events([(PROJECT.id, event("good", sequence=1)), (PROJECT.id, bad)], 2)
        assert (names(store), store.last) == ([], 0)
        store.put_events([(PROJECT.id, event("good", sequence=1))], 1)
        assert names(store) == ["good"]

    def test_answers_are_read_in_pages_and_put(self, store: Store) -> None:
        now = now_ms()
        sent = [
            Answer(bytes([number]) * 16, PROJECT.id, now - number, Reply(202, b"%d" % number)) for number in range(5)
        ]
        group = [
            submission(event(), idempotency=each.digest, received_at=each.at, reply=each.reply) for each in sent[1:]
        ]
        old = submission(event(), idempotency=b"o" * 16, received_at=now - 25 * 3600 * 1000)
        store.append(Group([*group, old]))
        assert store.answers(b"", 2) == sent[1:3]
        assert store.answers(sent[2].digest, 9) == sent[3:]
        changed = Answer(sent[3].digest, OTHER_PROJECT.id, now, Reply(200, b"changed"))
        store.put_answers([sent[0], changed], [sent[4].digest])
        assert store.answers(b"", 9) == [sent[0], sent[1], sent[2], changed]
        assert (store.answer(changed.digest), store.answer(sent[4].digest)) == (changed.reply, None)
        repeated = submission(event("again"), idempotency=sent[0].digest, received_at=now)
        store.append(Group([repeated]))
        assert (repeated.reply, repeated.events[0].sequence) == (sent[0].reply, 0)

    def test_tallies_are_read_and_put(self, store: Store, records: RecordStore) -> None:
        refused = [Refused(PROJECT.id, NOW + n, "invalid", f"wrong {n}", "/v1/events") for n in range(3)]
        store.append(Group([submission(event())], refused, {(PROJECT.id, "invalid", DAY): 3}))
        assert store.tallies() == Tallies({(PROJECT.id, "2026-05"): 1}, {(PROJECT.id, "invalid", DAY): 3}, refused)
        put = Tallies(
            {(PROJECT.id, "2026-04"): 2**40, (OTHER_PROJECT.id, "2026-05"): 2},
            {(PROJECT.id, "bot", DAY): 4, (PROJECT.id, "bot", DAY + 1): 5},
            [*refused[1:], Refused(OTHER_PROJECT.id, 0, "bot", "", "/")],
        )
        store.put_tallies(put)
        assert store.tallies() == put
        assert (records.usage("2026-04"), records.usage("2026-05")) == ({PROJECT.id: 2**40}, {OTHER_PROJECT.id: 2})
        assert store.append(Group([submission(event(), project=OTHER_PROJECT)])) == {(OTHER_PROJECT.id, "2026-05"): 3}
        with store.reader() as reader:
            assert reader.refusals(PROJECT.id) == {"bot": 9}
            assert reader.rejected(PROJECT.id, 9) == refused[:0:-1]

    def test_texts_have_one_code_each(self, store: Store) -> None:
        store.append(Group([submission(event("clicked", user="ada"))]))
        codes = store.codes(PROJECT.id, ["ada", "new", "clicked"])
        assert store.index.texts(list(codes.values())) == {code: text for text, code in codes.items()}
        assert len({*codes.values()}) == 3
        new = [f"text {number * 7 % 100}" for number in range(100)]
        assert sorted(new, key=store.codes(PROJECT.id, new).__getitem__) == new
        assert store.codes(OTHER_PROJECT.id, ["new", "ada"]) == {"new": codes["new"], "ada": codes["ada"]}
        store.append(Group([submission(event("clicked", user="new"))]))
        arrivals = store.index.arrivals(0, 10)
        assert arrivals.codes["user"].tolist() == [codes["ada"], codes["new"]]

    def test_a_sealed_store_takes_only_what_a_copy_puts(self, store: Store, open_store: Callable[[], Store]) -> None:
        store.append(Group([submission(event("before"))]))
        with contextlib.closing(open_store()) as other:
            other.seal(True)
            assert (store.sealed, other.sealed) == (True, True)
            refused = submission(event("refused", id=b"i" * 16), idempotency=b"k" * 16)
            for group in (Group([refused]), Group(), Group((), [Refused(PROJECT.id, NOW, "bot", "", "/")])):
                with pytest.raises(Unavailable, match="saastracker copy"):
                    store.append(group)
            assert (refused.events[0].sequence, refused.reply) == (0, ACCEPTED)
            store.put_events([(PROJECT.id, event("put", sequence=store.last + 5))], store.last + 5)
            assert names(other) == ["before", "put"]
            other.seal(True)
            other.seal(False)
            assert not store.sealed
        store.append(Group([refused]))
        assert names(store) == ["before", "put", "refused"]


class CopyRecordsContract(Opened):
    """Of stores of records."""

    def test_records_are_put_with_their_versions(self, records: RecordStore) -> None:
        records.write([Change("project", "1", 0, b"{}", "shop"), Change("project", "2", 0, b"{}", "game")])
        records.write([Change("key", "3", 0, b"{}"), Change("key", "4", 0, b"{}")])
        before, seen = records.records(), records.change()
        swapped = [Record("project", "1", 9, b"1", "game"), Record("project", "2", 5, b"\x00\xff", "shop")]
        new = [Record("audit", "5", 1, b"{}"), Record("key", "3", 2, b"{}")]
        records.put_records([*swapped, *new], [*before[2:3], Record("key", "none", 1, b"")])
        assert records.records() == [*swapped, before[3], *new]
        assert records.change() > seen
        records.write([Change("project", "1", 9, b"changed", "game")])
        assert records.records("project") == [Record("project", "1", 10, b"changed", "game"), swapped[1]]

    def test_a_sealed_store_keeps_what_it_has(self, records: RecordStore, factories: Factories) -> None:
        records.write([Change("project", "1", 0, b"{}", "shop")])
        with contextlib.closing(factories[0]()) as other:
            other.seal(True)
            before = records.records(), records.change()
            with pytest.raises(Unavailable, match="saastracker copy"):
                records.write([Change("project", "1", 1, b"changed", "shop")])
            assert (records.sealed, (records.records(), records.change())) == (True, before)
            other.put_records([Record("project", "2", 1, b"{}", "game")], [])
            assert len(records.records()) == 2
            records.seal(False)
            assert not other.sealed
        records.write([Change("project", "1", 1, b"changed", "shop")])
        assert records.records("project")[0] == Record("project", "1", 2, b"changed", "shop")
