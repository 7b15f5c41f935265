"""Every block of code in README and docs/ is run: shell against a live server, TOML and JSON as what reads them.

One that cannot be has `<!-- not run: reason -->` above it. Shell takes a second for each command of saastracker.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from saastracker import Event, Group, Invalid, Reply, Scope, Submission
from saastracker.config import load_config
from saastracker.definitions import NOTHING_DEFINED
from saastracker.plugins import GROUP, Plugins
from saastracker.records import Snapshot
from saastracker.testing import NOW, PROJECT
from saastracker.testing.indexing import follow
from tests.needing import missing
from tests.serving import PLAIN, Served, serve, typed

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN_MAX = 9
RUN = {"sh", "python", "toml", "json", "http"}  # languages
ADDRESS = "http://127.0.0.1:8000"
MARK = r"(?:<!-- (?P<mark>[^\n]+) -->\n)?"
FENCED = r"(?P<fence>```+|~~~+)(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=fence)$"
BLOCK = re.compile(f"^{MARK}{FENCED}", re.DOTALL | re.MULTILINE)
SENT = {  # names of events that a page's commands store, in their order
    "README.md": ["report_exported", "plan_chosen", "signed_up", "Level:Complete"],
    "start.md": ["plan_chosen"],
    "events.md": [
        *("report_exported", "plan_chosen", "LCP", "user_identify", "signed_up", "Complete:Level 1"),
        *("signed_up", "report_exported"),
    ],
}


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    code: str
    reason: str | None  # why it is not run

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text()
        for found in BLOCK.finditer(text):
            line = text[: found.start("fence")].count("\n") + 1
            mark = found["mark"] or ""
            reason = mark.removeprefix("not run: ") if mark.startswith("not run: ") else None
            if mark == "tests":
                reason = "CI runs it: it is how the tests are started"
            yield Block(page, line, found["language"].strip(), found["code"], reason)


BLOCKS = list(blocks())


def run(language: str) -> dict[Path, list[Block]]:
    """The blocks of a language that are run, by page."""
    chosen = [each for each in BLOCKS if each.language == language and each.reason is None]
    return {page: of for page in PAGES if (of := [each for each in chosen if each.page == page])}


def test_every_block_is_run_or_says_why_not() -> None:
    fences = sum(len(re.findall(r"^(?:```|~~~)", page.read_text(), re.MULTILINE)) for page in PAGES)
    assert fences == 2 * len(BLOCKS)
    strange = [str(each) for each in BLOCKS if each.reason is None and each.language not in RUN]
    assert strange == []
    assert len([each for each in BLOCKS if each.reason]) <= NOT_RUN_MAX
    assert all(len(each.reason) > 5 for each in BLOCKS if each.reason is not None)
    for page in PAGES:  # code that is not fenced would not be found
        text = BLOCK.sub("", page.read_text())
        assert not re.search(r"\n\n    [^ ]", text), page
    assert all(run(language) for language in RUN)


# --- Shell ---


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of this module's own: it is changed by commands."""
    running = serve(tmp_path_factory.mktemp("blocks"))
    yield running
    assert running.server.stop() == 0, running.server.output


def made(served: Served, name: str, *options: str) -> str:
    """A token that the running server knows."""
    token: str = typed(served.data, "token", "add", name, *options)["token"]
    deadline = time.monotonic() + 10
    headers = {"Authorization": f"Bearer {token}"}
    while httpx.get(f"{served.url}/api/v1/projects", headers=headers, verify=PLAIN).is_error:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return token


def met(served: Served, user: str) -> None:
    """Sends an event of a user, and waits until reports know it."""
    event = {"projectKey": served.keys["project-key"]["key"], "event_name": "signed_in", "userId": user}
    httpx.post(f"{served.url}/api/tags/custom", json=event).raise_for_status()
    headers, deadline = {"Authorization": f"Bearer {served.token}"}, time.monotonic() + 20
    while httpx.get(f"{served.url}/p/{served.slug}/people/{user}.json", headers=headers, verify=PLAIN).is_error:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def environment(served: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the pages take as given: the command, keys in variables, and a user `ada`."""
    for each in ("bash", "curl", "openssl", "python3"):
        if shutil.which(each) is None:
            missing(f"{each} is not installed")
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "saastracker"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m saastracker "$@"\n')
    command.chmod(0o755)
    [workspace] = typed(served.data, "workspace", "list")
    met(served, "ada")
    keys = served.keys
    return os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "SLUG": served.slug,
        "WORKSPACE": workspace["name"],
        "TOKEN": made(served, "docs", "--project", served.slug, "--scope", "write"),
        "APP_UUID": keys["hmac"]["app_uuid"],
        "API_SECRET": keys["hmac"]["api_secret"],
        "PROJECT_KEY": keys["project-key"]["key"],
        "API_KEY": keys["query-token"]["api_key"],
        "SERVER_TOKEN": keys["query-token"]["server_token"],
        "KEY": keys["bearer"]["key"],
    }


@pytest.mark.parametrize("page", run("sh"), ids=lambda page: page.name)
def test_shell(page: Path, served: Served, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "saastracker-data").symlink_to(served.data)
    arrivals = served.arrivals()
    for block in run("sh")[page]:
        code = block.code.replace(ADDRESS, served.url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code],
            cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    expected = SENT.get(page.name, [])
    assert [event["name"] for event in arrivals(len(expected))] == expected


# --- Python ---


@pytest.mark.parametrize("page", run("python"), ids=lambda page: page.name)
def test_python(page: Path, served: Served, tmp_path: Path) -> None:
    names: dict[str, Any] = {"__name__": page.stem}
    for block in run("python")[page]:
        exec(compile(block.code, str(block), "exec"), names)
    USED[page.name](names, served, tmp_path)


def use_enricher(names: dict[str, Any], served: Served, folder: Path) -> None:
    [enricher] = names["enrichers"](None)
    events = [Event(name="a"), Event(name="b", release="1.2")]
    enricher.enrich(events, PROJECT, "server", None)
    assert [event.release for event in events] == ["unreleased", "1.2"]


def use_api(names: dict[str, Any], served: Served, folder: Path) -> None:
    token = made(served, "rename", "--scope", "admin")
    project = names["rename"](served.url, token, served.slug, "Shop by the API")
    assert project["name"] == "Shop by the API"


def use_plugin(names: dict[str, Any], served: Served, folder: Path) -> None:
    """The definition's check, and the report over events that it counts."""
    names["check"](names["Target"](event="signed_up"))
    with pytest.raises(Invalid, match=r"\$\.event"):
        names["check"](names["Target"](event=" "))
    plugins = Plugins(load_config(None, folder))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    events = [Event(name="a", country=country, received_at=NOW) for country in ("DE", "FR", "DE")]
    store.append(Group([Submission(PROJECT, events, NOW, Reply(200, b"{}"))]))
    follow(store)
    with store.reader() as reader:
        report = names["load"](reader, Scope.parse("range=7d", project=PROJECT.id, timezone="UTC", now=NOW))
    store.close()
    records.close()
    assert report.blocks[0].rows == [["DE", 2], ["FR", 1]]


def use_webhook(names: dict[str, Any], served: Served, folder: Path) -> None:
    """tests/plugins/webhook checks a real message with it."""
    assert callable(names["is_ours"])


USED: dict[str, Callable[[dict[str, Any], Served, Path], None]] = {
    "README.md": use_enricher,
    "hooks.md": use_enricher,
    "api.md": use_api,
    "plugins.md": use_plugin,
    "sharing.md": use_webhook,
}


# --- What is read ---


def read_toml(block: Block, folder: Path) -> None:
    """As a configuration; one table of a package is read by its installation."""
    document = tomllib.loads(block.code)
    if document.keys() == {"project"}:
        assert document["project"].keys() == {"entry-points"}
        assert document["project"]["entry-points"].keys() == {GROUP}
        return
    file = folder / "config.toml"
    file.write_text(block.code)
    plugins = Plugins(load_config(file, folder / "data"))
    plugins.registry(Snapshot(), NOTHING_DEFINED)
    plugins.check_storage()


def read_json(block: Block, folder: Path) -> None:
    """As JSON; tests/docs/test_docs_reference.py reads those of definitions as such."""
    assert json.loads(block.code)


def read_headers(block: Block, folder: Path, *, served: Served) -> None:
    """Each line is a header of a page."""
    headers = httpx.get(f"{served.url}/login").headers
    for line in block.code.splitlines():
        name, _, value = line.partition(": ")
        assert headers.get(name) == value


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language in {"toml", "json", "http"}], ids=str)
def test_what_is_read(block: Block, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    readers: dict[str, Callable[[Block, Path], None]] = {
        "toml": read_toml,
        "json": read_json,
        "http": partial(read_headers, served=served),
    }
    readers[block.language](block, tmp_path)
