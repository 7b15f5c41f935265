"""Funnels the plainest way: each one's events in turn."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from saastracker_funnels.follow import Rules

Attempt: TypeAlias = tuple[int, list[int | None]]  # place of the entry, and the time of each step


class Event(NamedTuple):
    entity: object
    time: int
    fits: frozenset[int]  # numbers of steps
    excluded: bool = False


def slow(sent: list[Event], rules: Rules, entities: Iterable[object]) -> dict[object, Attempt]:
    """What became of those of some entities who entered. Places in the list are the order of arrival."""
    found = {}
    for entity in entities:
        mine = sorted((event.time, place) for place, event in enumerate(sent) if event.entity == entity)
        beginning = [
            number
            for number, (time, place) in enumerate(mine)
            if rules.start <= time < rules.end and (sent[place].fits if rules.order == "any" else 0 in sent[place].fits)
        ]
        if not beginning:
            continue
        entered, entry = mine[beginning[0]]
        attempt = [(entered, sent[entry])]
        for time, place in mine[beginning[0] + 1 :]:
            if sent[place].excluded or (rules.window and time > entered + rules.window):
                break
            attempt.append((time, sent[place]))
        walk = {"sequential": sequential, "strict": strict, "any": any_order}[rules.order]
        found[entity] = entry, walk(attempt, rules.optional)
    return found


def sequential(attempt: list[tuple[int, Event]], optional: tuple[bool, ...]) -> list[int | None]:
    def earliest(step: int, start: int, end: int) -> int | None:
        return next((place for place in range(start, end) if step in attempt[place][1].fits), None)

    taken: list[int | None] = [None] * len(optional)
    taken[0] = last = 0
    required = [number for number, may_miss in enumerate(optional) if not may_miss]
    for step, following in zip(required, [*required[1:], None], strict=True):
        if following is None:
            break
        reached = earliest(following, last + 1, len(attempt))
        taken[following] = reached
        place = last
        for between in range(step + 1, following):
            taken[between] = earliest(between, place + 1, len(attempt) if reached is None else reached)
            place = place if taken[between] is None else taken[between]  # type: ignore[assignment]
        if reached is None:
            break
        last = reached
    return [None if place is None else attempt[place][0] for place in taken]


def strict(attempt: list[tuple[int, Event]], optional: tuple[bool, ...]) -> list[int | None]:
    def ways(step: int, place: int) -> Iterator[list[int | None]]:
        """The places that steps from `step` on can take from `place` on."""
        if step == len(optional):
            yield []
            return
        if place < len(attempt) and step in attempt[place][1].fits:
            yield from ([place, *rest] for rest in ways(step + 1, place + 1))
        if optional[step]:
            yield from ([None, *rest] for rest in ways(step + 1, place))
        yield [None] * (len(optional) - step)

    def worth(way: list[int | None]) -> tuple[int, int]:
        taken = [may_miss for place, may_miss in zip(way, optional, strict=True) if place is not None]
        return taken.count(False), taken.count(True)

    best = max(ways(0, 0), key=worth)  # the first of equals
    return [None if place is None else attempt[place][0] for place in best]


def any_order(attempt: list[tuple[int, Event]], optional: tuple[bool, ...]) -> list[int | None]:
    def most(events: list[Event], free: frozenset[int]) -> int:
        if not events or not free:
            return 0
        first, *rest = events
        return max([most(rest, free), *(1 + most(rest, free - {step}) for step in first.fits & free)])

    free = frozenset(range(len(optional)))
    times: list[int | None] = []
    for end in range(1, len(attempt) + 1):
        if most([event for _, event in attempt[:end] if event.fits], free) > len(times):
            times.append(attempt[end - 1][0])
    return times + [None] * (len(optional) - len(times))
