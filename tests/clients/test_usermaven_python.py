"""PyPI usermaven, unchanged: each script is what a customer's backend runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import Served, columns

CLIENT = """
import sys
from usermaven.client import Client

host, api_key, server_token = sys.argv[1:]
failures = []
client = Client(
    api_key, server_token, host, on_error=lambda error, batch: failures.append(error), {options}
)
user = {{"id": 12, "email": "Jane@Example.com", "created_at": "2021-01-20T09:55:35", "custom": {{"plan": "pro"}}}}
company = {{"id": "acme", "name": "Acme", "created_at": "2022-02-15T17:25:08", "custom": {{"seats": 5}}}}
{calls}
"""
JOURNEY = """
client.identify(user, company)
client.track(12, "plan_upgraded", company, {"amount": 100, "currency": "USD"})
client.track("guest", "signed_out")
"""
BATCHES = """
for number in range(25):
    client.track("batch", "numbered", event_attributes={"number": number})
"""
END = """
client.shutdown()
assert not failures, failures
"""


def run(served: Served, folder: Path, options: str, calls: str, **keys: str) -> str:
    """What the script writes to standard error, which is what the client logs."""
    own = served.keys["query-token"] | keys
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CLIENT.format(options=options, calls=calls),
            served.url,
            own["api_key"],
            own["server_token"],
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("options", "end"), [("sync_mode=True", ""), ("flush_interval=0.1", END)], ids=["sync", "async"]
)
def test_identify_and_track(options: str, end: str, served: Served, tmp_path: Path) -> None:
    arrivals = served.arrivals()
    assert run(served, tmp_path, options, JOURNEY + end) == ""
    events = arrivals(3)
    assert columns(events, "name", "type", "user", "anonymous_id", "org") == [
        ("user_identify", "identify", "12", None, "acme"),
        ("plan_upgraded", "custom", "12", None, "acme"),
        ("signed_out", "custom", "guest", None, None),
    ]
    assert events[1]["properties"] == {
        "screen_resolution": "0",
        "src": "usermaven-python",
        "amount": 100,
        "currency": "USD",
    }


def test_batches_are_stored_once_and_in_order(served: Served, tmp_path: Path) -> None:
    arrivals = served.arrivals()
    assert run(served, tmp_path, "flush_at=10, flush_interval=0.1", BATCHES + END) == ""
    assert [event["properties"]["number"] for event in arrivals(25)] == list(range(25))


def test_a_refusal_is_read_and_not_sent_again(served: Served, tmp_path: Path) -> None:
    before = served.events()
    calls = """
client.track("guest", "refused")
client.flush()
assert [(error.status, error.message) for error in failures] == [(401, "Unknown or revoked token")], failures
client.join()
"""
    assert "Unknown or revoked token (401)" in run(served, tmp_path, "flush_interval=0.1", calls, server_token="wrong")
    assert served.events() == before
