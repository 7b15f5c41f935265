"""What an index remembers of events that are gone: who was there when, who is who, and which keys were seen."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple, TypeAlias

from saastracker.contracts import Store
from saastracker.index import Seen
from saastracker.index_store import Actor, ActorKey, IndexChanges
from saastracker.sql import readable

READ_SECONDS = 600.0
TEXTS_MAX = 5000  # that get codes in one transaction

Who: TypeAlias = tuple[bool, str, str]  # whether the person is an anonymous id, person, organization; "" for none


class Known(NamedTuple):
    number: int
    first: int
    last: int


class Remembered(NamedTuple):
    actors: dict[Who, Known]
    aliases: dict[str, str]  # anonymous id → user
    seen: dict[tuple[str, str], Seen]  # by namespace and key
    texts: list[str]  # in the order of their codes


def carry(source: Store, target: Store, project: str, namespaces: Sequence[str]) -> bool:
    """Have the target's index remember what the source's does; False, and nothing is done, if it knows of more."""
    mine, theirs = (remembered(store, project, namespaces) for store in (source, target))
    if theirs.actors.keys() - mine.actors.keys() or theirs.aliases.keys() - mine.aliases.keys():
        return False
    actors = {who: known for who, known in mine.actors.items() if who not in theirs.actors}
    narrowed = {
        theirs.actors[who].number: (known.first, known.last)
        for who, known in mine.actors.items()
        if who in theirs.actors and theirs.actors[who][1:] != known[1:]
    }
    aliases = {anonymous: user for anonymous, user in mine.aliases.items() if theirs.aliases.get(anonymous) != user}
    seen = {key: each for key, each in mine.seen.items() if theirs.seen.get(key) != each}
    if not (actors or narrowed or aliases or seen):
        return True
    texts = {text for _, *both in actors for text in both} | {*chain.from_iterable(aliases.items())}
    codes, wanted = {"": 0}, [text for text in mine.texts if text in texts]
    for start in range(0, len(wanted), TEXTS_MAX):
        codes |= target.codes(project, wanted[start : start + TEXTS_MAX])
    state = target.index.state()
    changes = IndexChanges(state.changes, state.watermark, narrowed=narrowed)
    changes.actors = {
        ActorKey(project, anonymous, codes[person], codes[org]): Actor(number, known.first, known.last)
        for number, ((anonymous, person, org), known) in enumerate(actors.items(), state.last_actor + 1)
    }
    changes.unjoined = [(project, codes[anonymous]) for anonymous in aliases]
    changes.aliases = {(project, codes[anonymous]): codes[user] for anonymous, user in aliases.items()}
    for (namespace, _), each in seen.items():
        changes.seen_keys.setdefault((project, namespace), []).append(each)
    target.index.write(changes)
    return True


def drop(source: Store, target: Store, project: str) -> None:
    """Have the target's index, which was just begun again, forget whom the source's does not know."""
    mine, theirs = (remembered(store, project, ()) for store in (source, target))
    gone = [known.number for who, known in theirs.actors.items() if who not in mine.actors]
    aliases = [anonymous for anonymous in theirs.aliases if anonymous not in mine.aliases]
    if gone or aliases:
        codes, state = target.codes(project, aliases), target.index.state()
        unjoined = [(project, code) for code in codes.values()]
        target.index.write(IndexChanges(state.changes, state.watermark, gone=gone, unjoined=unjoined))


def remembered(store: Store, project: str, namespaces: Sequence[str]) -> Remembered:
    """What the index of a store remembers of a project."""
    with store.reader(READ_SECONDS) as reader:
        actors = reader.actors(project)
        codes = {code for row in actors.rows for code in row[2:4]} | {*chain.from_iterable(actors.aliases.items())}
        found = reader.texts(sorted(codes - {0}))
        seen = {(namespace, each.key): each for namespace in namespaces for each in reader.seen(project, namespace)}
    texts = {code: readable(text) for code, text in found.items()}
    return Remembered(
        {
            (bool(anonymous), texts.get(person, ""), texts.get(org, "")): Known(number, first, last)
            for number, anonymous, person, org, first, last in sorted(actors.rows)
        },
        {texts[anonymous]: texts[user] for anonymous, user in actors.aliases.items()},
        seen,
        [text for _, text in sorted(texts.items())],
    )
