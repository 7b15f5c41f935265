"""Every mistake in a configuration is answered with file, key path, what was found and what is allowed."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from saastracker.config import Config, load_config
from saastracker.config_keys import Binding, File
from saastracker.definitions import NOTHING_DEFINED
from saastracker.errors import OperatorError
from saastracker.plugins import Plugins
from saastracker.records import Snapshot

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)


def load(text: str) -> Config:
    Path("my.toml").write_text(text)
    return load_config(Path("my.toml"), Path("data"))


def test_no_file_means_the_defaults() -> None:
    config = load_config(None, Path("data"))
    assert (config.server.host, config.server.port, config.server.url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert config.storage.backend == "sqlite"
    assert config.plugins is None


def test_search_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for port, name in ((1, "config.toml"), (2, "variable.toml"), (3, "option.toml")):
        Path(name).write_text(f"[server]\nport = {port}")
    assert load_config(None, Path("data")).server.port == 1
    monkeypatch.setenv("SAASTRACKER_CONFIG", "variable.toml")
    assert load_config(None, Path("data")).server.port == 2
    assert load_config(Path("option.toml"), Path("data")).server.port == 3
    assert load_config(Path("option.toml"), Path("data"), {"port": 4}).server.port == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nprot = 1", 'my.toml: server.prot: unknown key, did you mean "port"; allowed: host, max_body'),
        ("[sever]", 'my.toml: sever: unknown key, did you mean "server"; allowed: '),
        ("[server]\nport = 70000", "my.toml: server.port: found 70000, expected `int` <= 65535"),
        ('[server]\nport = "80"', "my.toml: server.port: found '80', expected `int`, got `str`"),
        ("[server]\nport = true", "my.toml: server.port: found True, expected `int`, got `bool`"),
        ('[log]\nformat = "xml"', "my.toml: log.format: found 'xml', allowed: 'json', 'text'"),
        ('[server]\npublic_url = "example.com"', "my.toml: server.public_url: expected `str` matching regex"),
        ('[server]\ntrusted_proxies = ["lan"]', "my.toml: server: 'lan' does not appear to be an IPv4 or IPv6 network"),
        ('[server]\ntrusted_proxies = ["::1", 3]', "my.toml: server.trusted_proxies: expected `str`, got `int` - at"),
        ("server = 3", "my.toml: server: write it as a table [server]"),
        ("plugin = 3", "my.toml: plugin: write the plugin's table as [plugin.NAME]"),
        ("[endpoint]\n", "my.toml: endpoint: write it as [[endpoint]]"),
        ('[[endpoint]]\npath = "/e"\nscheme = "hmac"', "my.toml: endpoint[0]: the key format is missing"),
        ('[[endpoint]]\npath = "e"\nscheme = "a"\nformat = "b"', "my.toml: endpoint[0].path: expected `str` matching"),
        ("[server\n", "my.toml: not valid TOML: "),
        ('[server]\nport = { env = "ABSENT" }', "my.toml: server.port: the environment variable ABSENT is not set"),
        (
            '[server]\ntrusted_proxies = ["::1", { env = "ABSENT" }]',
            "my.toml: server.trusted_proxies[1]: the environment",
        ),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(OperatorError) as caught:
        load(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(OperatorError, match=r"^absent\.toml: cannot read the configuration: No such file"):
        load_config(Path("absent.toml"), Path("data"))


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[server]\nport = { env = "PORT" }\ntrusted_proxies = ["::1", { env = "PROXY" }]'
    monkeypatch.setenv("PORT", "81")
    monkeypatch.setenv("PROXY", "10.0.0.0/8")
    server = load(text).server
    assert (server.port, server.trusted_proxies) == (81, ("::1", "10.0.0.0/8"))
    monkeypatch.setenv("PORT", "secret")
    with pytest.raises(OperatorError, match=r"^my\.toml: server\.port: expected `int`, got `str`$"):
        load(text)


class Mail(msgspec.Struct, kw_only=True):
    host: str = "localhost"
    port: Annotated[int, msgspec.Meta(ge=1)] = 25
    tls: Literal["none", "starttls"] = "none"
    password: Annotated[str, msgspec.Meta(min_length=8)] = "password"


def test_settings_of_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PORT", "26")
    config = load('[plugin.mail]\nhost = "mail"\nport = { env = "MAIL_PORT" }')
    assert config.plugin("mail", Mail) == Mail(host="mail", port=26)
    config.check_read()
    with pytest.raises(OperatorError, match=r'plugin\.mail\.prot: unknown key, did you mean "port"'):
        load("[plugin.mail]\nprot = 1").plugin("mail", Mail)


def test_an_error_does_not_repeat_a_text_that_may_be_a_secret() -> None:
    with pytest.raises(OperatorError) as caught:
        load('[plugin.mail]\npassword = "hunter2"').plugin("mail", Mail)
    assert str(caught.value) == "my.toml: plugin.mail.password: expected `str` of length >= 8"


def test_nor_where_the_key_has_a_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "secret")
    for written in ('public_url = "secret"', 'port = { env = "PORT" }'):
        with pytest.raises(OperatorError, match=r"my\.toml: server\.\w+: expected") as caught:
            load(f"[server]\n{written}")
        assert "secret" not in str(caught.value)


def test_a_table_that_no_plugin_reads() -> None:
    config = load("[plugin.mial]")
    config.plugin("mail", Mail)
    with pytest.raises(OperatorError, match=r'plugin\.mial: no enabled plugin reads this table, did you mean "mail"'):
        config.check_read()


def test_the_data_folder_is_made_on_use() -> None:
    config = load_config(None, Path("a/data"))
    assert not Path("a").exists()
    assert config.data.stat().st_mode & 0o777 == 0o700


def test_the_example_has_every_key_with_its_default() -> None:
    text = EXAMPLE.read_text()
    written = tomllib.loads(text)
    config = load_config(EXAMPLE, Path("data"))
    registry = Plugins(config).registry(Snapshot(), NOTHING_DEFINED)
    assert set(written) == {"plugins", "server", "storage", "log", "ingest", "scheduler", "plugin"}
    for field in msgspec.structs.fields(File):
        if isinstance(field.default, msgspec.Struct):
            assert msgspec.json.decode(msgspec.json.encode(field.default)) == written[field.name]
    assert {name: msgspec.to_builtins(settings()) for name, settings in config.read.items()} == written["plugin"]
    default = Plugins(load_config(None, Path("data"))).registry(Snapshot(), NOTHING_DEFINED)
    assert [each.name for each in registry.plugins if each.enabled] == written["plugins"]
    assert sorted(written["plugins"]) == sorted(each.name for each in default.plugins if each.enabled)


def test_the_examples_commented_block_is_right() -> None:
    block = EXAMPLE.read_text().partition("# [[endpoint]]\n")[2].splitlines()
    config = load("[[endpoint]]\n" + "\n".join(line.removeprefix("# ") for line in block if line.startswith("# ")))
    assert msgspec.structs.fields(type(config.endpoints[0])) == msgspec.structs.fields(Binding)
    Plugins(config).registry(Snapshot(), NOTHING_DEFINED)


def test_a_store_names_in_its_own_table_what_keeps_the_small_facts() -> None:
    storage = '[storage]\nbackend = "clickhouse"\n'
    assert load(f'{storage}[plugin.clickhouse]\nrecords = "postgres"').storage.records == "postgres"
    assert load(f'{storage}records = "sqlite"\n[plugin.clickhouse]\nrecords = "sqlite"').storage.records == "sqlite"
    assert load('[plugin.clickhouse]\nrecords = "postgres"').storage.records == ""
    with pytest.raises(OperatorError, match=r"plugin\.clickhouse\.records: found 'postgres', but storage\.records"):
        load(f'{storage}records = "sqlite"\n[plugin.clickhouse]\nrecords = "postgres"')
