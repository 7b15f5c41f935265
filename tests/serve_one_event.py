"""Drives an installed `saastracker` as a new user would: serve, send one signed event, see it.

python tests/serve_one_event.py PATH_OF_SAASTRACKER
"""

import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BODY = b'{"event":"page_view","user_hash":"%s","customer_org_id":"org_456","path":"/dashboard"}' % (b"ab" * 32)


def call(url: str, body: bytes | None, headers: dict[str, str]) -> Any:
    """The JSON answer; tries for 20 s while nothing listens yet."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, body, {"Content-Type": "application/json", **headers}), timeout=10
            ) as answer:
                return json.load(answer)
        except ConnectionError:
            raise
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def running(*command: str, **options: Any) -> Iterator[str]:
    """The server's address while it runs; told to end, it must do so without an error."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([*command, "serve", "--port", str(port)], stdout=subprocess.DEVNULL, **options)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(20)
    assert code == 0, f"the server ended with {code}"


def main(program: str) -> None:
    with tempfile.TemporaryDirectory() as data:
        base = [program, "--data", data]
        project = json.loads(subprocess.check_output([*base, "project", "add", "Shop", "--json"]))
        add_token = ["token", "add", "ci", "--project", project["slug"], "--scope", "read", "--json"]
        token = json.loads(subprocess.check_output([*base, *add_token]))["token"]
        keys = project["keys"]["hmac"]
        signature = hmac.digest(keys["api_secret"].encode(), BODY, hashlib.sha256).hex()
        with running(*base) as url:
            headers = {"x-app-uuid": keys["app_uuid"], "x-signature": signature}
            answer = call(f"{url}/v1/events", BODY, headers)
            assert answer == {"accepted": 1}, answer
            page = call(f"{url}/p/{project['slug']}/stream.json", None, {"Authorization": f"Bearer {token}"})
            [event] = page["blocks"][0]["rows"]
            assert {"org_456", "/dashboard"} < set(event), event
    print("One event was served.")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
