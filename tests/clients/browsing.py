"""Customers' pages in a real Chromium: a site on another origin than the server, and visits to it."""

import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, ConsoleMessage, Request

SETTLE_SECONDS = 10
QUEUES_EMPTY = """
    !Object.entries(localStorage).some(([key, value]) => key.includes("queue") && value.includes("event_type"))
"""


class Site:
    """A customer's site on `http://localhost`; every address shows the page set last."""

    def __init__(self, scripts: Mapping[str, Path]) -> None:
        """`scripts` are served under their names."""
        self.page = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                script = scripts.get(path)
                kind = "text/html" if script is None else "text/javascript"
                text = f'<!doctype html><link rel="icon" href="data:,"><title>Shop</title><body>{site.page}</body>'
                body = text.encode() if script is None else script.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://localhost:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Visit:
    """One visitor of a site, with all that went to the server at `server_url`."""

    def __init__(self, browser: Browser, server_url: str) -> None:
        self._context = browser.new_context()
        self.page = self._context.new_page()
        self.page.set_default_timeout(SETTLE_SECONDS * 1000)
        self.sent: list[Request] = []
        self.statuses: list[int] = []
        self.preflights: list[int] = []
        self.complaints: list[str] = []  # of the browser: errors on the console, in scripts, of requests
        self._server_url = server_url
        self._open: set[Request] = set()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("requestfinished", self._finished)
        self.page.on("requestfailed", self._failed)
        protocol = self._context.new_cdp_session(self.page)  # Playwright itself hides preflights
        protocol.on("Network.responseReceived", self._received)
        protocol.send("Network.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.set_offline(True)  # what a closing page still sends would be the next test's
        self._context.close()

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie["name"]: cookie["value"] for cookie in self._context.cookies()}

    def settle(self) -> None:
        """Wait until every request, the first preflight too, has ended and no SDK keeps an event in its queue."""
        self.page.wait_for_function(QUEUES_EMPTY)
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._open or not self.preflights:  # another process of the browser reports those, maybe later
            assert time.monotonic() < deadline, f"not answered: {self._open or 'a preflight'}"
            self.page.wait_for_timeout(20)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        self._open.add(request)
        if request.url.startswith(self._server_url):
            self.sent.append(request)

    def _finished(self, request: Request) -> None:
        self._open.discard(request)

    def _failed(self, request: Request) -> None:
        self._open.discard(request)
        self.complaints.append(f"{request.method} {request.url}: {request.failure}")

    def _received(self, message: dict[str, Any]) -> None:
        if message["response"]["url"].startswith(self._server_url):
            statuses = self.preflights if message["type"] == "Preflight" else self.statuses
            statuses.append(message["response"]["status"])
