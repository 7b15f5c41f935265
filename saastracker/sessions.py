"""Sessions of events that carry no session id: 30 minutes of inactivity, kept in memory."""

import zlib

from saastracker.contracts import Reader
from saastracker.event import Event

INACTIVITY_MS = 30 * 60 * 1000
VISITORS_MAX = 100_000
MARK = "~"  # tells a derived session id from a client's
REFILL_PAGE = 5_000
REFILL_MAX = 200_000  # events looked at on a start

Visitor = tuple[str, str, str | None]  # project, person, org


class Visit:
    """The two sessions a visitor used last, newest use first.

    Two, so that a client which catches up on old events beside new ones keeps both going.
    """

    __slots__ = ("ends", "ids", "starts")

    def __init__(self, starts: tuple[int, ...], ends: tuple[int, ...], ids: tuple[str, ...]) -> None:
        self.starts = starts
        self.ends = ends
        self.ids = ids

    def joined(self, time: int) -> "tuple[Visit, str] | None":
        """With `time` added to the session it falls into, or None if it falls into neither."""
        for place, (start, end, name) in enumerate(zip(self.starts, self.ends, self.ids, strict=True)):
            if start - INACTIVITY_MS <= time <= end + INACTIVITY_MS:
                rest = 1 - place
                return Visit(
                    (min(start, time), *self.starts[rest : rest + 1]),
                    (max(end, time), *self.ends[rest : rest + 1]),
                    (name, *self.ids[rest : rest + 1]),
                ), name
        return None

    def begun(self, time: int, name: str) -> "Visit":
        return Visit((time, *self.starts[:1]), (time, *self.ends[:1]), (name, *self.ids[:1]))


class Sessions:
    """Derives session ids. What `assign` did counts only after `commit`; `rollback` forgets it."""

    def __init__(self) -> None:
        self._visits: dict[Visitor, Visit] = {}
        self._pending: dict[Visitor, Visit] = {}
        self._assigned: list[Event] = []

    def assign(self, project: str, event: Event) -> None:
        """Give an event with a person and a time, but no session, its session."""
        person = event.user or event.anonymous
        time = event.time
        if person is None or time is None:
            return
        visitor = (project, person, event.org)
        visit = self._pending.get(visitor) or self._visits.get(visitor)
        joined = visit.joined(time) if visit else None
        if joined:
            self._pending[visitor], event.session = joined
        else:
            event.session = name = _name(time, event.org)
            self._pending[visitor] = visit.begun(time, name) if visit else Visit((time,), (time,), (name,))
        self._assigned.append(event)

    def commit(self) -> None:
        visits = self._visits
        for visitor, visit in self._pending.items():
            visits.pop(visitor, None)  # to the end: the longest unseen is dropped first
            visits[visitor] = visit
        while len(visits) > VISITORS_MAX:
            del visits[next(iter(visits))]
        self._forget()

    def rollback(self) -> None:
        for event in self._assigned:
            event.session = None
        self._forget()

    def _forget(self) -> None:
        self._pending.clear()
        self._assigned.clear()

    def refill(self, reader: Reader, now: int) -> None:
        """Remember the derived sessions of the events received in the last 30 minutes."""
        sequence = _first_since(reader, now - INACTIVITY_MS)
        while page := reader.query(
            """SELECT sequence, project, COALESCE("user", anonymous), org, session, time
            FROM events WHERE sequence >= :sequence ORDER BY sequence LIMIT :count""",
            sequence=sequence,
            count=REFILL_PAGE,
        ):
            for _, project, person, org, session, time in page:
                if person is not None and session is not None and session.startswith(MARK):
                    self._remember((project, person, org), session, time)
            self.commit()
            sequence = page[-1][0] + 1

    def _remember(self, visitor: Visitor, session: str, time: int) -> None:
        visit = self._pending.get(visitor) or self._visits.get(visitor)
        joined = visit.joined(time) if visit else None
        if joined and joined[1] == session:
            self._pending[visitor] = joined[0]
        elif visit:
            self._pending[visitor] = visit.begun(time, session)
        else:
            self._pending[visitor] = Visit((time,), (time,), (session,))


def _first_since(reader: Reader, since: int) -> int:
    """The sequence number from which on events were received since then, at most 200 000 back.

    Walks back by sequence, since no index is on the time of receipt.
    """
    first = 2**62
    for _ in range(REFILL_MAX // REFILL_PAGE):
        page = reader.query(
            "SELECT sequence, received_at FROM events WHERE sequence < :first ORDER BY sequence DESC LIMIT :count",
            first=first,
            count=REFILL_PAGE,
        )
        recent = [sequence for sequence, received_at in page if received_at >= since]
        if not recent:
            break
        first = page[-1][0] if len(recent) == len(page) else recent[-1]
    return first


def _name(start: int, org: str | None) -> str:
    """Unique per person, and short."""
    return f"{MARK}{start:x}" if org is None else f"{MARK}{start:x}.{zlib.crc32(org.encode()):x}"
