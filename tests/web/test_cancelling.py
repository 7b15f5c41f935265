"""A report ends when nobody waits for it any more."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from saastracker.contracts import Reader, ReportPage
from saastracker.report import Report
from saastracker.scope import Scope
from tests.web.conftest import Running

ENDLESS = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


def test_a_report_ends_when_its_client_goes(running: Running) -> None:
    ended: list[BaseException] = []

    def load(reader: Reader, scope: Scope) -> Report:
        try:
            reader.query(ENDLESS)
        except Exception as error:
            ended.append(error)
            raise
        raise AssertionError

    page = ReportPage(slug="endless", title="Endless", section="Overview", load=load)
    running = replace(running, site=replace(running.site, reports={"endless": page}))
    token = running.token("read")
    messages: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.sleep(0.2)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/p/shop/endless.json",
        "raw_path": b"/p/shop/endless.json",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode()), (b"host", b"127.0.0.1")],
        "client": ("203.0.113.9", 4000),
        "server": ("127.0.0.1", 80),
    }
    started = time.monotonic()
    asyncio.run(running.web(scope, receive, send))  # type: ignore[arg-type]
    assert ended
    assert time.monotonic() - started < 20  # a reader's own limit is 30 s
