import re
from dataclasses import replace

import pytest

from saastracker.contracts import Reader, ReportPage
from saastracker.errors import TimeLimit
from saastracker.report import Report
from saastracker.scope import Scope

from .conftest import Running

LOOPBACK = ("127.0.0.1", 5)


@pytest.mark.parametrize(
    "path", ["/login", "/healthz", "/nothing", "/p/shop/stream.json", "/p/shop/stream", "/robots.txt"]
)
def test_security_headers_are_on_everything(running: Running, path: str) -> None:
    headers = running.get(path, headers={"accept": "text/html"}).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "cache-control" in headers


def test_people_get_pages_and_programs_problem_details(running: Running) -> None:
    page = running.get("/nothing", headers={"accept": "text/html,*/*"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page." in page.text
    problem = running.get("/nothing")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json() == {
        "type": "about:blank",
        "title": "Nothing here",
        "status": 404,
        "detail": "There is no such page.",
    }


def test_a_wrong_method_is_405_with_those_allowed(running: Running) -> None:
    answer = running.request("DELETE", "/login")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].replace(" ", "").split(",")) >= {"GET", "POST"}


def test_a_fault_is_logged_and_shows_no_traceback(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    def fail(reader: Reader, scope: Scope) -> Report:
        raise RuntimeError("inside")

    page = ReportPage(slug="broken", title="Broken", section="Overview", load=fail)
    broken = replace(running, site=replace(running.site, reports={"broken": page}))
    token = running.token()
    for path, accept in (("", "text/html"), ("", "*/*"), (".json", "text/html")):
        answer = broken.get(f"/p/shop/broken{path}", token=token, headers={"accept": accept})
        assert answer.status_code == 500
        assert "inside" not in answer.text
        assert "Traceback" not in answer.text
        again = '<a class="btn main" href="/p/shop/broken">Try again</a>' in answer.text
        assert again == ((path, accept) == ("", "text/html"))
    assert "RuntimeError: inside" in caplog.text
    assert token not in caplog.text


def test_a_report_that_takes_too_long_says_so(running: Running) -> None:
    def wait(reader: Reader, scope: Scope) -> Report:
        raise TimeLimit("The report took longer than 30 seconds. Ask for a shorter span.")

    page = ReportPage(slug="slow", title="Slow", section="Web", load=wait)
    slow = replace(running, site=replace(running.site, reports={"slow": page}))
    answer = slow.get("/p/shop/slow", token=running.token(), headers={"accept": "text/html"})
    assert answer.status_code == 503
    assert "shorter span" in answer.text


def test_healthy_and_ready(running: Running) -> None:
    assert running.get("/healthz").status_code == 200
    assert running.get("/readyz").json() == {"ready": True}
    running.state.update(ready=False, store="disk full")
    answer = running.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "store": "disk full"}


def test_metrics_are_for_the_machine_itself_or_an_admin(running: Running) -> None:
    for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert running.get("/metrics", client=LOOPBACK, headers={"host": host}).text == "events_total 1\n"
    for client, headers in (
        (("203.0.113.9", 5), {"host": "localhost"}),
        (LOOPBACK, {"host": "localhost", "x-forwarded-for": "203.0.113.9"}),
        (LOOPBACK, {"host": "localhost", "x-forwarded-proto": "https"}),
        (LOOPBACK, {"host": "rebound.example"}),
        (LOOPBACK, {"host": "["}),
    ):
        assert running.get("/metrics", client=client, headers=headers).status_code == 401
    assert running.get("/metrics", token=running.token("read")).status_code == 403
    assert running.get("/metrics", token=running.token("admin")).status_code == 200
    assert running.get("/metrics", token=running.token("admin", project=running.game)).status_code == 403


def test_static_files_are_kept_for_as_long_as_their_content(running: Running) -> None:
    page = running.get("/login").text
    [style] = re.findall(r'href="(/static/[^"]+/style\.css)"', page)
    answer = running.get(style)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
    assert running.get("/static/old/style.css").headers["cache-control"] == "no-store"
    assert running.get("/static/x/nothing.css").status_code == 404
    assert running.get("/static/x/..%2Fapp.py").status_code == 404
    assert running.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert "Disallow: /" in running.get("/robots.txt").text


def test_head_is_answered_wherever_get_is(running: Running) -> None:
    token = running.token()
    for path in ("/healthz", "/login", "/p/shop/stream", "/p/shop/stream.json"):
        assert running.request("HEAD", path, token=token).status_code == 200
    assert running.request("HEAD", "/p/shop/stream.events", token=token).status_code == 405


def test_large_answers_are_packed_for_those_who_take_it(running: Running) -> None:
    token = running.token()

    def length(path: str, coding: str) -> tuple[str | None, int]:
        answer = running.get(path, token=token, headers={"accept-encoding": coding})
        assert answer.headers["vary"] == "Cookie, Authorization, Accept-Encoding"
        assert "</html>" in answer.text or path != "/p/shop/stream"
        return answer.headers.get("content-encoding"), int(answer.headers["content-length"])

    packed, plain = length("/p/shop/stream", "br, gzip"), length("/p/shop/stream", "gzip;q=0, br")
    assert (packed[0], plain[0]) == ("gzip", None)
    assert packed[1] < plain[1] / 2
    assert len({length("/p/shop/stream", "gzip") for _ in range(20)}) > 1  # by bytes that say nothing
    assert length("/p/shop/stream.json", "gzip")[0] is None  # too short
