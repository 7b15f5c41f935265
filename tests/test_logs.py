"""Logs go to stderr, a line for each record."""

import json
import logging
from collections.abc import Iterator

import pytest

from saastracker import logs


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    logging.getLogger("saastracker.writer").info("The store writes again")
    logging.getLogger("saastracker.writer").debug("not this")
    [line] = capsys.readouterr().err.splitlines()
    time, rest = line.split(" ", 1)
    assert rest == "INFO saastracker.writer: The store writes again"
    assert time.endswith("Z")


def test_what_a_client_sent_makes_no_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    logging.getLogger("saastracker").info("The host %s cannot be found", "a\r\n2026-11-20T14:31:05Z ERROR b")
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(r"The host a\r\n2026-11-20T14:31:05Z ERROR b cannot be found")


def test_json_with_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "warning")
    try:
        raise ValueError("bad\nvalue")
    except ValueError:
        logging.getLogger("saastracker").exception("It failed")
    [line] = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert record["level"] == "error"
    assert record["logger"] == "saastracker"
    assert record["message"] == "It failed"
    assert "ValueError: bad\nvalue" in record["exception"]
    assert record["time"] > 1_700_000_000_000
