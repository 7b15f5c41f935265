"""What names and e-mails may be, and who may give which role. The reason of a refusal names the field."""

import re

from saastracker.accounts.model import By
from saastracker.errors import Forbidden, Invalid
from saastracker.event import NAME_MAX
from saastracker.fact_rules import UNSEEN, is_name
from saastracker.roles import Role, may

EMAIL_MAX = 254  # characters
EMAIL = f"^[^@ {UNSEEN}]{{1,64}}@[^@. {UNSEEN}]+([.][^@. {UNSEEN}]+)*$"
_EMAIL = re.compile(EMAIL.replace(UNSEEN, f"{UNSEEN}\ud800-\udfff").removesuffix("$"))


def plain_email(text: str) -> str:
    """An e-mail as it is looked up."""
    return text.strip().lower()


def check_email(text: str) -> str:
    """The e-mail as it is kept. Raises Invalid."""
    email = plain_email(text)
    if len(email) > EMAIL_MAX or not _EMAIL.fullmatch(email):
        raise Invalid(f"{text[:EMAIL_MAX]!r} is no e-mail address; one reads like ada@example.com", reason="email")
    return email


def check_name(text: str) -> str:
    """A person's name as it is kept. Raises Invalid."""
    name = text.strip()
    if not is_name(name):
        raise Invalid(f"A name has 1 to {NAME_MAX} printable characters.", reason="name")
    return name


def needed_to_give(role: Role) -> Role:
    """What one has to be to make somebody a `role`, or to take it away: admins give all but owners."""
    return "owner" if role == "owner" else "admin"


def check_may_give(by: By, role: Role) -> None:
    """Raises Forbidden unless `by` may."""
    if not may(by.role, needed_to_give(role)):
        raise Forbidden(
            "Only an owner makes or removes owners." if role == "owner" else "This needs the role admin.",
            reason="role",
        )
