"""The client of the format `owlsignal`: the telemetry of one player's session of a game or program."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict, Unpack
from uuid import UUID, uuid4

from saastracker_sdk.client import Client
from saastracker_sdk.encoding import hashed, iso
from saastracker_sdk.failure import Failure
from saastracker_sdk.options import Options
from saastracker_sdk.wire import NotStored, Wire, rejections

PATH = "/api/v1/events"
START, END = "Session:Start", "Session:End"

Data: TypeAlias = Mapping[str, str | float | bool | None]
Kind: TypeAlias = Literal["progression", "design", "resource", "error", "session"]


class About(TypedDict, total=False):
    """What may be said of an event; `time` is now unless given."""

    value: float
    dim01: str
    dim02: str
    dim03: str
    data: Data
    time: datetime | None


class _Batch(Wire):
    batch_max = 100

    def __init__(self, key: str) -> None:
        self._key = key

    def body(self, events: Sequence[bytes]) -> bytes:
        return b'{"events":[' + b",".join(events) + b"]}"

    def headers(self, body: bytes) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    def not_stored(self, answer: Mapping[str, Any], count: int) -> Iterator[NotStored]:
        if answer.get("reason") == "tier_limit":
            yield NotStored("over_budget", "The month's budget is used up.", range(count))
        else:
            yield from rejections(answer.get("errors"), count)


class Owlsignal(Client):
    """The first event is preceded by `Session:Start`, closing sends `Session:End`."""

    def __init__(
        self,
        url: str,
        *,
        key: str,
        build_version: str,
        player: str,
        session: UUID | str | None = None,
        **options: Unpack[Options],
    ) -> None:
        """The key of the auth scheme `bearer`. `player` is any stable id; it is hashed before it leaves the program,
        unless it is a hash of 64 hexadecimal digits already."""
        if not key:
            raise ValueError("key: the key that was shown, pk_live_…")
        self._build = build_version
        self._player = hashed(player)
        self._session = str(UUID(str(session or uuid4())))
        self._started = False
        self._opted_out = False
        super().__init__(url, _Batch(key), **options)

    def identify(self, player: str) -> None:
        """Events from now on are this player's, of the same session."""
        self._player = player

    def opt_out(self, opted_out: bool = True) -> None:
        """The player does not want telemetry: what is tracked from now on is forgotten at once."""
        self._opted_out = opted_out

    def track_progression(self, name: str, **about: Unpack[About]) -> None:
        """A step of the game, such as `Complete:Tutorial`."""
        self._track("progression", name, **about)

    def track_design(self, name: str, **about: Unpack[About]) -> None:
        """Any moment of interest, such as `CTA:Clicked`."""
        self._track("design", name, **about)

    def track_resource(self, name: str, **about: Unpack[About]) -> None:
        """What was gained or spent, such as `Source:Coins`, by `value`."""
        self._track("resource", name, **about)

    def track_error(
        self, error: Failure | BaseException, *, scene: str | None = None, data: Data | None = None
    ) -> None:
        failure = Failure.of(error)
        told = failure.properties(data)
        if scene:
            told["scene"] = scene
        self._track("error", failure.type or "error", data=told)

    def _track(self, kind: Kind, name: str, **about: Unpack[About]) -> None:
        if self._opted_out:
            return
        if not self._started and kind != "session":
            self._started = True
            self._track("session", START, time=about.get("time"))
        self._put(
            PATH,
            lambda: {
                "build_version": self._build,
                "session_id": self._session,
                "player_hash": hashed(self._player),
                "type": kind,
                "name": name,
                **about,
                "time": None,
                "ts": iso(about.get("time")),
            },
        )

    def _farewell(self) -> None:
        if self._started:
            self._started = False
            self._track("session", END)

    def after_fork(self) -> None:
        """The session goes on in the parent; the child has one of its own."""
        super().after_fork()
        self._session = str(uuid4())
        self._started = False
