"""The secret key is made once, readable only by its owner, and a wrong one is told."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from saastracker.errors import OperatorError
from saastracker.secrets import Secrets, digest, new_token


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAASTRACKER_SECRET_KEY", raising=False)


def test_the_key_is_made_once(tmp_path: Path) -> None:
    text = Secrets.open(tmp_path).encrypt(b"hidden")
    assert "hidden" not in text
    assert Secrets.open(tmp_path).decrypt(text) == b"hidden"
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_key_from_the_environment_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAASTRACKER_SECRET_KEY", Fernet.generate_key().decode())
    assert Secrets.open(tmp_path).decrypt(Secrets.open(tmp_path).encrypt(b"x")) == b"x"
    assert not list(tmp_path.iterdir())


def test_another_key_is_told(tmp_path: Path) -> None:
    text = Secrets.open(tmp_path).encrypt(b"hidden")
    (tmp_path / "secret_key").unlink()
    with pytest.raises(
        OperatorError, match=r"secret_key is not the key .* put the right secret_key in the data folder"
    ):
        Secrets.open(tmp_path).decrypt(text)


def test_a_broken_key_is_told_and_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAASTRACKER_SECRET_KEY", "too short")
    with pytest.raises(OperatorError, match="must hold 32 bytes") as caught:
        Secrets.open(tmp_path)
    assert "too short" not in str(caught.value)


def test_tokens() -> None:
    first, second = new_token(), new_token()
    assert first != second
    assert first.startswith("st_")
    # `printf st_x | sha256sum`
    assert digest("st_x") == "8708c73a5975f272b781f860054d8e9e111f2616cd9ddbc457189ee6a9f039a4"
