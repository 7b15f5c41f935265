"""Signing in: password, then the second factor where there is one, with waiting after failed tries."""

import logging
from dataclasses import dataclass, field

import msgspec

from saastracker.accounts import totp
from saastracker.accounts.backoff import Backoff, network
from saastracker.accounts.browsers import browser_name, known_browser
from saastracker.accounts.model import Credentials, Signed, User
from saastracker.accounts.passwords import hash_password, is_outdated, is_right
from saastracker.accounts.people import Edit, People, Snapshot
from saastracker.accounts.rules import plain_email
from saastracker.accounts.sessions import Entered, enter, entered_edits
from saastracker.errors import OperatorError, TooMany, Unauthorized
from saastracker.secrets import Secrets, digest

FREE_OF_ACCOUNT = 5  # tries before one waits
FREE_OF_ADDRESS = 20  # more: an office may share one
TICKET_MS = 5 * 60 * 1000

log = logging.getLogger("saastracker.accounts")


@dataclass(frozen=True)
class CodeNeeded:
    """The password was right; with this ticket and a code of the second factor, `SignIn.confirm` lets the user in."""

    ticket: str = field(repr=False)


class _Ticket(msgspec.Struct, frozen=True, tag="sign-in", forbid_unknown_fields=True):
    user: str
    password: str  # digest of its hash: a ticket ends with the password it was given for
    until: int


class SignIn:
    """Lets users in. Of failed tries it knows what this process has seen.

    They count by account; those in a browser that its user has signed in with, which `browser` proves, by that.
    """

    def __init__(self, people: People, secrets: Secrets) -> None:
        self._people = people
        self._secrets = secrets
        self._by_account = Backoff(FREE_OF_ACCOUNT)
        self._by_address = Backoff(FREE_OF_ADDRESS)

    def sign_in(
        self, email: str, password: str, *, address: str, agent: str, now: int, browser: str = ""
    ) -> Entered | CodeNeeded:
        """Raises Unauthorized, which never tells whether there is such an account; TooMany; Unavailable."""
        email = plain_email(email)
        user = self._people.snapshot.by_email.get(email)
        tries = _tries(user, browser) if user else email
        locks = self._begin(tries, address, now)
        kept = user.credentials.password if user else ""
        if not is_right(kept, password) or user is None:
            if locks and user is not None:
                self._tell_lock(user, now)
            raise Unauthorized("E-mail or password is wrong.")
        if user.credentials.factor:
            self._by_account.give_back(tries, now)
            self._by_address.give_back(network(address), now)
            ticket = _Ticket(user.id, digest(kept), now + TICKET_MS)
            return CodeNeeded(self._secrets.encrypt(msgspec.json.encode(ticket)))
        better = hash_password(password) if is_outdated(kept) else kept
        entered = self._enter(user, kept=kept, better=better, code="", agent=agent, now=now)
        self._let_in(tries, address, now)
        return entered

    def confirm(self, ticket: str, code: str, *, address: str, agent: str, now: int, browser: str = "") -> Entered:
        """Sign in with the code of an authenticator, or a recovery code, which is used up by that.

        Raises Unauthorized, TooMany.
        """
        known = self._read(ticket)
        user = self._people.snapshot.users.get(known.user) if known and now < known.until else None
        if known is None or user is None or digest(user.credentials.password) != known.password:
            raise Unauthorized("Five minutes have passed, or the password changed. Start again.", reason="ticket")
        tries = _tries(user, browser)
        locks = self._begin(tries, address, now)
        kept = user.credentials.password
        try:
            entered = self._enter(user, kept=kept, better=kept, code=code, agent=agent, now=now)
        except Unauthorized:
            if locks:
                self._tell_lock(user, now)
            raise
        self._let_in(tries, address, now)
        return entered

    def check_password(self, signed: Signed, password: str, *, address: str, now: int) -> None:
        """Before somebody who is signed in may change how; counted by session. Raises Unauthorized, TooMany."""
        user, tries = signed.user, signed.session.id
        locks = self._begin(tries, address, now)
        if not is_right(user.credentials.password, password):
            if locks:
                self._tell_lock(user, now)
            raise Unauthorized("Your password is another one.", reason="password")
        self._let_in(tries, address, now)

    def known_browser(self, entered: Entered) -> str:
        """For a cookie of the browser in which somebody has just signed in."""
        return known_browser(self._people.user(entered.user.id))

    def _enter(self, user: User, *, kept: str, better: str, code: str, agent: str, now: int) -> Entered:
        """Write the session, unless the password or the code was used up meanwhile. Raises Unauthorized."""
        entered = enter(user, agent, now)

        def make(snapshot: Snapshot) -> tuple[list[Edit], Entered]:
            newest = snapshot.users.get(user.id)
            if newest is None or newest.credentials.password != kept:
                raise Unauthorized("E-mail or password is wrong.")
            credentials = newest.credentials
            if credentials.factor:
                credentials = self._take_code(credentials, code, now)
            credentials = msgspec.structs.replace(credentials, password=better)
            signed_in = msgspec.structs.replace(newest, credentials=credentials, signed_in_at=now)
            used = len(newest.credentials.recovery) > len(credentials.recovery)
            told = {"changed": "recovery code used", "left": len(credentials.recovery)} if used else None
            return [Edit("change", signed_in, told), *entered_edits(snapshot, entered)], entered

        return self._people.edit(user.email, now, make)

    def _take_code(self, credentials: Credentials, code: str, now: int) -> Credentials:
        """What is kept once a code was used. Raises Unauthorized."""
        secret = self._secrets.decrypt(credentials.factor).decode()
        step = totp.matching_step(secret, code, now, credentials.step)
        if step is not None:
            return msgspec.structs.replace(credentials, step=step)
        used = totp.recovery_digest(code)
        if used not in credentials.recovery:
            raise Unauthorized("This code is wrong, or was used. Wait for the next one.", reason="code")
        left = tuple(kept for kept in credentials.recovery if kept != used)
        return msgspec.structs.replace(credentials, recovery=left)

    def _begin(self, tries: str, address: str, now: int) -> bool:
        """Count a try; whether the next one waits if it fails. Raises TooMany."""
        self._by_address.begin(network(address), now)
        try:
            return self._by_account.begin(tries, now)
        except TooMany:
            self._by_address.give_back(network(address), now)
            raise

    def _let_in(self, tries: str, address: str, now: int) -> None:
        """The address keeps what failed before: else one account of one's own would open it for guessing others."""
        self._by_account.forget(tries)
        self._by_address.give_back(network(address), now)

    def _tell_lock(self, user: User, now: int) -> None:
        log.warning("Too many tries to sign in as user %s failed; the next ones have to wait", user.id)
        told = {"email": user.email, "changed": "locked for a while after failed tries"}
        self._people.edit("sign-in", now, lambda _: ([Edit("lock", user, told)], None))

    def _read(self, ticket: str) -> _Ticket | None:
        if not ticket.isascii():
            return None
        try:
            return _ticket.decode(self._secrets.decrypt(ticket))
        except (OperatorError, msgspec.DecodeError):
            return None


def _tries(user: User, browser: str) -> str:
    """Whose tries are counted together."""
    name = browser_name(user, browser)
    return f"{user.id} {name}" if name else user.email


_ticket = msgspec.json.Decoder(_Ticket)
