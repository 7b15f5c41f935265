"""Invitations: links with which people make an account, or join one more workspace with the one they have."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from saastracker.accounts.model import INVITATION_MS, By, Credentials, Invitation, Signed, User
from saastracker.accounts.passwords import check_password, hash_password
from saastracker.accounts.people import Edit, People, Snapshot, writes
from saastracker.accounts.roles import invitation_edit, joined
from saastracker.accounts.rules import check_email, check_may_give, check_name
from saastracker.accounts.sessions import Entered, enter, entered_edits
from saastracker.contracts import Change
from saastracker.errors import Conflict, Forbidden, NotFound
from saastracker.roles import Role
from saastracker.secrets import digest

INVITATIONS_MAX = 100  # open at a time, of one workspace


@dataclass(frozen=True)
class Invited:
    """A new invitation."""

    link: str = field(repr=False)  # the end of its address, kept nowhere else
    invitation: Invitation

    def address(self, public_url: str) -> str:
        """Where the invited person takes it up."""
        return f"{public_url}/sign-up/{self.link}"


class Invitations:
    """Makes invitations and takes them up. Each is good for one person, once."""

    def __init__(self, people: People) -> None:
        self._people = people

    def invite(self, workspace: str, email: str, role: Role, *, by: By, now: int) -> Invited:
        """A link for this e-mail; an earlier one stops working.

        Raises Forbidden if `by` may not give the role, Conflict for a member and if too many are open.
        """
        check_may_give(by, role)
        made = _new(workspace, role, check_email(email), by, now)

        def make(snapshot: Snapshot) -> tuple[list[Edit], Invited]:
            user = snapshot.by_email.get(made.invitation.email or "")
            if user is not None and user.id in snapshot.of_workspace(workspace):
                raise Conflict(f"{user.email} belongs to this workspace already.")
            wanted = (workspace, made.invitation.email)
            same = [each for each in snapshot.invitations.values() if (each.workspace, each.email) == wanted]
            if not same and len(snapshot.invitations_to(workspace, now)) >= INVITATIONS_MAX:
                raise Conflict(f"A workspace has at most {INVITATIONS_MAX} open invitations; withdraw some.")
            return [
                *(invitation_edit("delete", each) for each in same),
                invitation_edit("create", made.invitation),
            ], made

        return self._people.edit(by.who, now, make)

    def withdraw(self, workspace: str, invitation: str, *, by: By, now: int) -> None:
        """Raises NotFound if the workspace has no such invitation, Forbidden."""

        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            found = snapshot.invitations.get(invitation)
            if found is None or found.workspace != workspace:
                raise NotFound("This workspace has no such invitation; it may have been used.")
            check_may_give(by, found.role)
            return [invitation_edit("delete", found)], None

        self._people.edit(by.who, now, make)

    def find(self, link: str, now: int) -> Invitation:
        """The invitation that a link is of. Raises NotFound if it was used or is over."""
        return _find(self._people.snapshot, link, now)

    def sign_up(self, link: str, *, name: str, email: str, password: str, agent: str, now: int) -> Entered:
        """A new account in the workspace of the link, signed in.

        Raises NotFound for a link that was used or is over, Forbidden for one to another e-mail, Invalid for what
        breaks a rule, Conflict if the e-mail has an account: sign in with that and `accept`.
        """
        name, email = check_name(name), check_email(email)
        _check_new(self._people.snapshot, link, email, now)  # before the work of hashing
        check_password(password, name, email, email.partition("@")[0])
        user = User(
            id=str(uuid4()),
            name=name,
            email=email,
            credentials=Credentials(password=hash_password(password)),
            created_at=now,
            signed_in_at=now,
        )
        entered = enter(user, agent, now)

        def make(snapshot: Snapshot) -> tuple[list[Edit], Entered]:
            invitation = _check_new(snapshot, link, email, now)
            edits = [Edit("create", user, {"name": name, "email": email}), *_taken(snapshot, invitation, user)]
            return [*edits, *entered_edits(snapshot, entered)], entered

        return self._people.edit(email, now, make)

    def accept(self, link: str, signed: Signed, now: int) -> str:
        """Let somebody who is signed in join the workspace of the link; its id.

        Raises NotFound for a link that was used or is over, Forbidden for one to another e-mail, Conflict for a member.
        """

        def make(snapshot: Snapshot) -> tuple[list[Edit], str]:
            invitation = _find(snapshot, link, now)
            _check_whose(invitation, signed.user.email)
            return _taken(snapshot, invitation, signed.user), invitation.workspace

        return self._people.edit(signed.user.email, now, make)


def first_owner(workspace: str, now: int) -> tuple[Invited, Sequence[Change]]:
    """A link that makes whoever opens it the first owner, and what has to be written with the workspace."""
    made = _new(workspace, "owner", None, By("first start", "owner"), now)
    return made, writes(Snapshot(), made.invitation.invited_by, now, [invitation_edit("create", made.invitation)])


def _new(workspace: str, role: Role, email: str | None, by: By, now: int) -> Invited:
    link = secrets.token_urlsafe(32)
    invitation = Invitation(
        id=str(uuid4()),
        workspace=workspace,
        role=role,
        email=email,
        digest=digest(link),
        invited_by=by.who,
        created_at=now,
        expires_at=now + INVITATION_MS,
    )
    return Invited(link, invitation)


def _find(snapshot: Snapshot, link: str, now: int) -> Invitation:
    found = snapshot.by_digest.get(digest(link))
    if not isinstance(found, Invitation) or not found.live(now):
        raise NotFound(
            "The invitation was used, withdrawn, or is older than seven days. "
            "If you made your account with it, sign in; else ask who invited you for a new link.",
            reason="link",
        )
    return found


def _check_new(snapshot: Snapshot, link: str, email: str, now: int) -> Invitation:
    invitation = _find(snapshot, link, now)
    _check_whose(invitation, email)
    if email in snapshot.by_email:
        raise Conflict(
            f"There is an account with the e-mail {email}: sign in with it, then open this link again.", reason="email"
        )
    return invitation


def _check_whose(invitation: Invitation, email: str) -> None:
    if invitation.email not in {None, email}:
        raise Forbidden(f"This invitation is for {invitation.email}, not for {email}.", reason="email")


def _taken(snapshot: Snapshot, invitation: Invitation, user: User) -> list[Edit]:
    return [joined(snapshot, invitation.workspace, user, invitation.role), invitation_edit("delete", invitation)]
