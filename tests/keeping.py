"""A channel that keeps messages."""

from dataclasses import dataclass, field

from saastracker.channel import Message


@dataclass
class Keeper:
    """Keeps messages, or fails as told."""

    name: str = "post"
    title: str = "Post"
    personal: bool = True
    sent: list[Message] = field(default_factory=list)
    failure: BaseException | None = None

    def check(self, address: str) -> str:
        return address.lower()

    def send(self, message: Message) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append(message)
