"""An acknowledged event survives a power cut: the order of the server's system calls shows it."""

import re
import shutil
from pathlib import Path

import httpx
import pytest

from tests.needing import missing
from tests.reliability.conftest import Start
from tests.reliability.launch import launching
from tests.reliability.load import Keys
from tests.serving import SAASTRACKER, Server

REQUESTS = 3
CALLS = "fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg"
# Such as: 4711 pwrite64(7</data/saastracker.db-wal>, "..."
_CALL = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\(\d+<(?P<file>[^>]*)>(?P<rest>.*)")
_RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. \w+ resumed>")


@pytest.fixture
def strace(folder: Path) -> list[str]:
    """What to put before a command; the trace goes to `folder/trace`."""
    if shutil.which("strace") is None:
        missing("strace is not installed")
    return ["strace", "-D", "-f", "-y", "-s", "16", "-e", f"trace={CALLS}", "-o", str(folder / "trace")]


def test_the_log_is_synced_before_the_answer(start: Start, folder: Path, keys: Keys, strace: list[str]) -> None:
    acknowledge(start(saastracker=[*strace, *SAASTRACKER]), keys)
    assert before_answers(folder / "trace") == [["written", "synced"]] * REQUESTS


def test_the_trace_shows_a_sync_left_out(start: Start, folder: Path, keys: Keys, strace: list[str]) -> None:
    """Or the test above could not fail."""
    acknowledge(start(saastracker=[*strace, *launching("lazy_sync")]), keys)
    assert [last for *_, last in before_answers(folder / "trace")] == ["written"] * REQUESTS


def acknowledge(server: Server, keys: Keys) -> None:
    """Send requests one after the other."""
    body = {"projectKey": keys["project-key"]["key"], "event_name": "x", "url": "https://a.example/"}
    for _ in range(REQUESTS):
        assert httpx.post(f"{server.url}/api/tags/custom", json=body).status_code == 202
    assert server.stop() == 0


def before_answers(trace: Path) -> list[list[str]]:
    """For each answer, what became of the log of the database since the one before; repeats count once."""
    found: list[list[str]] = [[]]
    begun: dict[str, str] = {}  # by thread
    for line in trace.read_text().splitlines():
        if call := _CALL.match(line):
            step = _step(call["name"], call["file"], call["rest"])
            if "<unfinished" in line and step != "answered":
                begun[call["thread"]] = step
                continue
        elif resumed := _RESUMED.match(line):
            step = begun.pop(resumed["thread"], "")  # it counts when it has ended
        else:
            continue
        if step == "answered":
            found.append([])
        elif step and found[-1][-1:] != [step]:
            found[-1].append(step)
    return [steps[-2:] for steps in found[:-1]]


def _step(call: str, file: str, rest: str) -> str:
    if "HTTP/1.1 202" in rest:
        return "answered"
    if not file.endswith("-wal"):
        return ""
    return "synced" if "sync" in call else "written"
