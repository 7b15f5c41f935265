"""Pages that load the SDK or the tag, and what is in the store of their origin."""

import json
from typing import Any

from playwright.sync_api import Page

from tests.sdk_python.answering import Asked

SCRIPTS = {"/owlsignal.js": "owlsignal.global.js", "/tag.js": "tag.global.js"}
WAITING = "Object.keys(localStorage).filter((key) => key.includes(':owlsignal:') && !key.includes(':lease:')).length"

HIDE = """
    Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
"""


def game(url: str, key: str = "pk_test", **options: Any) -> str:
    """The body of a page that has initialized the client."""
    given = {"apiKey": key, "buildVersion": "1.4.0", "endpointUrl": f"{url}/api/v1/events", **options}
    return f'<script src="/owlsignal.js"></script><script>OwlsignalClient.Initialize({json.dumps(given)})</script>'


def call(page: Page, method: str, *arguments: Any) -> None:
    """Call a method of the client, with values that JSON has."""
    page.evaluate("([method, given]) => OwlsignalClient[method](...given)", [method, arguments])


def design(page: Page, *names: str) -> None:
    for name in names:
        call(page, "TrackDesign", name)


def later(page: Page, seconds: float = 31) -> None:
    """Let time pass for a page whose clock was installed."""
    page.clock.run_for(round(seconds * 1000))


def emptied(page: Page) -> None:
    page.wait_for_function(f"{WAITING} === 0")


def failed(page: Page) -> None:
    """Wait until a batch is to be sent again."""
    page.wait_for_function("Object.values(localStorage).some((text) => text.startsWith('0|'))")


def until(page: Page, condition: str) -> None:
    """Let time pass, in steps in which the server can answer, until a condition holds."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        later(page, 3)
        page.wait_for_timeout(20)
    raise AssertionError(f"It never came true: {condition}")


def names(asked: Asked) -> list[str]:
    """Of the events of a batch; those of sessions are left out."""
    return [event["name"] for event in json.loads(asked.body)["events"] if event["type"] != "session"]
