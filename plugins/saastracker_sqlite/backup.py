"""A consistent copy of the database while others write to it."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from saastracker.errors import OperatorError
from saastracker_sqlite.database import begin_read, connect, connect_readonly, create_file, operator_errors

STEP_PAGES = 1024  # 4 MiB


def copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    """Copy the database `source` to a new file; `progress(done, total)` counts pages. Raises OperatorError."""
    with operator_errors(target):
        try:
            create_file(target)
        except FileExistsError:
            raise OperatorError(f"{target} already exists: name another file, or move that one away") from None
        try:
            with contextlib.closing(connect_readonly(source)) as old, contextlib.closing(connect(target)) as new:
                begin_read(old)  # or SQLite starts over whenever somebody writes
                old.backup(
                    new,
                    pages=STEP_PAGES,
                    progress=lambda _status, remaining, total: progress(total - remaining, total),
                    sleep=0,
                )
        except BaseException:
            target.unlink(missing_ok=True)
            raise
