"""The fast path: from an HTTP request to events on disk and the answer."""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network

import msgspec
from litestar.types import HTTPScope, Receive, Send

from saastracker.bindings import Bound
from saastracker.bodies import Bodies, Disconnected, Headers, coding
from saastracker.contracts import Refused, Store, Submission
from saastracker.enriching import enrich
from saastracker.errors import Invalid, MethodNotAllowed, Refusal, TooMany, Unauthorized, Unavailable
from saastracker.limits import Limits
from saastracker.metrics import Metrics
from saastracker.quota import OVER_BUDGET
from saastracker.wire import Credential, Decoded, Enricher, Outcome, Project, Reply, Request, WireFormat
from saastracker.writer import Writer

log = logging.getLogger("saastracker.ingest")

IDEMPOTENCY_KEY_MAX = 255  # characters
ADDED_BYTES = 1024  # what an event takes in memory beside its body, roughly

_FAILED = Reply(500, b'{"detail":"The server failed; its log says why."}')

Header = tuple[bytes, bytes]


class Ingest:
    """Answers ingest requests; 2xx only once their events are on disk."""

    def __init__(
        self,
        writer: Writer,
        store: Store,
        *,
        enrichers: Sequence[Enricher],
        metrics: Metrics,
        bodies: Bodies,
        trusted_proxies: Sequence[str],
        used: Callable[[Credential, int], None],
    ) -> None:
        """`used` is told of each key that a request proved, and when; it must be quick."""
        self._writer = writer
        self._store = store
        self._enrichers = tuple(enrichers)
        self._metrics = metrics
        self._bodies = bodies
        self._used = used
        self._limits = Limits()
        self._trusted = tuple(ip_network(proxy, strict=False) for proxy in trusted_proxies)

    async def __call__(self, route: Bound, scope: HTTPScope, receive: Receive, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        project: Project | None = None
        extra: tuple[Header, ...] = ()
        try:
            if scope["method"] != "POST":
                if scope["method"] == "OPTIONS" and route.format.cors:
                    await _send(send, Reply(204, b""), _preflight(headers))
                    return
                raise MethodNotAllowed("POST, OPTIONS" if route.format.cors else "POST")
            raw = await self._bodies.read(receive, headers)
            body: bytes | Refusal = raw
            if b"content-encoding" in headers:
                body = await self._bodies.unpack(raw, coding(headers))
            request = Request(
                method="POST",
                path=scope["path"],
                query_string=scope["query_string"],
                headers=headers,
                raw=raw,
                body=b"" if isinstance(body, Refusal) else body,
                received_at=time.time_ns() // 1_000_000,
                address=None if route.format.sender == "server" else self.address(scope, headers),
            )
            credential = route.scheme.authenticate(request)
            if credential is None:
                raise Unauthorized(f"Send the credentials of the scheme {route.scheme.name}.")
            project = credential.project
            self._used(credential, request.received_at)
            if credential.rate is not None:
                self._hold_back(credential, credential.rate, route.format)
            if isinstance(body, Refusal):
                raise body
            reply = await self._take(route.format, request, project)
        except Refusal as refusal:
            reply, extra = self._refused(route, refusal, project)
        except Disconnected:
            return
        except Exception:
            log.exception("A request to %s failed", route.path)
            reply = _FAILED
        if route.format.cors:
            extra += _cors(headers)
        self._metrics.answered(route.format.name, reply.status)
        await _send(send, reply, extra)

    def _hold_back(self, credential: Credential, rate: int, wire: WireFormat) -> None:
        """Raises TooMany or Unavailable for a key that sends faster than it may."""
        wait = self._limits.take(credential.key, rate, time.monotonic())
        if wait:
            error = TooMany if wire.too_fast == 429 else Unavailable
            detail = f"Requests a second that this key may send: {rate}. Nothing was stored; send again later."
            raise error(detail, reason="rate_limit", retry_after=math.ceil(wait))

    async def _take(self, wire: WireFormat, request: Request, project: Project) -> Reply:
        """Decode, enrich, store; the answer."""
        key = _idempotency(request, project)
        try:
            decoded = wire.decode(request, project)
        except Refusal:
            if key is not None and (answer := self._store.answer(key)) is not None:
                return answer  # a repeat gets the first answer, also when its body differs
            raise
        reply = wire.reply(Outcome(len(decoded.events), decoded.rejected))
        events, dropped = enrich(self._enrichers, decoded.events, project, wire.sender, request.address)
        if events or key is not None:
            submission = Submission(project, events, request.received_at, reply, key, wire.over_budget)
            await self._writer.submit(submission, len(request.body) + ADDED_BYTES * len(events))
            if submission.dropped:
                return self._dropped(wire, decoded, submission, request)
            if submission.reply is not reply:
                return submission.reply  # a repeat: what it says was counted with the first
        for rejected in decoded.rejected:
            self._note(project.id, rejected.reason, rejected.detail, request.path, request.received_at)
        for event in dropped:
            self._note(project.id, event.drop or "", event.name, request.path, request.received_at)
        return reply

    def _dropped(self, wire: WireFormat, decoded: Decoded, submission: Submission, request: Request) -> Reply:
        """The answer to a request that found its workspace's budget used up."""
        key, project, count = submission.idempotency, submission.project.id, len(submission.events)
        if key is not None and (answer := self._store.answer(key)) is not None:
            return answer  # its first attempt was stored
        self._metrics.rejected.labels(OVER_BUDGET).inc(count)
        detail = f"Events over the month's budget: {count}"
        self._writer.refuse(Refused(project, request.received_at, OVER_BUDGET, detail, request.path[:255]), count)
        return wire.reply(Outcome(0, decoded.rejected, len(decoded.events)))

    def address(self, scope: HTTPScope, headers: Headers) -> str | None:
        """The client's address: the connection's, or what the nearest untrusted hop saw."""
        client = scope["client"]
        if client is None:
            return None
        address = client[0]
        forwarded = headers.get(b"x-forwarded-for")
        if not self._trusted or forwarded is None or not self._is_trusted(address):
            return address
        for hop in reversed(forwarded.decode("latin-1").split(",")):
            address = hop.strip()
            if not self._is_trusted(address):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address):  # what a socket for both families calls an IPv4 peer
            parsed = parsed.ipv4_mapped or parsed
        return any(parsed in network for network in self._trusted)

    def _refused(self, route: Bound, refusal: Refusal, project: Project | None) -> tuple[Reply, tuple[Header, ...]]:
        known = project.id if project is not None else refusal.project
        if known is None:
            self._metrics.rejected.labels(refusal.reason).inc()
        else:
            self._note(known, refusal.reason, refusal.detail, route.path, time.time_ns() // 1_000_000)
        return Reply(refusal.status, msgspec.json.encode({"detail": refusal.detail})), refusal.headers

    def _note(self, project: str, reason: str, detail: str, path: str, at: int) -> None:
        self._metrics.rejected.labels(reason).inc()
        self._writer.refuse(Refused(project, at, reason, detail[:500], path[:255]))


def _idempotency(request: Request, project: Project) -> bytes | None:
    key = request.headers.get(b"idempotency-key")
    if not key:
        return None
    if len(key) > IDEMPOTENCY_KEY_MAX:
        raise Invalid(f"Idempotency-Key: at most {IDEMPOTENCY_KEY_MAX} characters.")
    return hashlib.blake2b(project.id.encode() + b"\x00" + key, digest_size=16).digest()


def _preflight(headers: Headers) -> tuple[Header, ...]:
    asked = headers.get(b"access-control-request-headers", b"content-type")[:1024]
    return (
        *_cors(headers),
        (b"access-control-allow-methods", b"POST, OPTIONS"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", b"86400"),
    )


def _cors(headers: Headers) -> tuple[Header, ...]:
    """The origin echoed: a bare `*` makes `sendBeacon` with credentials fail without a word."""
    origin = headers.get(b"origin")
    vary = (b"vary", b"Origin")
    if origin is None:
        return (vary,)
    return ((b"access-control-allow-origin", origin), (b"access-control-allow-credentials", b"true"), vary)


async def _send(send: Send, reply: Reply, extra: tuple[Header, ...]) -> None:
    headers: list[Header] = list(extra)
    if reply.status != 204:
        headers += (
            (b"content-type", b"application/json"),
            (b"content-length", str(len(reply.body)).encode()),
        )
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
