"""What every Store must keep when it erases: subclass `ErasingContract` in a test module and override `factories`."""

from collections.abc import Callable

import pytest

from saastracker.contracts import Group, RecordStore, Refused, Store
from saastracker.erasable import FORGOTTEN, PIECE
from saastracker.errors import Conflict
from saastracker.index import Seen
from saastracker.index_store import IndexChanges
from saastracker.indexer import Indexer
from saastracker.months import month_of
from saastracker.records import now_ms
from saastracker.testing import NOW, OTHER_PROJECT, PROJECT
from saastracker.testing.opened import ACCEPTED, Opened, event, submission
from saastracker.wire import Reply


def at_once(work: Callable[[], None]) -> None:
    work()


def silent(_done: int, _total: int) -> None:
    pass


class ErasingContract(Opened):
    """Override `factories`."""

    def test_an_erased_project_leaves_nothing_behind(self, store: Store, records: RecordStore) -> None:
        key = b"k" * 16
        mine = [event("mine", id=b"i" * 16, user="ada@example.com", org="shared"), event("mine", value=1.5)]
        kept = event("kept", id=b"i" * 16, user="bob@example.com", org="shared")
        store.append(
            Group(
                [submission(*mine, idempotency=key, received_at=now_ms()), submission(kept, project=OTHER_PROJECT)],
                [Refused(each.id, NOW, "invalid", "", "/") for each in (PROJECT, OTHER_PROJECT)],
                {(PROJECT.id, "invalid", 1): 1, (OTHER_PROJECT.id, "invalid", 1): 1},
            )
        )
        for _ in range(2):  # once more does no harm
            store.erase(PROJECT.id, at_once, silent)
        assert store.read_after(0, 10) == [(OTHER_PROJECT.id, kept)]
        assert store.answer(key) is None
        with store.reader() as reader:
            assert (reader.rejected(PROJECT.id, 10), reader.refusals(PROJECT.id)) == ([], {})
            assert reader.refusals(OTHER_PROJECT.id) == {"invalid": 1}
        assert records.usage(month_of(now_ms())) == {PROJECT.id: 2}  # the budget was used all the same
        assert records.usage(month_of(NOW)) == {OTHER_PROJECT.id: 1}
        again = event("again", id=b"i" * 16, user="ada@example.com")
        store.append(Group([submission(again)]))
        assert again.sequence > kept.sequence
        assert store.read_after(0, 10, PROJECT.id) == [(PROJECT.id, again)]

    def test_erasing_goes_in_pieces_between_groups(self, store: Store) -> None:
        total = 5000
        store.append(Group([submission(*(event(user=f"user{number}") for number in range(total)))]))
        pieces, told = [0], list[tuple[int, int]]()

        def write(work: Callable[[], None]) -> None:
            work()
            pieces[0] += 1
            # Somebody whose text is being erased comes back in another project.
            sent = event("meanwhile", user=f"user{pieces[0]}")
            store.append(Group([submission(sent, project=OTHER_PROJECT)]))

        store.erase(PROJECT.id, write, lambda done, total: told.append((done, total)))
        found = store.read_after(0, 10_000)
        assert [(project, each.user) for project, each in found] == [
            (OTHER_PROJECT.id, f"user{number + 1}") for number in range(pieces[0])
        ]
        assert pieces[0] >= 5
        assert told == sorted(told)
        assert told[-1] == (total, total)

    def test_erasing_that_was_ended_goes_on(self, store: Store) -> None:
        store.append(Group([submission(*(event() for _ in range(5000))), submission(event(), project=OTHER_PROJECT)]))

        def stop(_done: int, _total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.erase(PROJECT.id, at_once, stop)
        assert 0 < len(store.read_after(0, 10_000, PROJECT.id)) < 5000
        store.erase(PROJECT.id, at_once, silent)
        assert [project for project, _ in store.read_after(0, 10_000)] == [OTHER_PROJECT.id]

    def test_the_index_follows_what_is_left(self, store: Store) -> None:
        indexer = Indexer(store.index, dict, at_once)
        indexer.begin()
        store.append(
            Group([submission(event(user="ada", org="acme", session="s")), submission(event(), project=OTHER_PROJECT)])
        )
        indexer.step()
        store.erase(PROJECT.id, at_once, silent)
        day = NOW // 86_400_000
        for expected in (1, 2):
            with store.reader() as reader:
                assert reader.days(PROJECT.id, "all", day, day) == []
                assert reader.actors(PROJECT.id).rows == []
                assert sum(each.cell.events for each in reader.days(OTHER_PROJECT.id, "all", day, day)) == expected
            store.append(Group([submission(event("later"), project=OTHER_PROJECT)]))
            indexer.step()

    # --- Some of the events ---

    def test_some_events_are_erased_and_their_days_are_dirty(self, store: Store) -> None:
        mine = [event(f"mine{number}", user="ada", anonymous="device") for number in range(4)]
        other = event("other", anonymous="device")
        store.append(Group([submission(*mine), submission(other, project=OTHER_PROJECT)]))
        indexer = Indexer(store.index, dict, at_once)
        indexer.begin()
        indexer.step()
        day = NOW // 86_400_000
        chosen = [mine[0].sequence, mine[2].sequence, other.sequence]  # the last is of another project: it stays
        for _ in range(2):  # once more does no harm
            store.erase_events(PROJECT.id, chosen, [day], [mine[1].sequence, other.sequence])
        assert [(found.name, found.user, found.anonymous) for _, found in store.read_after(0, 10)] == [
            ("mine1", "ada", None),
            ("mine3", "ada", "device"),
            ("other", None, "device"),
        ]
        assert list(store.index.state().dirty) == [(PROJECT.id, day)]
        assert indexer.recompute()
        with store.reader() as reader:
            assert sum(each.cell.events for each in reader.days(PROJECT.id, "all", day, day)) == 2
            assert reader.moments(PROJECT.id, day, day).sequence.tolist() == [mine[1].sequence, mine[3].sequence]

    def test_a_step_of_the_index_that_began_before_is_refused(self, store: Store) -> None:
        sent = event()
        store.append(Group([submission(sent)]))
        state = store.index.state()
        store.erase_events(PROJECT.id, [sent.sequence])
        with pytest.raises(Conflict):
            store.index.write(IndexChanges(state.changes, sent.sequence))

    def test_numbers_of_erased_events_are_not_given_out_again(self, store: Store) -> None:
        first, second = event("first"), event("second")
        store.append(Group([submission(first)]))
        store.erase_events(PROJECT.id, [first.sequence])
        store.append(Group([submission(second)]))
        assert second.sequence > first.sequence

    def test_what_names_the_erased_is_swept_up(self, store: Store) -> None:
        key, other_key = b"k" * 16, b"o" * 16
        gone, stays = event("gone", user="ada@example.com"), event("stays", user="bob@example.com")
        answer = Reply(200, b'{"user":"ada@example.com"}')
        store.append(
            Group(
                [
                    submission(gone, idempotency=key, received_at=now_ms(), reply=answer),
                    submission(stays, idempotency=other_key, received_at=now_ms()),
                ],
                [Refused(PROJECT.id, NOW, "invalid", f"no such user {who}", "/") for who in ("ada@example.com", "bob")],
            )
        )
        store.erase_events(PROJECT.id, [gone.sequence])
        for _ in range(2):
            store.sweep(PROJECT.id, ["ada@example.com"], at_once, silent)
        assert store.answer(key) == Reply(200, FORGOTTEN)
        assert store.answer(other_key) == ACCEPTED
        repeated = submission(event("repeated"), idempotency=key, received_at=now_ms())
        store.append(Group([repeated]))
        assert (repeated.reply, repeated.events[0].sequence) == (Reply(200, FORGOTTEN), 0)
        with store.reader() as reader:
            assert [item.detail for item in reader.rejected(PROJECT.id, 10)] == ["no such user bob"]
        again = event("again", user="ada@example.com")
        store.append(Group([submission(again)]))
        assert [found.user for _, found in store.read_after(0, 10)] == ["bob@example.com", "ada@example.com"]

    def test_events_that_come_while_texts_are_swept_up_keep_theirs(self, store: Store) -> None:
        gone = event("gone", user="ada", session="only-hers")
        store.append(Group([submission(gone)]))
        store.erase_events(PROJECT.id, [gone.sequence])
        came = 0

        def write(work: Callable[[], None]) -> None:
            nonlocal came
            came += 1
            store.append(Group([submission(event(f"came{came}", user="ada", session="only-hers"))]))
            work()

        store.sweep(PROJECT.id, ["nobody-of-this-name"], write, silent)
        assert came
        assert {(found.user, found.session) for _, found in store.read_after(0, 100)} == {("ada", "only-hers")}

    def test_a_store_that_is_tidied_has_everything(self, store: Store) -> None:
        sent = [event(f"event{number}", user=f"user{number}") for number in range(3000)]
        store.append(Group([submission(*sent)]))
        for start in range(0, 2000, PIECE):
            store.erase_events(PROJECT.id, [each.sequence for each in sent[start : start + PIECE]])
        store.sweep(PROJECT.id, (), at_once, silent)
        store.tidy(at_once, lambda: False)
        store.tidy(at_once, lambda: True)
        assert [found.user for _, found in store.read_after(0, 5000)] == [each.user for each in sent[2000:]]
        assert store.size() > 0

    def test_what_the_index_keeps_beside_days_is_taken_away(self, store: Store) -> None:
        day = NOW // 86_400_000
        night = [event(session="s", user="ada", time=NOW + more * 86_400_000) for more in (0, 1)]
        store.append(Group([submission(*night, event(user="bob", anonymous="device"))]))
        indexer = Indexer(store.index, dict, at_once)
        indexer.begin()
        indexer.step()
        with store.reader() as reader:
            actors = reader.actors(PROJECT.id)
            [(session, *_)] = reader.longer(PROJECT.id, day, day + 1)
        codes = {text: code for code, text in store.index.texts([row[2] for row in actors.rows]).items()}
        numbers = {row[2]: row[0] for row in actors.rows}
        ada, bob = numbers[codes["ada"]], numbers[codes["bob"]]
        seen = {(PROJECT.id, "made-up"): [Seen("key", 1, 2, 1, 2), Seen("other", 1, 2, 1, 2)]}
        state = store.index.state()
        store.index.write(IndexChanges(state.changes, state.watermark, seen_keys=seen))
        state = store.index.state()
        changes = IndexChanges(state.changes, state.watermark, gone=[ada], narrowed={bob: (5, 7)})
        changes.unjoined = [(PROJECT.id, code) for code in actors.aliases]
        changes.shorter = [(PROJECT.id, session)]
        changes.unseen = [(PROJECT.id, "made-up", "key")]
        changes.seen_keys = {(PROJECT.id, "made-up"): [Seen("key", 3, 3, 3, 3)]}  # put after it was taken away
        changes.dirty = [(PROJECT.id, day)]
        store.index.write(changes)
        assert list(store.index.state().dirty) == [(PROJECT.id, day)]
        with store.reader() as reader:
            actors = reader.actors(PROJECT.id)
            assert [(row[0], *row[4:]) for row in actors.rows] == [(bob, 5, 7)]
            assert actors.aliases == {}
            assert reader.longer(PROJECT.id, day, day + 1) == []
            assert sorted(reader.seen(PROJECT.id, "made-up")) == [Seen("key", 3, 3, 3, 3), Seen("other", 1, 2, 1, 2)]
