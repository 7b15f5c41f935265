"""Backups: whole, with the key in a file of its own, and told of."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.fernet import Fernet

from saastracker.backups import Backup, Backups
from saastracker.cli.options import Options
from saastracker.records import now_ms

Run = Callable[..., Result]
Read = Callable[..., Any]

EVENTS = b'{"name": "a"}\n{"name": "b"}\n{"name": "c"}\n'


def told_backups() -> tuple[Backup | None, Backup | None]:
    with Options(Path("saastracker-data"), None).open() as installation:
        return Backups(installation.records).last(), Backups(installation.records).good()


def test_backup(run: Run) -> None:
    secret = json.loads(run("project", "add", "A", "--json").stdout)["keys"]["hmac"]["api_secret"]
    run("import", "-", "--project", "a", stdin=EVENTS)
    printed = run("backup", "copy.db").stdout
    assert "Copied the secret key to copy.db.secret_key" in printed
    good = told_backups()[1]
    assert good is not None
    assert (good.place, good.bytes, good.error) == (str(Path("copy.db").resolve()), Path("copy.db").stat().st_size, "")
    assert abs(good.started_at - now_ms()) < 60_000
    key = Path("copy.db.secret_key")
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes() == Path("saastracker-data/secret_key").read_bytes()
    with sqlite3.connect("copy.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
    assert secret not in printed
    assert run("backup", "copy.db", code=1).stderr == "Error: copy.db exists; choose another path or remove it\n"
    last, still_good = told_backups()
    assert last is not None
    assert (last.error, last.bytes) == ("copy.db exists; choose another path or remove it", 0)
    assert still_good == good
    # The pair is an installation.
    Path("restored").mkdir()
    Path("copy.db").rename("restored/saastracker.db")
    key.rename("restored/secret_key")
    assert len(run("--data", "restored", "export", "--project", "a").stdout.splitlines()) == 3


def test_backup_with_the_key_in_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAASTRACKER_SECRET_KEY", Fernet.generate_key().decode())
    run("project", "add", "A")
    assert "in the variable SAASTRACKER_SECRET_KEY: keep it too" in run("backup", "copy.db").stdout
    assert not Path("copy.db.secret_key").exists()
