"""What every RecordStore must keep: subclass `RecordStoreContract` in a test module and override `factories`."""

import contextlib
import threading
from uuid import uuid4

import pytest

from saastracker.contracts import Change, Record, RecordStore
from saastracker.errors import Conflict
from saastracker.testing.opened import Factories, Opened, in_threads


class RecordStoreContract(Opened):
    """Override `factories`."""

    def test_a_record_from_beginning_to_end(self, records: RecordStore) -> None:
        records.write([Change("project", "p1", 0, b'{"name":"\xc3\xa9"}', "shop")])
        assert records.records() == [Record("project", "p1", 1, b'{"name":"\xc3\xa9"}', "shop")]
        records.write([Change("project", "p1", 1, b"{}", "store")])
        assert records.records("project") == [Record("project", "p1", 2, b"{}", "store")]
        records.write([Change("project", "p1", 2, None)])
        assert records.records() == []
        records.write([Change("project", "p1", 0, b"{}", "shop")])
        assert records.records() == [Record("project", "p1", 1, b"{}", "shop")]

    def test_records_are_listed_by_kind_oldest_first(self, records: RecordStore) -> None:
        records.write([Change("key", "z", 0, b"1"), Change("project", "m", 0, b"2"), Change("key", "a", 0, b"3")])
        records.write([Change("key", "z", 1, b"4")])
        assert [record.data for record in records.records()] == [b"4", b"2", b"3"]
        assert [record.id for record in records.records("key")] == ["z", "a"]
        assert records.records("token") == []

    def test_the_newest_a_page_at_a_time(self, records: RecordStore) -> None:
        for number in range(5):
            records.write([Change("entry", f"{9 - number}", 0, b"1"), Change("other", str(number), 0, b"2")])
        assert [record.id for record in records.newest("entry", 2)] == ["5", "6"]
        assert [record.id for record in records.newest("entry", 2, "6")] == ["7", "8"]
        assert [record.id for record in records.newest("entry", 2, "8")] == ["9"]
        assert records.newest("entry", 2, "9") == records.newest("entry", 2, "none") == records.newest("none", 2) == []
        assert records.newest("entry", 9)[0] == records.records("entry")[-1]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(Change("project", "p1", 0, b"{}"), id="exists"),
            pytest.param(Change("project", "p1", 1, b"{}"), id="stale"),
            pytest.param(Change("project", "p1", 3, b"{}"), id="from the future"),
            pytest.param(Change("project", "p1", 1, None), id="deletes a stale one"),
            pytest.param(Change("project", "p2", 1, b"{}"), id="changes none"),
            pytest.param(Change("project", "p2", 1, None), id="deletes none"),
            pytest.param(Change("project", "p2", 0, b"{}", "shop"), id="takes a name"),
        ],
    )
    def test_a_conflict_undoes_the_whole_write(self, records: RecordStore, change: Change) -> None:
        records.write([Change("project", "p1", 0, b"{}", "shop")])
        records.write([Change("project", "p1", 1, b"{}", "shop")])
        before = records.change(), records.records()
        with pytest.raises(Conflict):
            records.write([Change("project", "p3", 0, b"{}"), change])
        assert (records.change(), records.records()) == before

    def test_names_are_unique_within_a_kind(self, records: RecordStore) -> None:
        records.write([Change("project", "1", 0, b"", "shop"), Change("workspace", "1", 0, b"", "shop")])
        records.write([Change("key", "1", 0, b""), Change("key", "2", 0, b"")])
        records.write([Change("project", "1", 1, b"", "store"), Change("project", "2", 0, b"", "shop")])
        with pytest.raises(Conflict, match="shop"):
            records.write([Change("project", "1", 2, b"", "shop")])

    def test_the_change_number_grows_with_every_write_by_anyone(
        self, records: RecordStore, factories: Factories
    ) -> None:
        seen = [records.change()]
        with contextlib.closing(factories[0]()) as other:
            for number, store in enumerate((records, other, records)):
                store.write([Change("key", str(number), 0, b"")])
                assert records.change() == other.change()
                seen.append(records.change())
            assert other.records() == records.records()
        assert seen == sorted(set(seen))

    def test_records_survive_reopening(self, records: RecordStore, factories: Factories) -> None:
        records.write([Change("key", "1", 0, b"\x00\xff")])
        change = records.change()
        records.close()
        with contextlib.closing(factories[0]()) as again:
            assert again.records() == [Record("key", "1", 1, b"\x00\xff")]
            assert again.change() == change

    def test_no_write_is_lost_between_threads_and_stores(self, records: RecordStore, factories: Factories) -> None:
        records.write([Change("counter", "1", 0, b"0")])

        def count(store: RecordStore) -> None:
            counted = 0
            while counted < 10:
                [record] = store.records("counter")
                with contextlib.suppress(Conflict):
                    store.write([Change("counter", "1", record.version, str(int(record.data) + 1).encode())])
                    counted += 1

        with contextlib.closing(factories[0]()) as other:
            assert in_threads([lambda: count(records)] * 2 + [lambda: count(other)] * 2) == []
        assert [(record.version, record.data) for record in records.records()] == [(41, b"40")]

    def test_usage_of_a_month_without_events(self, records: RecordStore) -> None:
        assert records.usage("2026-05") == {}

    def test_closing_waits_for_what_another_thread_does(self, records: RecordStore) -> None:
        busy, over = threading.Event(), threading.Event()

        def write() -> None:
            with contextlib.suppress(Exception):  # it may be closed by now
                while not over.is_set():
                    records.write([Change("key", uuid4().hex, 0, b"")])
                    busy.set()

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        assert busy.wait(10)
        records.close()
        over.set()
        writing.join(10)
        assert not writing.is_alive()
        records.close()
