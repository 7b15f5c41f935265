"""What every Store must keep when it erases: subclass `ErasingContract` in a test module and override `factories`."""

import time
from collections.abc import Callable

import pytest

from saastracker.contracts import Group, RecordStore, Refused, Store
from saastracker.indexer import Indexer
from saastracker.records import now_ms
from saastracker.testing import NOW, OTHER_PROJECT, PROJECT
from saastracker.testing.opened import Opened, event, submission


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
        assert sum(records.usage(time.strftime("%Y-%m")).values()) == 0
        assert records.usage("2026-05") == {OTHER_PROJECT.id: 1}
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
