"""A copy of all events, as files in ClickHouse's own format."""

import shutil
from pathlib import Path

from clickhouse_connect.driver.client import Client

from saastracker.erasable import Progress
from saastracker.errors import OperatorError

NUMBERS = 1_000_000  # of events, per file


def write(client: Client, events: str, path: Path, until: int, progress: Progress) -> None:
    """Files that `INSERT INTO … FORMAT Native` reads, in order of arrival; `progress` counts numbers of events."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        raise OperatorError(f"{path} already exists: name another file, or move that one away") from None
    except OSError as error:
        raise OperatorError(f"{path}: {error.strerror}; look at it with: ls -ld {path.parent}") from error
    try:
        for after in range(0, until, NUMBERS):
            last = min(after + NUMBERS, until)
            _write(client, events, path / f"{last:020}.native", after, last)
            progress(last, until)
    except BaseException:
        shutil.rmtree(path)
        raise


def _write(client: Client, events: str, path: Path, after: int, last: int) -> None:
    some = f"SELECT * FROM {events} WHERE sequence > {after} AND sequence <= {last} ORDER BY sequence"
    # A failure half way is no success with a piece of an error in it.
    whole = {"wait_end_of_query": 1}
    with path.open("xb") as file, client.raw_stream(some, fmt="Native", settings=whole) as stream:
        while block := stream.read(2**20):
            file.write(block)
