"""Who sent an event: its user, or what became of its anonymous id."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from saastracker.contracts import Reader

if TYPE_CHECKING:  # numpy takes 13 MB, which a server is spared until there are events
    from saastracker.actors import Actors


class Person(NamedTuple):
    anonymous: bool  # whether `id` is an anonymous id, that no user has
    id: str


Joining: TypeAlias = Callable[[str | None, str | None], Person | None]


def joining(reader: Reader, actors: "Actors") -> Joining:
    """Makes the person of an event's `user` and `anonymous`; None for neither."""
    users: dict[str, str] | None = None

    def person(user: str | None, anonymous: str | None) -> Person | None:
        nonlocal users
        if user is None and anonymous is not None:
            if users is None:  # with all their texts, which few reports need
                users = aliases(reader, actors)
            user = users.get(anonymous)
            if user is None:
                return Person(True, anonymous)
        return None if user is None else Person(False, user)

    return person


def aliases(reader: Reader, actors: "Actors") -> dict[str, str]:
    """The user of each anonymous id that has one."""
    codes = actors.aliases
    texts = reader.texts([*codes.keys(), *codes.values()])
    return {texts[anonymous]: texts[user] for anonymous, user in codes.items()}
