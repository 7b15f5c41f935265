"""The Python SDK where processes end, fork, or the server is killed and comes back."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

from saastracker_sdk import Drop, Saastracker, Usermaven
from saastracker_sdk.transport import Connection
from tests.sdk_python.answering import Script, Turn, answering
from tests.serving import Served, Server, serve

SDK = Path(__file__).parents[2] / "contrib" / "sdk-python"
# From Python 3.12 on a fork beside threads is warned of; that it does no harm is what is tried.
WARNINGS = "error,ignore:This process"
CLIENT = """
import asyncio, atexit, multiprocessing, os, signal, sys
from saastracker_sdk import Usermaven
client = Usermaven(sys.argv[1], api_key="key", interval=60, exit_timeout=1)
def track(*names):
    for name in names:
        client.track(name, user="ada")
"""


def run(script: Script, code: str) -> str:
    """What a program logs that has no logging of its own."""
    command = [sys.executable, "-c", CLIENT + dedent(code), script.url]
    environment = {**os.environ, "PYTHONPATH": str(SDK), "PYTHONWARNINGS": WARNINGS}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_end_of_a_program_sends_what_is_queued() -> None:
    with answering() as script:
        assert run(script, "atexit.register(track, 'at exit'); track('a', 'b')") == ""
    assert script.names == ["a", "b", "at exit"]


def test_so_does_one_that_tracks_only_while_it_ends() -> None:
    """From Python 3.12 on no thread can be started then."""
    with answering(Turn(503)) as script:
        assert "tried again: 503" in run(script, "atexit.register(track, 'at exit')")
    assert script.names == ["at exit", "at exit"]


def test_so_does_one_that_fails_or_is_told_to_exit() -> None:
    with answering() as script:
        run(
            script,
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit()); track('a'); os.kill(os.getpid(), signal.SIGTERM)",
        )
        run(script, "async def main(): track('b')\nasyncio.run(main())")
    assert script.names == ["a", "b"]


def test_a_server_that_is_down_holds_up_no_end_and_the_loss_is_told() -> None:
    with answering(*[Turn(500)] * 99) as script:
        started = time.monotonic()
        said = run(script, "track('a', 'b')")
        assert time.monotonic() - started < 15
    assert "Events that will not be stored (closed): 2." in said


FORKS = {
    "os.fork": """
        track("parent")
        if not os.fork():
            track("child")
            sys.exit()
        os.wait()
        track("parent again")
    """,
    "os.fork behind a connection": """
        track("parent")
        client.flush()
        if not os.fork():
            track("child")
            sys.exit()
        os.wait()
        track("parent again")
    """,
    "a process of multiprocessing": """
        track("parent")
        process = multiprocessing.get_context("fork").Process(target=track, args=["child"])
        process.start()
        process.join()
        track("parent again")
    """,
    "a pool": """
        track("parent")
        with multiprocessing.get_context("fork").Pool(1) as pool:
            pool.map(track, ["child"])
            pool.close()
            pool.join()
        track("parent again")
    """,
}


def test_forks_send_what_each_process_tracked_and_nothing_twice() -> None:
    for code in FORKS.values():
        with answering() as script:
            run(script, code)
        assert sorted(script.names) == ["child", "parent", "parent again"], code
        by_name = {name: asked.connection for asked in script.asked for name in asked.names}
        assert by_name["child"] != by_name["parent again"], code


def test_a_fork_has_a_session_of_its_own() -> None:
    code = """
        from saastracker_sdk import Owlsignal
        game = Owlsignal(sys.argv[1], key="pk", build_version="1", player="p", interval=60)
        game.track_design("parent")
        if not os.fork():
            game.track_design("child")
            sys.exit()
        os.wait()
    """
    with answering() as script:
        run(script, code)
    sessions: dict[str, list[str]] = {}
    for asked in script.asked:
        for event in json.loads(asked.body)["events"]:
            sessions.setdefault(event["session_id"], []).append(event["name"])
    assert sorted(sessions.values()) == [["Session:Start", name, "Session:End"] for name in ("child", "parent")]


def test_a_server_that_is_killed_and_comes_back_stores_everything_once(tmp_path: Path, quick: None) -> None:
    """Killed while events come, in batches and one by one."""
    served = serve(tmp_path)
    server, drops = served.server, list[Drop]()
    token: Any = served.keys["query-token"]
    secret: Any = served.keys["hmac"]
    names = [f"event {number}" for number in range(150)]
    try:
        with (
            Usermaven(served.url, **token, interval=0.02, on_drop=drops.append) as people,
            Saastracker(served.url, **secret, on_drop=drops.append, exit_timeout=20) as signed,
        ):
            for place, name in enumerate(names):
                people.track(name, user="people")
                signed.track(name, user="signed", org="acme")
                time.sleep(0.002)
                if place == 75:
                    server.kill()
                    server = Server(tmp_path, port=int(served.url.rpartition(":")[2]))
        stored = server.events(served.slug, served.token)
    finally:
        server.stop()
    assert drops == []
    assert [event["name"] for event in stored if event["user"] == "people"] == names
    assert [event["name"] for event in stored if event["user"] != "people"] == names


def test_an_answer_that_is_lost_with_its_server_does_not_store_twice(served: Served) -> None:
    """The same request twice, as after a connection that broke behind the commit."""
    arrivals = served.arrivals()
    key: Any = served.keys["query-token"]
    with answering(Turn(reset=True)) as script, Usermaven(script.url, **key, interval=0) as client:
        client.track("once", user="ada")
        assert client.flush(5)
    first, second = script.asked
    connection = Connection(served.url, 5)
    for asked in (first, second):
        assert connection.post(asked.path, asked.body, asked.headers).status == 200
    connection.close()
    with Usermaven(served.url, **key) as client:
        client.track("last", user="ada")
    assert [event["name"] for event in arrivals(2)] == ["once", "last"]
