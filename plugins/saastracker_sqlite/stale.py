"""Looks for bytes of erased rows that the database file still holds, and overwrites them, as a program of its own.

Where SQLite moved a row within a page before, a copy may stay in the page's unused part, between its list of rows and
the rows, which nothing reads. The file's format is documented at https://sqlite.org/fileformat2.html.

A program of its own, since a process that closes a file it has opened loses all locks it holds on that, those of
SQLite's connections, too: another process then takes itself for the last one and deletes the WAL under them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

BLOCK_PAGES = 1024  # that are looked through at once
HEADER = 100  # bytes of the file's header, with which its first page begins
# Types of pages that hold rows, each with the length of its header.
HEADERS = {2: 12, 5: 12, 10: 8, 13: 8}
ROOT, CHILD = 1, 5  # what the pointer map calls them
PENDING = 1 << 30  # the byte that SQLite locks: its page holds nothing


def find(path: Path, texts: Collection[bytes]) -> list[int]:
    """Numbers of pages whose unused part holds one of some texts, while others write: a first look."""
    return list(map(int, _run(path, texts, "find")))


def overwrite(path: Path, texts: Collection[bytes], pages: Sequence[int]) -> None:
    """Overwrite the unused parts of pages that still hold one of the texts, durably.

    The caller holds SQLite's lock for writing, and its WAL is empty. No one reads what changes; what a connection
    keeps in memory of the pages, it has to forget before it writes.
    """
    _run(path, texts, "overwrite", *map(str, pages))


def _run(path: Path, texts: Collection[bytes], *words: str) -> list[str]:
    sent = json.dumps([[text.hex() for text in texts], *words]).encode()
    command = [sys.executable, "-I", "-S", __file__, str(path)]
    done = subprocess.run(command, input=sent, check=True, stdout=subprocess.PIPE)  # noqa: S603  # all of it is ours
    return done.stdout.decode().split()


class Pages:
    """The pages of a file with a pointer map, which tells what each is."""

    def __init__(self, file: int) -> None:
        self._file = file
        header = os.pread(file, HEADER, 0)
        size = int.from_bytes(header[16:18])
        self.size = 65536 if size == 1 else size
        self._usable = self.size - header[20]
        self.count = os.fstat(file).st_size // self.size

    def read(self, first: int, count: int = 1) -> bytes:
        return os.pread(self._file, count * self.size, (first - 1) * self.size)

    def gap(self, number: int, page: bytes) -> tuple[int, int]:
        """Where the unused part of a page begins and ends; nowhere in one that holds no rows."""
        start = HEADER if number == 1 else 0
        kind = page[start] if len(page) == self.size else 0
        if kind not in HEADERS or not self._holds_rows(number):
            return 0, 0
        rows = int.from_bytes(page[start + 3 : start + 5])
        content = int.from_bytes(page[start + 5 : start + 7]) or 65536
        begins = start + HEADERS[kind] + 2 * rows
        return (begins, content) if begins <= content <= self._usable else (0, 0)

    def _holds_rows(self, number: int) -> bool:
        if number == 1:
            return True
        # Each map tells of the pages behind it, five bytes each, of which the first is the type.
        group = self._usable // 5 + 1
        place = (number - 2) // group * group + 2
        if place == PENDING // self.size + 1:
            place += 1
        if number <= place:
            return False
        at = (place - 1) * self.size + 5 * (number - place - 1)
        return os.pread(self._file, 1, at) in {bytes([ROOT]), bytes([CHILD])}

    def stale(self, number: int, page: bytes, texts: Collection[bytes]) -> tuple[int, int]:
        """The unused part of a page if it holds one of the texts, else nothing."""
        begins, ends = self.gap(number, page)
        unused = page[begins:ends]
        return (begins, ends) if any(text in unused for text in texts) else (0, 0)


def _find(file: int, texts: Collection[bytes]) -> Iterable[int]:
    pages = Pages(file)
    for first in range(1, pages.count + 1, BLOCK_PAGES):
        block = pages.read(first, BLOCK_PAGES)
        if not any(text in block for text in texts):
            continue
        for place in range(len(block) // pages.size):
            page = block[place * pages.size : (place + 1) * pages.size]
            if any(pages.stale(first + place, page, texts)):
                yield first + place


def _overwrite(file: int, texts: Collection[bytes], numbers: Iterable[int]) -> None:
    pages = Pages(file)
    for number in numbers:
        begins, ends = pages.stale(number, pages.read(number), texts)
        os.pwrite(file, bytes(ends - begins), (number - 1) * pages.size + begins)
    os.fsync(file)


def main(path: str, hexes: Sequence[str], work: str, *numbers: str) -> None:
    texts = [bytes.fromhex(each) for each in hexes]
    file = os.open(path, os.O_RDONLY if work == "find" else os.O_RDWR)
    if work == "find":
        for number in _find(file, texts):
            sys.stdout.write(f"{number}\n")
    else:
        _overwrite(file, texts, map(int, numbers))


if __name__ == "__main__":
    main(sys.argv[1], *json.load(sys.stdin))
