"""A copy is refused where something would be lost or mixed up, with what to type."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from saastracker.cli import main
from saastracker.cli.copying import change_over
from saastracker.config import load_config
from saastracker.copying.copy import Copy
from saastracker.copying.side import Side
from saastracker.secrets import VARIABLE


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data folder with a project."""
    typed("--data", tmp_path / "old", "project", "add", "Shop")
    return tmp_path / "old"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new"


def typed(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 1, result.output
    return result.output


def test_a_target_with_data_of_its_own(old: Path, new: Path) -> None:
    typed("--data", new, "project", "add", "Game")
    (new / "secret_key").write_bytes((old / "secret_key").read_bytes())
    assert "is not the key" in refused("--data", old, "copy", "--to", new)
    typed("--data", old, "copy", "--to", new.with_name("third"))
    assert "name an empty one" in refused("--data", old, "copy", "--to", old)


def test_a_copy_of_another_installation(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    for name in ("one", "two"):
        typed("--data", old.with_name(name), "project", "add", "Game")
    typed("--data", old.with_name("one"), "copy", "--to", new)
    assert "another installation" in refused("--data", old.with_name("two"), "copy", "--to", new)
    assert "not complete" in refused("--data", new, "copy", "--to", old.with_name("three"))


def test_the_secret_key_goes_along(old: Path, new: Path) -> None:
    typed("--data", old, "copy", "--to", new)
    key = (old / "secret_key").read_bytes()
    assert (new / "secret_key").read_bytes() == key
    assert (new / "secret_key").stat().st_mode & 0o777 == 0o600
    (new / "secret_key").write_bytes(Fernet.generate_key())
    told = refused("--data", old, "copy", "--to", new)
    assert "another key" in told
    assert key.decode() not in told
    (old / "secret_key").unlink()
    assert "secret_key is missing" in refused("--data", old, "copy", "--to", new)
    assert not (old / "secret_key").exists()


def test_nothing_else_is_written_to_either_side(old: Path, new: Path) -> None:
    typed("--data", old, "copy", "--to", new)
    assert "copy that is not complete" in refused("--data", new, "serve", "--port", "0")
    assert "takes nothing" in refused("--data", new, "project", "add", "Game")
    typed("--data", old, "project", "add", "Game")
    assert "Handed over. 0 events" in typed("--data", old, "copy", "--to", new, "--switch")
    assert "handed over to another" in refused("--data", old, "serve", "--port", "0")
    assert "takes nothing" in refused("--data", old, "project", "add", "Late")
    typed("--data", new, "project", "add", "Late")
    assert "nothing is left to copy" in typed("--data", old, "copy", "--to", new, "--switch")
    assert [line.split()[0] for line in typed("--data", new, "project", "list").splitlines()[1:]][-3:]

    assert "takes events again" in typed("--data", old, "copy", "--reopen")
    typed("--data", old, "project", "add", "Late")
    assert "it is no copy now" in refused("--data", old, "copy", "--to", new)


def test_a_database_that_was_handed_over_stays_closed(old: Path, new: Path) -> None:
    third, fourth = old.with_name("third"), old.with_name("fourth")
    typed("--data", old, "copy", "--to", new, "--switch")
    typed("--data", new, "copy", "--to", third, "--switch")
    assert "nothing is left to copy" in typed("--data", old, "copy", "--to", new, "--switch")
    assert "takes nothing" in refused("--data", new, "project", "add", "Game")
    assert "handed over already" in refused("--data", old, "copy", "--to", fourth, "--switch")
    assert "takes nothing" in refused("--data", old, "project", "add", "Game")
    typed("--data", third, "project", "add", "Game")


def test_a_copy_of_another_that_was_handed_over(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    one, two = old.with_name("one"), old.with_name("two")
    for name in (one, two):
        typed("--data", name, "project", "add", "Game")
        typed("--data", name, "copy", "--to", name.with_name(f"{name.name} new"), "--switch")
    assert "another installation" in refused("--data", two, "copy", "--to", one.with_name("one new"))


def cut_off(name: str, old: Path, new: Path) -> None:
    """A hand-over that is killed where it would do something."""
    program = """
import os, sys
from saastracker.cli import main
from saastracker.copying.copy import Copy
from saastracker.copying.side import Side
name = sys.argv.pop(1)
setattr(Side if name == "follow" else Copy, name, lambda *_: os._exit(9))
main()
"""
    line = [sys.executable, "-c", program, name, "--data", str(old), "copy", "--to", str(new), "--switch"]
    assert subprocess.run(line, check=False, capture_output=True).returncode == 9


def test_a_hand_over_that_is_cut_off_goes_on(old: Path, new: Path) -> None:
    """Killed in the middle: nothing is undone."""
    for name, told in (("follow", "--switch, or open it"), ("_open", "nothing is left to copy")):
        cut_off(name, old, new)
        assert "takes nothing" in refused("--data", old, "project", "add", "Game")
        assert "takes nothing" in refused("--data", new, "project", "add", "Game")
        assert told in typed("--data", old, "copy", "--to", new)
    typed("--data", new, "project", "add", "Game")


def test_two_hand_overs(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one of them opens its copy, whichever begins first."""
    other, recount = new.with_name("other"), Copy.recount

    def meanwhile(copied: Copy) -> None:
        monkeypatch.setattr(Copy, "recount", recount)
        typed("--data", old, "copy", "--to", other, "--switch")
        copied.recount()

    monkeypatch.setattr(Copy, "recount", meanwhile)
    assert "handed over already" in refused("--data", old, "copy", "--to", new, "--switch")
    assert "takes nothing" in refused("--data", new, "project", "add", "Game")
    assert "takes nothing" in refused("--data", old, "project", "add", "Game")
    typed("--data", other, "project", "add", "Game")


def test_a_hand_over_that_was_cut_off_and_another(old: Path, new: Path) -> None:
    cut_off("follow", old, new)
    typed("--data", old, "copy", "--reopen")
    typed("--data", old, "copy", "--to", new.with_name("other"), "--switch")
    assert "handed over already" in refused("--data", old, "copy", "--to", new, "--switch")


def test_reopened_amid_the_hand_over(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reopen(*_: object) -> None:
        typed("--data", old, "copy", "--reopen")
        typed("--data", old, "project", "add", "Game")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Side, "follow", reopen)
        told = refused("--data", old, "copy", "--to", new, "--switch")
    assert "opened amid" in told
    assert "takes nothing" in refused("--data", new, "project", "add", "Late")
    typed("--data", old, "project", "add", "Late")
    assert "Handed over" in typed("--data", old, "copy", "--to", new, "--switch")
    assert {"game", "late"} <= {line.split()[0] for line in typed("--data", new, "project", "list").splitlines()[1:]}


def test_a_copy_that_was_begun_before_a_backup_was_restored(old: Path, new: Path, tmp_path: Path) -> None:
    """What came since has the same numbers here and there, and is not the same."""
    events, backup = tmp_path / "events", tmp_path / "backup.db"
    typed("--data", old, "copy", "--to", new)
    typed("--data", old, "backup", backup)
    events.write_text('{"name": "lost"}')
    typed("--data", old, "import", events, "--project", "shop")
    assert "1 events are the same" in typed("--data", old, "copy", "--to", new)
    typed("--data", old, "restore", backup)
    events.write_text('{"name": "later"}')
    typed("--data", old, "import", events, "--project", "shop")
    assert "another installation" in refused("--data", old, "copy", "--to", new, "--switch")
    assert "1 events are the same" in typed("--data", old, "copy", "--to", new.with_name("third"), "--switch")


def test_a_hand_over_that_fails_leaves_the_old_one_open(old: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Side, "follow", fails)
        result = CliRunner().invoke(main, ["--data", str(old), "copy", "--to", str(new), "--switch"])
    assert isinstance(result.exception, RuntimeError)
    typed("--data", old, "project", "add", "Game")
    assert "takes nothing" in refused("--data", new, "project", "add", "Game")
    assert "Handed over" in typed("--data", old, "copy", "--to", new, "--switch")
    assert "game" in typed("--data", new, "project", "list")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("postgresql://me:s3cret@db:5432/x", 'url = "postgresql://me:PASSWORD@db:5432/x"'),
        ("postgresql://me:s3cret@more@db/x", 'url = "postgresql://me:PASSWORD@db/x"'),
        (
            "postgresql:///x?user=me&password=s3cret&host=db",
            'url = "postgresql:///x?user=me&password=PASSWORD&host=db"',
        ),
        ("postgresql://me@db/x", 'url = "postgresql://me@db/x"'),
        ("chdb:///var/events", 'backend = "clickhouse"'),
        ("sqlite:///var/x.db", 'path = "/var/x.db"'),
        ("new.toml", "--config new.toml serve"),
        ("folder", "--data folder serve"),
    ],
)
def test_what_to_change_is_told_without_secrets(tmp_path: Path, place: str, expected: str) -> None:
    told = "\n".join(change_over(place, load_config(None, tmp_path)))
    assert expected in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--to", "mysql://db"), "mysql:// is no address of a store"),
        (("--to", ""), "An empty place is none"),
        (("--from", "", "--to", "x"), "An empty place is none"),
        (("--to", "none.toml"), "none.toml: cannot read the configuration"),
    ],
)
def test_places_that_are_none(old: Path, words: tuple[str, ...], expected: str) -> None:
    assert expected in refused("--data", old, "copy", *words)


@pytest.mark.parametrize(
    "words", [(), ("--to", "x", "--follow", "--switch"), ("--reopen", "--to", "x")], ids=["no target", "both", "reopen"]
)
def test_options_that_do_not_go_together(old: Path, words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(main, ["--data", str(old), "copy", *words]).exit_code == 2
