"""Real servers that share PostgreSQL and, over HTTP, one ClickHouse: under load, while that dies, and afterwards."""

import contextlib
import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from saastracker.cli import main
from saastracker.secrets import VARIABLE
from saastracker_postgres.records import PostgresRecords
from tests.clickhouse import Served
from tests.postgres import Postgres
from tests.reliability.load import Load
from tests.serving import Server, typed

LOAD_SECONDS = 0.5
SOON = 15  # seconds
CONFIG = """[storage]
backend = "clickhouse"
[plugin.clickhouse]
url = "{}"
records = "postgres"
database = "{}"
[plugin.postgres]
url = "{}"
"""


class Installed:
    """Two servers, each with a data folder of its own."""

    def __init__(self, folder: Path, clickhouse: Served, postgres: Postgres) -> None:
        self.folder = folder
        self.clickhouse = clickhouse
        self.postgres = postgres
        self.place = postgres.database(), clickhouse.database()
        self.configure(*self.place)
        for name in ("one", "two"):
            (folder / name).mkdir()
        self.keys = typed(folder / "one/data", "project", "add", "Shop")["keys"]
        self.token = typed(folder / "one/data", "token", "add", "tests", "--scope", "admin")["token"]
        self.servers = [Server(folder / name) for name in ("one", "two")]

    def configure(self, records: str, database: str, url: str = "") -> None:
        text = CONFIG.format(url or self.clickhouse.url, database, records)
        (self.folder / "config.toml").write_text(text)

    def stored(self, records: str, database: str) -> Counter[str]:
        """How often each marker of the load is there."""
        from saastracker_clickhouse.rows import ClickHouseRows

        with (
            contextlib.closing(PostgresRecords(records)) as opened,
            contextlib.closing(opened.store(ClickHouseRows(self.clickhouse.url, database=database))) as store,
        ):
            found = store.read_after(0, 10_000_000)
        return Counter(json.loads(event.properties or "")["marker"] for _, event in found)

    def get(self, server: Server, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.get(f"{server.url}{path}", headers=headers, timeout=SOON)

    def type(self, *words: str) -> str:
        result = CliRunner().invoke(main, ["--data", str(self.folder / "one/data"), *words])
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture(scope="module")
def installed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("servers")
    clickhouse = Served(folder / "engine")
    with pytest.MonkeyPatch.context() as environment, contextlib.ExitStack() as running:
        running.callback(clickhouse.kill)
        environment.setenv("SAASTRACKER_CONFIG", str(folder / "config.toml"))
        environment.setenv(VARIABLE, Fernet.generate_key().decode())
        installed = Installed(folder, clickhouse, postgres)
        for server in installed.servers:
            running.callback(server.kill)
        yield installed


def counted(installed: Installed, server: Server) -> int:
    """Events as the first page of a server has them, from the index."""
    span = f"from=2026-05-01&to={date.today() + timedelta(1)}"  # those of the load are of then and of now
    blocks = installed.get(server, f"/p/shop/home.json?{span}").raise_for_status().json()["blocks"]
    figures = next(block for block in blocks if block["key"] == "totals")["figures"]
    return int({each["key"]: each["value"] for each in figures}["events"])


def test_nothing_acknowledged_is_lost_when_clickhouse_dies(installed: Installed) -> None:
    loads = [Load(installed.keys, prefix) for prefix in ("a", "b")]

    def taking() -> None:
        """Until both servers have taken something from now on."""
        before = [len(load.acknowledged) for load in loads]
        deadline = time.monotonic() + SOON
        while any(len(load.acknowledged) == count for load, count in zip(loads, before, strict=True)):
            assert time.monotonic() < deadline, [server.output for server in installed.servers]
            time.sleep(0.05)

    with contextlib.ExitStack() as running:
        for load, server in zip(loads, installed.servers, strict=True):
            running.enter_context(load.running(server.url))
        taking()
        time.sleep(LOAD_SECONDS)
        installed.clickhouse.kill()
        time.sleep(LOAD_SECONDS)
        page = installed.get(installed.servers[0], "/p/shop/stream")
        assert (page.status_code, "Traceback" in page.text) == (503, False), page.text
        installed.clickhouse.restart()
        taking()
    for load, server in zip(loads, installed.servers, strict=True):
        load.finish(server.url)
        assert load.statuses.keys() <= {200, 201, 202, 204, 503}
        assert load.statuses[503]
    acknowledged = set.union(*(load.acknowledged for load in loads))
    found = installed.stored(*installed.place)
    assert (acknowledged - found.keys(), set(found.values())) == (set(), {1})
    installed.type("rebuild")  # it would go on by itself, but only half a minute after a failure
    for server in installed.servers:
        assert counted(installed, server) == len(server.events("shop", installed.token)) == len(found)
        assert "Traceback" not in server.output
        assert server.output.count("\n") < 20, server.output  # a failure is told once, not with each request


def test_a_backup_beside_the_servers_is_put_back(installed: Installed) -> None:
    copy = installed.folder / "copy"
    installed.type("backup", str(copy))
    # What the documentation says, on another PostgreSQL, and a ClickHouse on which a server was started once.
    records, database = installed.postgres.database(), installed.clickhouse.database()
    installed.stored(installed.postgres.database(), database)
    restore = shutil.which("pg_restore")
    assert restore
    subprocess.check_call([restore, "--no-owner", "--exit-on-error", f"--dbname={records}", str(copy)])
    for table in ("owner", "event_rows"):
        installed.clickhouse.say(f"TRUNCATE TABLE {database}.{table}")
    for file in sorted((installed.folder / "copy.events").iterdir()):
        installed.clickhouse.say(f"INSERT INTO {database}.event_rows FORMAT Native", file.read_bytes())
    assert installed.stored(records, database) == installed.stored(*installed.place)


def test_passwords_are_shown_nowhere(installed: Installed) -> None:
    from tests.clickhouse_http import PASSWORD

    shown = [server.output for server in installed.servers]
    shown += [installed.get(installed.servers[0], path).text for path in ("/api/v1/status", "/settings/status")]
    shown += [installed.type("check"), installed.type("project", "list")]
    assert all(shown)
    for secret in (PASSWORD, quote(PASSWORD), quote(PASSWORD, safe="")):
        assert not any(secret in text for text in shown)


def test_a_server_that_may_not_ask_says_so(installed: Installed) -> None:
    wrong = installed.clickhouse.shown.replace("://", "://tracker:wr0ng@")
    installed.configure(*installed.place, wrong)
    result = CliRunner().invoke(main, ["--data", str(installed.folder / "three"), "serve", "--port", "0"])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: ClickHouse fails, AUTHENTICATION_FAILED (516); ")
    assert "wr0ng" not in result.output
