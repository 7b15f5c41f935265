"""The channel "journal": messages as lines of a file, which other programs watch."""

from pathlib import Path

import msgspec

from saastracker import Invalid, Message, Unavailable


class Journal:
    name = "journal"
    title = "Journal"
    personal = False  # admins say where to: people are not written to

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self, address: str) -> str:
        if not address.isalnum():
            raise Invalid("A journal's name has letters and digits only.")
        return address

    def send(self, message: Message) -> None:
        try:
            with (self._folder / f"{message.to}.ndjson").open("ab") as file:
                file.write(msgspec.json.encode({"subject": message.subject, "items": message.items}) + b"\n")
        except OSError as error:
            raise Unavailable(f"The journal cannot be written: {error.strerror}") from error
