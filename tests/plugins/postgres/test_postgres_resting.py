"""What commands tell of a database in PostgreSQL that they do not look after themselves."""

import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from saastracker.cli import main
from saastracker.contracts import Group
from saastracker.errors import OperatorError
from saastracker.index import VERSION
from saastracker.testing import PROJECT
from saastracker.testing.indexing import follow
from saastracker.testing.opened import event, names, submission
from saastracker_postgres.store import PostgresStore
from tests.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.database()


def typed(url: str, folder: Path, *words: str) -> Result:
    config = folder / "config.toml"
    config.write_text(f'[storage]\nbackend = "postgres"\n[plugin.postgres]\nurl = "{url}"\n')
    return CliRunner().invoke(main, ["--data", str(folder / "data"), "--config", str(config), *words])


def test_an_upgrade_is_told_in_advance(url: str, tmp_path: Path) -> None:
    told = typed(url, tmp_path, "upgrade", "--check")
    assert (told.exit_code, "There is no database at postgresql://" in told.output) == (0, True), told.output
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('saastracker')").fetchone() == (None,)  # it only looked
    with closing(PostgresStore(url)) as store:
        store.append(Group([submission(event())]))
        store.index.reset(VERSION)
    told = typed(url, tmp_path, "upgrade", "--check")
    assert "schema 0.1.0 tables 2 (2 migrations), index version" in told.output
    assert (told.exit_code, "1 events" in told.output, "Nothing to do." in told.output) == (0, True, True)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE saastracker SET version = 9, release = '2.0.0'")
    told = typed(url, tmp_path, "upgrade", "--check")
    assert (told.exit_code, "pip install 'saastracker>=2.0.0'" in told.output) == (1, True)


def test_tables_of_an_earlier_schema_become_todays(url: str, tmp_path: Path) -> None:
    with closing(PostgresStore(url)) as store:
        store.append(Group([submission(event(user="ada", anonymous="phone", org="acme"))]))
        follow(store)
    with psycopg.connect(url) as connection:  # as version 1 made them
        for table in ("actors", "aliases"):
            connection.execute(f"ALTER TABLE index_{table} DROP COLUMN changed".encode())
        connection.execute("UPDATE saastracker SET version = 1")
    assert "tables 2" in typed(url, tmp_path, "upgrade", "--check").output
    with closing(PostgresStore(url)) as store:
        assert store.index.state().version == ""  # so that the index is made again
        follow(store)
        with store.reader() as reader:
            assert len(reader.actors(PROJECT.id).rows) == len(reader.actors(PROJECT.id).aliases) == 1


def test_a_backup_is_restored_by_what_the_command_says(postgres: Postgres, url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with closing(PostgresStore(url)) as store:
        store.append(Group([submission(event("kept"))]))
        store.backup(copy, lambda _done, _total: None)
    empty = postgres.database()
    told = typed(empty, tmp_path, "restore", str(copy))
    assert told.exit_code == 1
    assert "pg_restore --no-owner --exit-on-error --dbname='postgresql://" in told.output
    restore = shutil.which("pg_restore", path=os.environ["PATH"])
    assert restore is not None
    subprocess.check_call([restore, "--no-owner", "--exit-on-error", f"--dbname={empty}", str(copy)])
    with closing(PostgresStore(empty)) as store:
        assert names(store) == ["kept"]
        store.append(Group([submission(event("next"))]))
        assert names(store) == ["kept", "next"]


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    told = typed("postgresql://me:secret@localhost:1/none", tmp_path, "restore", "copy")
    assert (told.exit_code, "secret@" in told.output, "me@localhost:1/none" in told.output) == (1, False, True)


@pytest.mark.parametrize(
    "wrong", ["me:12%secret@host/db", "me:1@secret@host/db", "me:secret@[::1/db", "host/db?secret=1"]
)
def test_an_address_that_is_none_is_not_repeated(wrong: str) -> None:
    with pytest.raises(OperatorError, match="with %40 for @, %25 for %") as raised:
        PostgresStore(f"postgresql://{wrong}")
    assert "secret" not in str(raised.value)
