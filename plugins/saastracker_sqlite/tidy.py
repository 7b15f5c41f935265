"""Looks after the database file: statistics for the planner, free space given back, in steps between the writer's."""

from collections.abc import Callable
from typing import TypeAlias

from saastracker_sqlite.append import Appender
from saastracker_sqlite.reader import Readers

ANALYZED_ROWS = 400  # of each index, at most
STEP_PAGES = 256  # 1 MiB: a few milliseconds, for which the writer's next group waits
KEPT_SHARE = 0.05  # of the pages may be free: what is erased today is room for what comes tomorrow

Run: TypeAlias = Callable[[Callable[[Appender], None]], None]  # has the writer do something


def tidy(readers: Readers, run: Run, cancelled: Callable[[], bool]) -> None:
    """As `contracts.Store.tidy` says. Files that older releases made keep their free space, and fill it again."""
    run(_optimize)
    while not cancelled() and _free(readers):
        run(_give_back)


def _optimize(appender: Appender) -> None:
    appender.connection.execute(f"PRAGMA analysis_limit = {ANALYZED_ROWS}").fetchall()
    appender.connection.execute("PRAGMA optimize").fetchall()


def _give_back(appender: Appender) -> None:
    appender.connection.execute(f"PRAGMA incremental_vacuum({STEP_PAGES})").fetchall()


def _free(readers: Readers) -> bool:
    """Whether there is more free space than is kept, and it can be given back."""
    with readers.connection() as connection:
        mode, free, pages = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("auto_vacuum", "freelist_count", "page_count")
        )
    return bool(mode == 2 and free - STEP_PAGES > pages * KEPT_SHARE)  # 2: INCREMENTAL
