"""What the readers of every Store must keep: subclass `ReaderContract` in a test module and override `factories`."""

from collections import Counter
from datetime import date

import msgspec
import pytest

from saastracker.contracts import Group, Store
from saastracker.errors import Invalid, TimeLimit, Unavailable
from saastracker.index import day_number
from saastracker.testing import NOW, OTHER_PROJECT, PROJECT
from saastracker.testing.indexing import follow
from saastracker.testing.opened import FULL, Opened, event, in_threads, names, submission
from saastracker.written import NOTHING_WRITTEN

COLUMNS = (
    *("sequence", "project", "time", "received_at", "type", "name", "user", "anonymous", "org", "session", "path"),
    *("environment", "release", "plan", "value", "referrer", "source", "medium", "campaign"),
    *("country", "browser", "os", "device", "properties", "traits", "id"),
)


class ReaderContract(Opened):
    """Override `factories`."""

    def test_the_columns_of_events(self, store: Store) -> None:
        sent = msgspec.structs.replace(FULL)
        store.append(Group([submission(sent)]))
        with store.reader() as reader:
            columns = ", ".join(f'"{name}"' for name in COLUMNS)
            [row] = reader.query(f"SELECT {columns} FROM events")
        expected = {**msgspec.structs.asdict(sent), "project": PROJECT.id}
        assert dict(zip(COLUMNS, row, strict=True)) == {name: expected[name] for name in COLUMNS}

    def test_organizations_are_those_of_the_events(self, store: Store) -> None:
        store.append(Group([submission(event(org="acme"), event())]))
        with store.reader() as reader:
            sql = "SELECT organization() FROM events WHERE project = :project AND organization() IS NOT NULL"
            assert reader.query(sql, project=PROJECT.id) == [("acme",)]
            assert reader.organizations(PROJECT.id) == NOTHING_WRITTEN

    def test_a_reader_sees_one_state(self, store: Store) -> None:
        store.append(Group([submission(event("before"))]))
        with store.reader() as reader:
            assert reader.query("SELECT name FROM events") == [("before",)]
            store.append(Group([submission(event("after"))]))
            assert reader.query("SELECT name FROM events") == [("before",)]
        with store.reader() as reader:
            assert reader.query("SELECT COUNT(*) FROM events") == [(2,)]

    def test_a_reader_that_has_ended_reads_no_more(self, store: Store) -> None:
        store.append(Group([submission(event())]))
        with store.reader() as reader:
            [(sequence,)] = reader.query("SELECT sequence FROM events")
        with pytest.raises(RuntimeError, match="has ended"):
            reader.query("SELECT sequence FROM events")
        with pytest.raises(RuntimeError, match="has ended"):
            reader.events([sequence])

    def test_the_index_of_another_release_is_not_read(self, store: Store) -> None:
        store.append(Group([submission(event())]))
        follow(store)
        with store.reader() as reader:
            assert reader.counted() == 1
        store.index.reset("of another release")
        day = day_number(date.fromtimestamp(NOW / 1000))
        with store.reader() as reader:
            for read in (reader.days, reader.settled):
                with pytest.raises(Unavailable, match="after an upgrade"):
                    read(PROJECT.id, "all", day - 1, day + 1)
            for of_events in (reader.moments, reader.parts):
                with pytest.raises(Unavailable, match="after an upgrade"):
                    of_events(PROJECT.id, day - 1, day + 1)
        follow(store)
        with store.reader() as reader:
            assert [cell.events for _, _, cell in reader.days(PROJECT.id, "all", day - 1, day + 1)] == [1]

    def test_parameters_are_values(self, store: Store) -> None:
        store.append(Group([submission(event(org="Acme' OR 1=1 --"), event(org="other"))]))
        with store.reader() as reader:
            sql = "SELECT org FROM events WHERE project = :project AND org = :org ORDER BY sequence DESC LIMIT :limit"
            assert reader.query(sql, project=PROJECT.id, org="Acme' OR 1=1 --", limit=5) == [("Acme' OR 1=1 --",)]
            assert reader.query(sql, project=OTHER_PROJECT.id, org="other", limit=5) == []

    @pytest.mark.parametrize(
        ("key", "text", "number"),
        [
            ("plan", "pro", None),
            ("a.b", "dotted", None),
            ("paid", "true", None),
            ("seats", "12", 12),
            ("ratio", "0.5", 0.5),
            ("none", None, None),
            ("absent", None, None),
        ],
    )
    def test_properties_as_text_and_as_numbers(
        self, store: Store, key: str, text: str | None, number: float | None
    ) -> None:
        store.append(Group([submission(msgspec.structs.replace(FULL), event())]))
        with store.reader() as reader:
            rows = reader.query("SELECT prop(:key), prop_number( :key ) FROM events ORDER BY sequence", key=key)
            assert rows == [(text, number), (None, None)]
            found = reader.query("SELECT COUNT(*) FROM events WHERE prop(:key) = :text", key=key, text=text)
            assert found == [(0 if text is None else 1,)]
            told = reader.query(
                """SELECT prop_of(k), COUNT(*) FROM (SELECT prop_key(:key) AS k FROM events apart()) AS told
                GROUP BY k""",
                key=key,
            )
            counts = Counter[str | None]()
            for each, count in told:
                counts[each] += count
            assert counts == Counter([text, None])

    @pytest.mark.parametrize(
        "key", ["a\\b", "a\tb", "a\nb", "\x01", "a'b", "a%b", "a_b", "$.a", "[0]", "-", "é", "\u2028", "🚀", "a b/c:d"]
    )
    def test_any_property_is_found(self, store: Store, key: str) -> None:
        properties = msgspec.json.encode({"other": 1, key: 2.5}).decode()
        store.append(Group([submission(event(properties=properties))]))
        with store.reader() as reader:
            assert reader.query("SELECT prop(:key), prop_number(:key) FROM events", key=key) == [("2.5", 2.5)]

    def test_a_property_named_by_anyone_is_no_sql(self, store: Store) -> None:
        store.append(Group([submission(msgspec.structs.replace(FULL))]))
        with store.reader() as reader:
            for key in ("' OR 1=1 --", "\\", "$", "", "[0]", "x' || 'y"):
                assert reader.query("SELECT prop(:key) FROM events", key=key) == [(None,)]
            with pytest.raises(Invalid):
                reader.query("SELECT prop(:key) FROM events", key='plan" ')

    def test_events_by_number(self, store: Store) -> None:
        sent = [event(f"event{number}") for number in range(4)]
        store.append(Group([submission(*sent)]))
        first, second, third, fourth = (each.sequence for each in sent)
        with store.reader() as reader:
            found = reader.events([third, fourth + 1000, first, second])
            assert found == [sent[2], sent[0], sent[1]]
            assert reader.events([]) == []

    def test_a_slow_query_ends_and_the_reader_works_on(self, store: Store) -> None:
        slow = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT MAX(i) FROM n"
        )
        with store.reader(seconds=0.3) as reader:  # within which a busy machine answers the next
            with pytest.raises(TimeLimit):
                reader.query(slow)
            assert reader.query("SELECT COUNT(*) FROM events") == [(0,)]
        with store.reader() as reader:
            assert reader.query("SELECT COUNT(*) FROM events") == [(0,)]

    def test_readers_do_not_write(self, store: Store) -> None:
        with store.reader() as reader, pytest.raises(Exception):  # noqa: B017, PT011 - the database's own error
            reader.query("CREATE TABLE mine (a INTEGER)")

    def test_many_threads_read_beside_the_writer(self, store: Store) -> None:
        def read() -> None:
            for _ in range(20):
                with store.reader() as reader:
                    [(count, last)] = reader.query("SELECT COUNT(*), COALESCE(MAX(sequence), 0) FROM events")
                    [(again,)] = reader.query("SELECT COUNT(*) FROM events")
                assert count == again
                assert len(store.read_after(0, 1000)) >= count
                assert count <= last

        def append() -> None:
            for _ in range(30):
                store.append(Group([submission(event())]))

        failed = in_threads([read] * 8, append)
        assert failed == []
        assert len(names(store)) == 30

    def test_ids_that_hold_a_text(self, store: Store) -> None:
        sent = [("u-1", "Acme"), ("my-u", "acme_2"), ("U%", "x"), (None, "y")]
        store.append(Group([submission(*(event(user=user, anonymous="u", org=org) for user, org in sent))]))
        follow(store)
        with store.reader() as reader:
            assert reader.ids(PROJECT.id, "person", "u", 9) == ["U%", "u-1", "my-u", "u"]  # visitors last
            assert reader.ids(PROJECT.id, "person", "u", 1) == ["U%"]
            assert reader.ids(PROJECT.id, "person", "%", 9) == ["U%"]
            assert reader.ids(PROJECT.id, "org", "ACME", 9) == ["Acme", "acme_2"]
            assert reader.ids(PROJECT.id, "org", "_", 9) == ["acme_2"]
            assert reader.ids(OTHER_PROJECT.id, "org", "acme", 9) == []
