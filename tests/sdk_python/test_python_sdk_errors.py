"""What the Python SDK makes of exceptions and log records, and how the server groups them."""

import json
import logging
import sys
import time
from collections import UserDict
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.issues.grouping import Failure as Read
from saastracker.issues.grouping import failure, key
from saastracker_sdk import Drop, ErrorHandler, Failure, Owlsignal, Saastracker, Usermaven, handler
from saastracker_sdk.encoding import encode
from tests.sdk_python.answering import Turn, answering
from tests.serving import Served


class CardDeclined(Exception):
    pass


def charge(amount: int) -> None:
    raise CardDeclined(f"no {amount} left")


def caught(call: Callable[[], Any]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def read(told: Failure, name: str = "error") -> Read:
    """As the server reads it."""
    return failure(name, encode(told.properties()).decode())


@pytest.fixture
def shop() -> Iterator[logging.Logger]:
    logger = logging.getLogger("shop.orders")
    yield logger
    for each in list(logger.handlers):
        logger.removeHandler(each)
        each.close()


@pytest.fixture
def told(shop: logging.Logger) -> list[Failure]:
    """What a handler on the logger reports."""
    found: list[Failure] = []
    shop.addHandler(ErrorHandler(found.append))
    return found


def test_an_exception_tells_type_message_and_calls() -> None:
    error = read(Failure.of(caught(lambda: charge(5))))
    assert (error.type, error.message) == (f"{__name__}.CardDeclined", "no 5 left")
    assert [frame.function for frame in error.top] == ["charge", "<lambda>", "caught"]
    assert error.title == f"{__name__}.CardDeclined: no 5 left"


def test_the_same_failure_is_one_issue_and_another_call_is_another() -> None:
    five, six = (Failure.of(caught(lambda amount=amount: charge(amount))) for amount in (5, 6))  # type: ignore[misc]
    elsewhere = Failure.of(caught(lambda: int("five")))
    assert key(read(five)) == key(read(six)) != key(read(elsewhere))
    assert elsewhere.type == "ValueError"


def test_a_cause_is_told_and_the_last_exception_is_the_issue() -> None:
    def order() -> None:
        try:
            charge(5)
        except CardDeclined as error:
            raise RuntimeError("the order failed") from error

    told = Failure.of(caught(order))
    assert "no 5 left" in told.stack
    assert (read(told).type, read(told).message) == ("RuntimeError", "the order failed")
    assert read(told).top[0].function == "order"


def deep(depth: int, message: str) -> None:
    if depth:
        (deep if depth % 2 else deeper)(depth - 1, message)
    fail(message)


def fail(message: str) -> None:
    raise RuntimeError(message)


def deeper(depth: int, message: str) -> None:
    deep(depth, message)


@pytest.mark.parametrize(
    "message", ["short", "x" * 100_000, "😀" * 20_000, "\udce9" * 50_000, "\1" * 3_000, "\0" * 9_000], ids=len
)
def test_what_is_long_is_cut_to_what_the_server_takes(message: str) -> None:
    told = Failure.of(caught(lambda: deep(160, message)))  # 240 calls, over 20 KiB of stack
    assert len(encode(told.properties())) < 32 * 1024
    error = read(told)
    assert error.type == "RuntimeError"
    assert [frame.function for frame in error.top] == ["fail", "deep", "deeper"]
    assert "in caught" not in told.stack
    assert error.message[:5] == {"\udce9": "?????", "\0": "\ufffd" * 5}.get(message[0], message[:5])


@given(st.text(max_size=10_000))
def test_no_text_is_too_much(text: str) -> None:
    told = Failure.of(RuntimeError(text))
    assert len(encode({"data": told.properties()})) < 32 * 1024 + 20


def test_an_exception_that_cannot_be_told() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    assert Failure.of(Broken()).message == ""


def test_records(shop: logging.Logger, told: list[Failure]) -> None:
    shop.warning("not an error")
    shop.error("User %s has no cart %d", "ada", 5)
    shop.error("User %s has no cart %d", "eve", 6)
    shop.error("No cart at all")
    try:
        charge(5)
    except CardDeclined:
        shop.exception("Charging failed")
    first, second, plain, raised = (read(each) for each in told)
    assert (first.type, first.message) == ("shop.orders", "User ada has no cart 5")
    assert key(first) == key(second) != key(plain)
    assert plain.top[0].function == "test_records"
    assert (raised.type, raised.message) == (f"{__name__}.CardDeclined", "no 5 left")
    assert raised.top[0].function == "charge"


def test_a_minute_has_its_limit_and_what_is_left_out_is_logged(
    shop: logging.Logger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Failure] = []
    shop.addHandler(ErrorHandler(sent.append, per_minute=3))
    for number in range(10):
        shop.error("%d", number)
    monkeypatch.setattr(handler, "MINUTE", 0.0)
    shop.error("the next minute")
    assert [each.message for each in sent] == ["0", "1", "2", "the next minute"]
    assert [record.getMessage() for record in caplog.records if record.name == "saastracker_sdk"] == [
        "More than 3 errors within a minute: the rest of it is not sent",
        "Errors that were not sent: 7",
    ]


def test_a_level_may_be_named(shop: logging.Logger) -> None:
    sent: list[Failure] = []
    shop.addHandler(ErrorHandler(sent.append, "WARNING"))
    shop.warning("low")
    shop.info("lower")
    assert [each.message for each in sent] == ["low"]


def test_a_report_that_fails_does_not_harm_the_program(shop: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[logging.LogRecord] = []

    def report(told: Failure) -> None:
        shop.error("within the report")
        raise RuntimeError("no report")

    reporting = ErrorHandler(report)
    monkeypatch.setattr(reporting, "handleError", failed.append)
    shop.addHandler(reporting)
    shop.error("once")
    assert [record.getMessage() for record in failed] == ["once"]


def test_errors_of_its_own_never_come_back(caplog: pytest.LogCaptureFixture) -> None:
    """The server refuses all, the program logs every drop as an error, and all loggers lead to the handler."""

    def on_drop(drop: Drop) -> None:
        logging.getLogger("shop").error("Dropped: %s", drop.detail)
        raise RuntimeError("and fails")

    root = logging.getLogger()
    with answering(*[Turn(400)] * 50) as script:
        client = Usermaven(script.url, api_key="key", interval=0, queue_max=2, on_drop=on_drop)
        reporting = ErrorHandler(lambda told: client.track_error(told, user="ada"), logging.DEBUG)
        root.addHandler(reporting)
        try:
            logging.getLogger("shop").error("the only one")
            assert client.flush(5)
            client.track("a", user="ada")
            assert client.flush(5)
            client.close()
        finally:
            root.removeHandler(reporting)
    assert script.names == ["error", "a"]
    assert "Dropped: 400: " in "".join(caplog.messages)


class Unreadable(UserDict[str, Any]):
    def __len__(self) -> int:
        raise RuntimeError("neither now")

    def __repr__(self) -> str:
        raise RuntimeError("nor now")


@pytest.mark.parametrize(
    ("beside", "told"),
    [(None, {}), ({"a": 1}, {"a": 1}), (5, {"properties": "5"}), (Unreadable(), {"properties": "<Unreadable>"})],
)
def test_an_error_is_told_whatever_lies_beside(beside: Any, told: dict[str, Any]) -> None:
    with answering(Turn()) as script:
        client = Usermaven(script.url, api_key="key", interval=0)
        client.track_error(Failure("T", "m"), user="ada", attributes=beside)
        client.close()
    [[event]] = (json.loads(asked.body) for asked in script.asked)
    assert event["event_attributes"] == {**told, "type": "T", "message": "m"}


def test_every_format_makes_it_an_error_of_one_issue(served: Served) -> None:
    arrivals = served.arrivals("Session:Start", "Session:End")
    secret: Any = served.keys["hmac"]
    token: Any = served.keys["query-token"]
    error = caught(lambda: charge(5))
    with Saastracker(served.url, **secret) as signed:
        signed.track_error(error, user="ada", org="acme", properties={"order": 3})
    with Usermaven(served.url, **token) as people:
        people.track_error(error, user="ada", company="acme", attributes={"order": 3})
    with Owlsignal(served.url, key=served.keys["bearer"]["key"], build_version="1", player="ada") as game:
        game.track_error(error, data={"order": 3})
    events = arrivals(3)
    assert {event["type"] for event in events} == {"error"}
    assert all(event["properties"]["order"] == 3 for event in events)
    read = [failure(event["name"], json.dumps(event["properties"])) for event in events]
    assert len({key(each) for each in read}) == 1
    assert read[0].top[0].function == "charge"


def test_it_is_there_on_the_page_of_errors(served: Served) -> None:
    secret: Any = served.keys["hmac"]
    logger = logging.getLogger("shop.page")
    with Saastracker(served.url, **secret) as client:
        reporting = ErrorHandler(lambda told: client.track_error(told, user="ada", org="acme"))
        logger.addHandler(reporting)
        logger.error("Cart %d is empty", sys.maxsize)
        logger.removeHandler(reporting)
    url = f"{served.url}/p/{served.slug}/errors.json"
    for _ in range(100):
        answer = httpx.get(url, headers={"Authorization": f"Bearer {served.token}"}).raise_for_status().json()
        [issues] = [block for block in answer["blocks"] if block["key"] == "issues"]
        titles = [row[1] for row in issues["rows"]]
        if f"shop.page: Cart {sys.maxsize} is empty" in titles:
            return
        time.sleep(0.1)
    raise AssertionError(titles)
