"""The first start, and every printed line run against the server that printed it."""

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result

Run = Callable[..., Result]
Read = Callable[..., Any]


def test_each_printed_curl_line_works(server: tuple[str, str], run: Run) -> None:
    url, printed = server
    lines = re.findall(r"^# (\S+)\n(.+)$", printed, re.MULTILINE)
    assert [name for name, _ in lines] == ["saastracker", "nanosights", "usermaven", "owlsignal"]
    for name, line in lines:
        sent = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=20, check=True).stdout
        assert re.match(r"HTTP/1.1 20[02] ", sent), (name, sent)
    exported = [json.loads(line) for line in run("export", "--project", "my-product").stdout.splitlines()]
    assert [event["name"] for event in exported] == ["report_exported", "plan_chosen", "signed_up", "Level:Complete"]
    token = re.search(r"^  (st_\S+)$", printed, re.MULTILINE)
    assert token
    answer = httpx.get(f"{url}/p/my-product/stream.json", headers={"Authorization": f"Bearer {token[1]}"})
    assert answer.status_code == 200


def test_a_key_tells_on_which_day_it_was_used(server: tuple[str, str], read: Read) -> None:
    assert {key["used_on"] for key in read("key", "list")} == {None}
    line = re.findall(r"^# owlsignal\n(.+)$", server[1], re.MULTILINE)[0]
    days = {str(datetime.now(UTC).date())}
    subprocess.run(["sh", "-c", line], capture_output=True, timeout=20, check=True)
    days.add(str(datetime.now(UTC).date()))
    for _ in range(100):
        used = {key["scheme"]: key["used_on"] for key in read("key", "list")}
        if used["bearer"]:
            break
        time.sleep(0.05)
    assert used.pop("bearer") in days
    assert set(used.values()) == {None}


def test_a_deleted_project_takes_nothing_until_it_is_restored(server: tuple[str, str], run: Run) -> None:
    _, printed = server
    lines = re.findall(r"^# \S+\n(.+)$", printed, re.MULTILINE)

    def settled(*wanted: str) -> None:
        until = time.monotonic() + 5  # as promised
        while time.monotonic() < until:
            found = tuple(subprocess.check_output(["sh", "-c", line], text=True).split()[1] for line in lines)
            if found == wanted:
                return
        pytest.fail(f"answered {found}")

    settled("202", "202", "200", "200")
    run("project", "delete", "my-product", "--yes")
    settled("404", "401", "401", "401")
    run("project", "restore", "my-product")
    settled("202", "202", "200", "200")


def test_the_printed_link_makes_the_owners_account(server: tuple[str, str], read: Read) -> None:
    url, printed = server
    link = re.search(r"^  (http\S+/sign-up/\S+)$", printed, re.MULTILINE)
    assert link
    form = {"name": "Ada", "email": "ada@example.com", "password": "an owl in the chimney"}
    with httpx.Client(base_url=url) as browser:
        assert "You become owner" in browser.get(link[1]).text
        assert browser.post(link[1], data=form).status_code == 303
        assert browser.get("/p/my-product/stream").status_code == 200
        assert browser.get(link[1]).status_code == 404
    assert httpx.get(f"{url}/p/my-product/stream").headers["location"].startswith("/sign-in")
    (user,) = read("user", "list")
    assert (user["email"], user["workspace"], user["role"]) == ("ada@example.com", "Default", "owner")


def test_a_new_role_reaches_a_running_server(server: tuple[str, str], read: Read) -> None:
    link = read("user", "add", "bob@example.com", "--role", "viewer")["link"].replace(
        "http://127.0.0.1:8000", server[0]
    )
    for _ in range(100):
        answer = httpx.get(link)
        if answer.status_code == 200:
            break
        time.sleep(0.05)
    assert "You become viewer" in answer.text


def test_new_keys_reach_a_running_server(server: tuple[str, str], read: Read) -> None:
    key = read("project", "add", "B")["keys"]["bearer"]["key"]
    for _ in range(100):
        answer = httpx.post(
            f"{server[0]}/api/v1/events", headers={"Authorization": f"Bearer {key}"}, json={"events": []}
        )
        if answer.status_code != 401:
            break
        time.sleep(0.05)
    assert answer.status_code == 400


def test_init_runs_once(run: Run, read: Read) -> None:
    assert 'Made the project "My product"' in run("init").stdout
    assert "Nothing to do" in run("init").stdout
    assert len(read("project", "list")) == 1
    assert Path("saastracker-data").stat().st_mode & 0o777 == 0o700


def test_a_first_start_is_one_write(run: Run) -> None:
    """So that one that is killed leaves nothing behind, and the next shows keys again."""
    run("init")
    with closing(sqlite3.connect("saastracker-data/saastracker.db")) as database:
        assert database.execute("SELECT value FROM counters WHERE name = 'change'").fetchall() == [(1,)]


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "saastracker", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=20, check=False)


def test_a_second_server_is_refused(server: tuple[str, str]) -> None:
    second = command("serve", "--port", "0")
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1, second.stderr
    assert second.stderr.startswith("Error: ")


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["project", "--help"]])
def test_help_needs_no_installation(arguments: list[str]) -> None:
    assert command(*arguments).returncode == 0
    assert not list(Path().iterdir())
