"""Copies that moved rows left in unused parts of pages are overwritten, while events are appended."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from saastracker.contracts import Group
from saastracker.errors import Unavailable
from saastracker.testing import OTHER_PROJECT, PROJECT
from saastracker.testing.erasing import silent
from saastracker.testing.opened import event, submission
from saastracker_sqlite import sweep
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.stale import find, overwrite
from saastracker_sqlite.store import SqliteStore

ADA = "ada.lovelace@example.com"
MARK = ADA.encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database in which nothing is left of Ada but what other people's events say, and stale copies."""
    path = tmp_path / "saastracker.db"
    with opened(path) as store:
        for start in range(0, 6000, 1000):
            store.append(Group([submission(*(event(user=f"user {start + each}") for each in range(1000)))]))
        # On pages of its own, since it is long.
        store.append(Group([submission(event(properties=f'{{"text":"{"x" * 9000}{ADA}"}}'), project=OTHER_PROJECT)]))
    assert path.read_bytes().count(MARK) == 1
    plant(path)
    return path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    store.claim()
    try:
        yield store
    finally:
        store.close()


def plant(path: Path) -> None:
    """Write her id into the unused part of every root page that has room, just before its rows."""
    connection = sqlite3.connect(path)
    roots = [page for (page,) in connection.execute("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")]
    [size] = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    whole, planted = bytearray(path.read_bytes()), 0
    for page in (1, *roots):
        begins, header = (page - 1) * size, 100 if page == 1 else 0
        rows = int.from_bytes(whole[begins + header + 3 : begins + header + 5])
        content = int.from_bytes(whole[begins + header + 5 : begins + header + 7])
        if content - header - 12 - 2 * rows >= len(MARK):
            whole[begins + content - len(MARK) : begins + content] = MARK
            planted += 1
    path.write_bytes(whole)
    assert planted > 20, "pages of tables and of indexes, with rows and with pages below them"


def test_stale_copies_are_overwritten_while_events_come(path: Path) -> None:
    with opened(path) as store, contextlib.closing(SqliteRecords(path)) as records:
        before = store.read_after(0, 10_000)
        records.write([])  # both have pages with copies in memory
        store.append(Group([submission(event("warm"))]))
        appended, held = [0], [0.0]

        def write(work: Callable[[], None]) -> None:
            began = time.monotonic()
            work()
            held.append(time.monotonic() - began)
            appended[0] += 1
            store.append(Group([submission(event("meanwhile", user=f"new {appended[0]}", org="acme"))]))
            records.write([])

        store.sweep(PROJECT.id, [ADA], write, silent)
        assert appended[0] >= 5
        assert max(held) < 2, "seconds; a loaded machine takes a while to start a program"
        after = store.read_after(0, 10_000)
        assert after[: len(before)] == before
        assert [each.name for _, each in after[len(before) :]] == ["warm", *["meanwhile"] * appended[0]]
        store.append(Group([submission(*(event("later", user=f"later {each}") for each in range(500)))]))
    assert path.read_bytes().count(MARK) == 1  # what another project's event says
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_only_unused_parts_are_touched(path: Path) -> None:
    whole = path.read_bytes()
    pages = find(path, {MARK})
    overwrite(path, {MARK}, [*pages, *range(1, len(whole) // 4096 + 1)])
    changed = {
        place // 4096 + 1 for place, pair in enumerate(zip(whole, path.read_bytes(), strict=True)) if len({*pair}) > 1
    }
    assert changed == {*pages}
    assert find(path, {MARK}) == []
    assert path.read_bytes().count(MARK) == 1


def test_any_text_does_no_harm(path: Path) -> None:
    """Short ones are found in many places, in rows and in what holds the pages together."""
    overwrite(path, [bytes([each]) for each in range(256)], range(1, 1000))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with opened(path) as store:
        assert len(store.read_after(0, 10_000)) == 6001


def test_a_report_that_does_not_end_puts_it_off(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "WAL_SECONDS", 0.1)
    with opened(path) as store:
        with store.reader() as reader:
            assert reader.query("SELECT COUNT(*) FROM events") == [(6001,)]
            store.append(Group([submission(event())]))
            with pytest.raises(Unavailable, match="the next run goes on"):
                store.sweep(PROJECT.id, [ADA], lambda work: work(), silent)
        store.sweep(PROJECT.id, [ADA], lambda work: work(), silent)
        assert find(path, {MARK}) == []


def test_a_file_without_a_map_of_its_pages_is_written_anew(tmp_path: Path, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    plant(path)
    with opened(path) as store:
        store.sweep(PROJECT.id, [ADA], lambda work: work(), silent)
        assert len(store.read_after(0, 10_000)) == 6001
    assert path.read_bytes().count(MARK) == 1
