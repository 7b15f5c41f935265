"""One HTTP connection that is kept open between requests."""

import http.client
import json
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

ANSWER_MAX = 1024 * 1024  # bytes that are read

# How a server, or a proxy, closes a connection that was idle: what was sent on it was not read.
_GONE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class Answer(NamedTuple):
    status: int
    body: bytes
    retry_after: str = ""  # headers, empty where they are not sent
    date: str = ""
    location: str = ""

    @property
    def fields(self) -> dict[str, Any] | None:
        """The JSON object that it is; None for anything else, which no saastracker server sent."""
        try:
            read = json.loads(self.body)
        except ValueError:
            return None
        return read if isinstance(read, dict) else None

    @property
    def told(self) -> str:
        """What a refusal says, in a line."""
        fields = self.fields
        said = self.location or "not the answer of a saastracker server" if fields is None else fields.get("detail", "")
        return f"{self.status}: {said}"


def check_url(url: str) -> SplitResult:
    """A server's address in parts. Raises ValueError that says what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ValueError(f"url: {url!r} is not an address such as https://stats.example.com")
    _ = parts.port  # raises ValueError for one that is no number
    return parts


class Connection:
    """To one server, by the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, if any."""

    def __init__(self, url: str, timeout: float) -> None:
        self._parts = check_url(url)
        self._timeout = timeout
        self._http: http.client.HTTPConnection | None = None
        self._prefix = self._parts.path.rstrip("/")
        self._headers: dict[str, str] = {}

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises OSError or HTTPException if there is no answer."""
        kept_open = self._http is not None
        try:
            return self._post(path, body, headers)
        except _GONE:
            self.close()
            if not kept_open:
                raise
            return self.post(path, body, headers)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self._http is None:
            self._http = self._open()
        self._http.request("POST", self._prefix + path, body, {**self._headers, **headers})
        with self._http.getresponse() as response:
            names = ("Retry-After", "Date", "Location")
            said = [response.headers.get(name, "") for name in names]
            answer = Answer(response.status, response.read(ANSWER_MAX), *said)
            if response.read(1):
                self.close()  # the rest would be taken for the next answer
        return answer

    def _open(self) -> http.client.HTTPConnection:
        parts = self._parts
        host, port = parts.hostname or "", parts.port
        proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(parts.scheme)
        through = urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
        to, at = (through.hostname or "", through.port or 80) if through else (host, port)
        if parts.scheme == "http":
            opened = http.client.HTTPConnection(to, at, timeout=self._timeout)
        else:
            opened = http.client.HTTPSConnection(to, at, timeout=self._timeout, context=ssl.create_default_context())
        if through:
            login = f"{unquote(through.username or '')}:{unquote(through.password or '')}"
            identified = {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login != ":" else {}
            if parts.scheme == "https":
                opened.set_tunnel(host, port, identified)
            else:  # a proxy is asked for the whole address
                self._prefix = f"http://{parts.netloc}{parts.path.rstrip('/')}"
                self._headers = {**identified, "Host": parts.netloc}
        return opened
