"""The keys of a configuration file: their types, defaults and limits, and what they mean.

docs/configuration.md is made from them.
"""

from ipaddress import ip_network
from typing import Annotated, Any, Literal

import msgspec

from saastracker.fact_rules import timezones


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """`[server]`: where the server listens and what it takes."""

    host: Annotated[str, msgspec.Meta(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535, description="port to listen on; 0: any free one")] = 8000
    public_url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(https?://[^\s?#]+)?$",
            description="where clients and people reach the server; empty: made from host and port",
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...], msgspec.Meta(description="addresses or networks whose `X-Forwarded-For` is believed")
    ] = ()
    max_body: Annotated[int, msgspec.Meta(ge=1024, description="bytes of a request as received")] = 4 * 1024 * 1024
    max_body_decompressed: Annotated[
        int, msgspec.Meta(ge=1024, description="bytes of a request after `Content-Encoding`")
    ] = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        for proxy in self.trusted_proxies:
            ip_network(proxy, strict=False)

    @property
    def url(self) -> str:
        """The address clients use, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """`[storage]`: the store of events, and that of small facts where it is another."""

    backend: Annotated[
        str, msgspec.Meta(description="the store of events: `sqlite`, `postgres`, `clickhouse`, or a plugin's")
    ] = "sqlite"
    records: Annotated[
        str,
        msgspec.Meta(
            description="the store of projects, keys and other small facts; empty: the backend's own, else `sqlite`"
        ),
    ] = ""


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """`[log]`: how the server logs to stderr."""

    format: Annotated[Literal["text", "json"], msgspec.Meta(description="of the lines on stderr")] = "text"
    level: Annotated[
        Literal["debug", "info", "warning", "error"], msgspec.Meta(description="what is less than this is left out")
    ] = "info"
    slow_seconds: Annotated[
        float,
        msgspec.Meta(ge=0, description="reports that take as long are logged, with their project and span"),
    ] = 1.0


class Ingest(msgspec.Struct, frozen=True, kw_only=True):
    """`[ingest]`: how much may wait for the disk."""

    queue_events: Annotated[
        int,
        msgspec.Meta(ge=1, description="events that may wait for the disk; with more, requests are answered 503"),
    ] = 5000


class Scheduler(msgspec.Struct, frozen=True, kw_only=True):
    """`[scheduler]`: whether this process runs jobs by itself, and by which clock."""

    enabled: Annotated[bool, msgspec.Meta(description="whether jobs run by themselves; if not, only when asked")] = True
    timezone: Annotated[
        str,
        msgspec.Meta(
            description="by which nightly jobs run, such as `Europe/Berlin`; signals are told at 6 o'clock and "
            "digests at 7 in each project's zone"
        ),
    ] = "UTC"

    def __post_init__(self) -> None:
        if self.timezone not in timezones():
            raise ValueError(f"timezone: found {self.timezone!r}; use a name such as Europe/Berlin or UTC")


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """`[[endpoint]]`: one more path on which a format is offered under an auth scheme."""

    path: Annotated[str, msgspec.Meta(pattern=r"^/[^?#\s]*$", description="address below the server's")]
    scheme: Annotated[str, msgspec.Meta(description="the auth scheme by which senders prove who they are")]
    format: Annotated[str, msgspec.Meta(description="the format of the bodies")]


class File(msgspec.Struct, frozen=True, kw_only=True):
    """All keys of a configuration file."""

    plugins: Annotated[
        tuple[str, ...] | None,
        msgspec.Meta(
            description="the plugins that are turned on; one that is not listed is not imported; without this key: "
            "all that come with saastracker, of the stores only those that `[storage]` names"
        ),
    ] = None
    server: Server = Server()
    storage: Storage = Storage()
    log: Log = Log()
    ingest: Ingest = Ingest()
    scheduler: Scheduler = Scheduler()
    endpoint: tuple[Binding, ...] = ()
    plugin: dict[str, Any] = {}  # kept as it is until the plugin reads it
