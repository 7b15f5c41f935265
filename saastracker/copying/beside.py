"""What a copy makes the same beside events: records, answers, and what was counted."""

from collections.abc import Sequence

import msgspec

from saastracker.contracts import Record, RecordStore, Store
from saastracker.copyable import Tallies
from saastracker.copying import STATE
from saastracker.sql import readable

PAGE = 5000  # answers


def differing(source: RecordStore, target: RecordStore) -> tuple[list[Record], list[Record]]:
    """The records to put, in their order, and those to forget before."""
    mine, theirs = _records(source), _records(target)
    wanted = {_key(record) for record in mine}
    gone = [record for record in theirs if _key(record) not in wanted]
    kept = [record for record in theirs if _key(record) in wanted]
    # A record that was deleted and made again has come to the end; from there on all are made again.
    pairs = enumerate(zip(mine, kept, strict=False))
    place = next((n for n, (one, other) in pairs if _key(one) != _key(other)), len(kept))
    known = {_key(record): record for record in kept[:place]}
    return [record for record in mine if known.get(_key(record)) != record], gone + kept[place:]


def _records(store: RecordStore) -> list[Record]:
    return [record for record in store.records() if record.kind != STATE]


def _key(record: Record) -> tuple[str, str]:
    return record.kind, record.id


def copy_answers(source: Store, target: Store) -> int:
    """How many answers there are now."""
    after, count = b"", 0
    while True:
        pages = source.answers(after, PAGE), target.answers(after, PAGE)
        full = [page[-1].digest for page in pages if len(page) == PAGE]
        mine, theirs = ({each.digest: each for each in page if not full or each.digest <= min(full)} for page in pages)
        put = [each for digest, each in mine.items() if theirs.get(digest) != each]
        gone = [digest for digest in theirs if digest not in mine]
        if put or gone:
            target.put_answers(put, gone)
        count += len(mine)
        if not full:
            return count
        after = min(full)


def copy_tallies(source: Store, target: Store) -> None:
    tallies = stored(source.tallies())
    if tallies != target.tallies():
        target.put_tallies(tallies)


def stored(tallies: Tallies) -> Tallies:
    """As stores have them that take no character 0."""
    return msgspec.structs.replace(
        tallies,
        refused=[
            msgspec.structs.replace(each, detail=readable(each.detail), path=readable(each.path))
            for each in tallies.refused
        ],
    )


def projects(records: Sequence[Record]) -> list[str]:
    """Ids of the projects among some records."""
    return [record.id for record in records if record.kind == "project"]
