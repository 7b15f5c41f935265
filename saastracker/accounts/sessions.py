"""Sessions: where users are signed in."""

import secrets
from dataclasses import dataclass, field
from uuid import uuid4

from saastracker.accounts.model import Session, Signed, User
from saastracker.accounts.people import Edit, People, Snapshot
from saastracker.errors import NotFound
from saastracker.secrets import digest

SESSIONS_MAX = 20  # of one user; a new one ends the one that was not used for longest
AGENT_MAX = 100  # characters


@dataclass(frozen=True)
class Entered:
    """Somebody has just signed in."""

    token: str = field(repr=False)  # for the cookie, and kept nowhere else
    user: User
    session: Session


class Sessions:
    """Ends sessions."""

    def __init__(self, people: People) -> None:
        self._people = people

    def end(self, signed: Signed, session: str, now: int) -> None:
        """Sign out, here or in another browser of the same user. Raises NotFound."""

        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            found = snapshot.sessions.get(session)
            if found is None or found.user != signed.user.id:
                raise NotFound("You are not signed in there any more.")
            return [ended(found)], None

        self._people.edit(signed.user.email, now, make)

    def end_others(self, signed: Signed, now: int) -> None:
        """Sign out everywhere but here."""

        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            return ended_all(snapshot, signed.user.id, but=signed.session.id), None

        self._people.edit(signed.user.email, now, make)


def enter(user: User, agent: str, now: int) -> Entered:
    """A new session, still to be written; its token has 256 random bits."""
    token = secrets.token_urlsafe(32)
    session = Session(
        id=str(uuid4()), user=user.id, digest=digest(token), agent=agent[:AGENT_MAX], created_at=now, seen_at=now
    )
    return Entered(token, user, session)


def entered_edits(snapshot: Snapshot, entered: Entered) -> list[Edit]:
    """What has to be written of a new session: itself, and the end of one too many."""
    session = entered.session
    others = sorted(
        (each for each in snapshot.sessions.values() if each.user == session.user), key=lambda each: each.seen_at
    )
    surplus = others[: max(0, len(others) + 1 - SESSIONS_MAX)]
    return [*map(ended, surplus), Edit("create", session, _told(session))]


def ended(session: Session) -> Edit:
    return Edit("delete", session, _told(session))


def ended_all(snapshot: Snapshot, user: str, *, but: str | None = None) -> list[Edit]:
    """The end of all sessions of a user, but one."""
    return [ended(each) for each in snapshot.sessions.values() if each.user == user and each.id != but]


def _told(session: Session) -> dict[str, str]:
    return {"user": session.user, "agent": session.agent}
