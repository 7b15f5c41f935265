"""Issues: what goes wrong in a demo product, where, and in which releases."""

from random import Random

import msgspec


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """An error with its chance to happen in a release that has it."""

    scene: str  # the part of the product
    message: str  # {number} differs every time
    stack: str
    chance: float
    type: str | None = None
    signature: str | None = None  # None: the client sends none
    releases: tuple[str, ...] = ()  # empty: all

    def happens(self, random: Random, release: str) -> bool:
        return random.random() < self.chance and (not self.releases or release in self.releases)

    def properties(self, random: Random) -> str:
        """What the client sends of it."""
        sent = {
            "type": self.type,
            "message": self.message.format(number=random.randint(1000, 9999)),
            "stack": self.stack,
            "signature": self.signature,
            "scene": self.scene,
        }
        return msgspec.json.encode({key: text for key, text in sent.items() if text}).decode()
