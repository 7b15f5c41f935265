"""What members of a workspace may."""

from typing import Literal, TypeAlias

Role: TypeAlias = Literal["viewer", "member", "admin", "owner"]
ROLES: tuple[Role, ...] = ("viewer", "member", "admin", "owner")  # each may what those before it may


def may(role: Role | None, needed: Role) -> bool:
    """Whether a role, None of a stranger, allows what `needed` does."""
    return role is not None and ROLES.index(role) >= ROLES.index(needed)
