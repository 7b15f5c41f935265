"""Every way the server says no, with its HTTP status."""


class Refusal(Exception):
    """A request is answered with `status` and one sentence that says what to fix.

    `reason` is the short name under which it is counted, `project` the id of the project that it
    is shown to, where one is known.
    """

    status = 400
    reason = "invalid"

    def __init__(self, detail: str, *, reason: str | None = None, project: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.project = project
        if reason is not None:
            self.reason = reason

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Extra headers of the answer."""
        return ()


class Invalid(Refusal):
    """Malformed JSON, or a field that breaks its rule; `detail` names the field by path."""


class Unauthorized(Refusal):
    """Credentials are missing or wrong."""

    status = 401
    reason = "unauthorized"


class Forbidden(Refusal):
    """Known, but not allowed: an origin that the project does not list, a role too low."""

    status = 403
    reason = "origin"


class NotFound(Refusal):
    """No such project, or none that the caller may know of."""

    status = 404
    reason = "unknown_project"


class MethodNotAllowed(Refusal):
    status = 405
    reason = "method"

    def __init__(self, allow: str) -> None:
        super().__init__(f"Use {allow.split(',', maxsplit=1)[0]}.")
        self.allow = allow

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"allow", self.allow.encode()),)


class RequestTimeout(Refusal):
    """The body did not arrive in time."""

    status = 408
    reason = "timeout"


class Conflict(Refusal):
    """A record changed since the caller read it, or its name is taken."""

    status = 409
    reason = "conflict"


class Stale(Refusal):
    """A record is newer than the version that the caller's change was made for."""

    status = 412
    reason = "stale"


class TooLarge(Refusal):
    status = 413
    reason = "too_large"


class UnsupportedEncoding(Refusal):
    status = 415
    reason = "encoding"


class UnsupportedMedia(Refusal):
    """A body that is not JSON."""

    status = 415
    reason = "media_type"


class VersionMissing(Refusal):
    """A change does not say which version it was made for."""

    status = 428
    reason = "version_missing"


class Later(Refusal):
    """Not now; the same request may be answered after `retry_after` seconds."""

    def __init__(self, detail: str, *, reason: str | None = None, retry_after: int = 2) -> None:
        super().__init__(detail, reason=reason)
        self.retry_after = retry_after

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Pages of other origins may read the one that the other names."""
        wait = str(self.retry_after).encode()
        return ((b"retry-after", wait), (b"access-control-expose-headers", b"Retry-After"))


class TooMany(Later):
    status = 429
    reason = "rate"


class Unavailable(Later):
    """The queue is full or the store refuses to commit; nothing was stored, send again."""

    status = 503
    reason = "unavailable"


class OperatorError(Exception):
    """A mistake the operator can mend; the text is one line that says what to type."""


class TimeLimit(Refusal):
    """A read took longer than its reader allows."""

    status = 503
    reason = "time_limit"
