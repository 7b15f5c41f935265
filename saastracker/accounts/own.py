"""What users change of their own account: name, password, second factor."""

import secrets
from collections.abc import Callable, Sequence

import msgspec

from saastracker.accounts import totp
from saastracker.accounts.model import PASSWORD_LINK_MS, By, Credentials, PasswordLink, Signed, User
from saastracker.accounts.passwords import check_password, hash_password
from saastracker.accounts.people import Edit, People, Snapshot
from saastracker.accounts.rules import check_name
from saastracker.accounts.sessions import ended_all
from saastracker.accounts.sign_in import SignIn
from saastracker.errors import Conflict, Invalid, NotFound
from saastracker.secrets import Secrets, digest


class Own:
    """Changes of one's own account. What lets in needs the password again, and fails as often as a sign-in may.

    Raises Unauthorized for a wrong password, TooMany.
    """

    def __init__(self, people: People, sign_in: SignIn, secrets: Secrets) -> None:
        self._people = people
        self._sign_in = sign_in
        self._secrets = secrets

    def rename(self, signed: Signed, name: str, now: int) -> None:
        """Raises Invalid."""
        name = check_name(name)

        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            user = msgspec.structs.replace(snapshot.users[signed.user.id], name=name)
            return [Edit("change", user, {"name": name, "email": user.email})], None

        self._people.edit(signed.user.email, now, make)

    def change_password(self, signed: Signed, *, old: str, new: str, address: str, now: int) -> None:
        """All other sessions end. Raises Invalid for one that is too easy."""
        user = signed.user
        self._sign_in.check_password(signed, old, address=address, now=now)
        check_password(new, user.name, user.email, user.email.partition("@")[0])
        hashed = hash_password(new)

        def change(old: Credentials) -> Credentials:
            return msgspec.structs.replace(old, password=hashed)

        self._change(signed, "password", change, now)

    # --- The second factor ---

    def new_factor(self, signed: Signed) -> tuple[str, str]:
        """A secret for an authenticator, and the same as an address; nothing is kept before `add_factor`."""
        secret = totp.new_secret()
        return secret, totp.address(secret, signed.user.email)

    def add_factor(
        self, signed: Signed, secret: str, code: str, *, password: str, address: str, now: int
    ) -> tuple[str, ...]:
        """From now on sign-in needs codes; the recovery codes, shown this once. All other sessions end.

        Raises Invalid for a wrong code, Conflict if there is a second factor already.
        """
        self._sign_in.check_password(signed, password, address=address, now=now)
        step = totp.matching_step(secret, code, now, 0) if totp.is_secret(secret) else None
        if step is None:
            raise Invalid("This code is wrong. Is the clock of your phone right?")
        codes = totp.new_recovery_codes()
        factor = self._secrets.encrypt(secret.encode())

        def change(old: Credentials) -> Credentials:
            if old.factor:
                raise Conflict("There is a second factor already; remove that first.")
            return msgspec.structs.replace(old, factor=factor, step=step, recovery=_digests(codes))

        self._change(signed, "second factor added", change, now)
        return codes

    def remove_factor(self, signed: Signed, *, password: str, address: str, now: int) -> None:
        """From now on the password is enough."""
        self._sign_in.check_password(signed, password, address=address, now=now)
        self._change(signed, "second factor removed", _without_factor, now)

    def new_recovery_codes(self, signed: Signed, *, password: str, address: str, now: int) -> tuple[str, ...]:
        """Other recovery codes, shown this once; the old ones stop working. Raises Conflict without second factor."""
        self._sign_in.check_password(signed, password, address=address, now=now)
        codes = totp.new_recovery_codes()

        def change(old: Credentials) -> Credentials:
            if not old.factor:
                raise Conflict("There is no second factor; add one first.")
            return msgspec.structs.replace(old, recovery=_digests(codes))

        self._change(signed, "recovery codes", change, now)
        return codes

    def _change(self, signed: Signed, what: str, change: Callable[[Credentials], Credentials], now: int) -> None:
        """Change how somebody signs in; everywhere else they are signed out."""

        def make(snapshot: Snapshot) -> tuple[Sequence[Edit], None]:
            user = snapshot.users[signed.user.id]
            edit = _changed(user, change(user.credentials), what)
            return [edit, *ended_all(snapshot, user.id, but=signed.session.id)], None

        self._people.edit(signed.user.email, now, make)

    # --- By a link ---

    def reset(self, user: User, *, by: By, factor: bool, now: int) -> str:
        """End the user's password and all sessions, with `factor` the second factor too.

        Returns the end of the address where the user chooses a new password, once, within a day.
        """
        token = secrets.token_urlsafe(32)
        link = PasswordLink(id=user.id, digest=digest(token), created_at=now, expires_at=now + PASSWORD_LINK_MS)
        what = "password and second factor reset" if factor else "password reset"

        def make(snapshot: Snapshot) -> tuple[Sequence[Edit], str]:
            old = snapshot.users[user.id]
            kept = _without_factor(old.credentials) if factor else old.credentials
            edit = _changed(old, msgspec.structs.replace(kept, password=""), what)
            return [edit, Edit("change", link), *ended_all(snapshot, user.id)], token

        return self._people.edit(by.who, now, make)

    def password_link(self, token: str, now: int) -> User:
        """Who a link is for. Raises NotFound if it was used or is over."""
        return _linked(self._people.snapshot, token, now)[1]

    def set_password(self, token: str, password: str, now: int) -> User:
        """Choose a new password by a link. Raises NotFound if it was used or is over, Invalid for one too easy."""
        user = self.password_link(token, now)  # before the work of hashing
        check_password(password, user.name, user.email, user.email.partition("@")[0])
        hashed = hash_password(password)

        def make(snapshot: Snapshot) -> tuple[Sequence[Edit], User]:
            link, user = _linked(snapshot, token, now)
            edit = _changed(user, msgspec.structs.replace(user.credentials, password=hashed), "password, by a link")
            return [edit, Edit("delete", link), *ended_all(snapshot, user.id)], user

        return self._people.edit(user.email, now, make)


def _linked(snapshot: Snapshot, token: str, now: int) -> tuple[PasswordLink, User]:
    link = snapshot.by_digest.get(digest(token))
    if not isinstance(link, PasswordLink) or not link.live(now):
        raise NotFound(
            "The link was used, or is older than a day. If you chose a password with it, sign in; "
            "else ask who sent it for a new one.",
            reason="link",
        )
    return link, snapshot.users[link.id]


def _changed(user: User, credentials: Credentials, what: str) -> Edit:
    new = msgspec.structs.replace(user, credentials=credentials)
    return Edit("change", new, {"email": user.email, "changed": what})


def _without_factor(credentials: Credentials) -> Credentials:
    return msgspec.structs.replace(credentials, factor="", recovery=())


def _digests(codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(totp.recovery_digest, codes))
