"""A client of a server that answers by a script."""

from typing import Any

from saastracker_sdk import Drop, Usermaven
from tests.sdk_python.answering import Script

KEY: Any = {"api_key": "key", "server_token": "token"}


class Sending:
    """A client of a scripted server, with what it dropped; events wait until a flush unless told."""

    def __init__(self, script: Script, interval: float = 60, **options: Any) -> None:
        self.drops: list[Drop] = []
        self.client = Usermaven(script.url, **KEY, interval=interval, on_drop=self.drops.append, **options)

    def track(self, *names: str) -> None:
        for name in names:
            self.client.track(name, user="ada")

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(drop.reason, drop.detail) for drop in self.drops]
