"""Plugins are loaded as a stranger's package is: from entry points, in the order of the configuration."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from saastracker.config import Config, load_config
from saastracker.definitions import NOTHING_DEFINED
from saastracker.errors import OperatorError
from saastracker.plugins import OWN_PAGES, Plugins, Registry
from saastracker.records import Snapshot

Install = Callable[..., None]

HEAD = """
import msgspec
from saastracker import Endpoint, Event, hookimpl

class Named:
    def __init__(self, name):
        self.name = name
        self.endpoints = ()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugins_looked_for: None) -> Install:
    """Install a distribution with one plugin whose module holds `code`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)

    def install(name: str, code: str, *, distribution: str = "", extra: str = "") -> None:
        distribution = distribution or f"dist-{name}"
        site = tmp_path / distribution
        info = site / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        module = f"plugin_{tmp_path.name}_{name}".replace("-", "_")
        (site / f"{module}.py").write_text(HEAD + code)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[saastracker]\n{name} = {module}{extra}\n")
        monkeypatch.syspath_prepend(site)

    return install


def config(*plugins: str, more: str = "") -> Config:
    names = ", ".join(f'"{name}"' for name in plugins)
    Path("my.toml").write_text(f"plugins = [{names}]\n{more}")
    return load_config(Path("my.toml"), Path("data"))


def registry(*plugins: str, more: str = "") -> Registry:
    return Plugins(config(*plugins, more=more)).registry(Snapshot(), NOTHING_DEFINED)


def enricher(name: str) -> str:
    return f"@hookimpl\ndef enrichers(config):\n    return [Named('{name}')]\n"


def test_first_party_plugins_are_on_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: Install
) -> None:
    install("stranger", enricher("stranger"))
    found = Plugins(load_config(None, Path("data"))).registry(Snapshot(), NOTHING_DEFINED)
    enabled = {each.name for each in found.plugins if each.enabled}
    assert {"hmac", "bearer", "query-token", "project-key", "events", "nanosights", "usermaven", "owlsignal"} <= enabled
    assert {"sqlite", "stream"} <= enabled
    assert "stranger" not in enabled
    assert not Path("data").exists()


def test_first_party_kinds_of_definitions_say_what_they_are_for() -> None:
    kinds = Plugins(load_config(None, Path("data"))).kinds
    assert {"feature", "funnel", "health-model", "view"} <= kinds.keys()
    assert [kind.kind for kind in kinds.values() if not re.fullmatch(r"[A-Z][^.]+\.", kind.about)] == []


def test_offers_come_in_the_order_of_the_configuration(install: Install) -> None:
    for name in "abc":
        install(name, enricher(f"{name}-enricher"))
    assert [each.name for each in registry("c", "a", "b").enrichers] == ["c-enricher", "a-enricher", "b-enricher"]
    listed = registry("b").plugins
    assert [(each.name, each.enabled, each.offers) for each in listed if len(each.name) == 1] == [
        ("b", True, ("enricher b-enricher",)),
        ("a", False, ()),
        ("c", False, ()),
    ]
    assert (listed[0].distribution, listed[0].version) == ("dist-b", "1.5")


def test_each_hook_is_called_once(install: Install) -> None:
    hooks = {"auth_schemes": "config, projects", "wire_formats": "config", "enrichers": "config"}
    hooks |= {"stores": "config", "record_stores": "config", "databases": "config", "reports": "config"}
    hooks |= {"definitions": "config", "jobs": "config"}
    code = "calls = []\n"
    for hook, arguments in hooks.items():
        code += f"@hookimpl\ndef {hook}({arguments}):\n    calls.append('{hook}')\n"
    code += "class Calls(Named):\n    pass\n"
    install("counting", code)
    plugins = Plugins(config("counting"))
    plugins.registry(Snapshot(), NOTHING_DEFINED)
    assert sorted(plugins._manager.get_plugin("counting").calls) == sorted(hooks)  # type: ignore[union-attr]


def test_a_plugin_that_is_not_listed_is_not_imported(install: Install) -> None:
    install("explosive", "raise SystemError('imported')")
    install("quiet", "")
    assert [each.name for each in registry("quiet").plugins if each.enabled] == ["quiet"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import absent_module", "my.toml: plugins: \"faulty\" cannot be imported (No module named 'absent_module')"),
        ("1 / 0", 'my.toml: plugins: "faulty" fails while it is imported: ZeroDivisionError: division by zero'),
        (
            "@hookimpl\ndef enricher(config): ...",
            'my.toml: plugins: "faulty" implements the hook "enricher", which does not exist, did you mean "enrichers"',
        ),
        ("@hookimpl\ndef enrichers(conf): ...", 'my.toml: plugins: "faulty": PluginValidationError: '),
        (
            "@hookimpl\ndef enrichers(config): 1 / 0",
            'Plugin "faulty" fails in its hook enrichers: ZeroDivisionError: division by zero',
        ),
        (
            (
                "class Settings(msgspec.Struct):\n    level: int = 1\n"
                "@hookimpl\ndef enrichers(config): config.plugin('faulty', Settings)"
            ),
            "my.toml: plugin.faulty.level: expected `int`, got `array`",
        ),
    ],
)
def test_a_faulty_plugin_is_named(install: Install, code: str, message: str) -> None:
    install("faulty", code)
    with pytest.raises(OperatorError) as caught:
        registry("faulty", more="[plugin.faulty]\nlevel = []" if "Settings" in code else "")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_extra_says_what_to_type(install: Install) -> None:
    install("heavy", "import absent_module", extra=" [postgres]")
    with pytest.raises(OperatorError, match=r"type: pip install 'dist-heavy\[postgres\]'"):
        registry("heavy")


def test_two_plugins_of_one_name(install: Install) -> None:
    install("twin", "", distribution="first")
    install("twin", "", distribution="second")
    with pytest.raises(OperatorError, match=r'plugins: "twin" is installed by (first and second|second and first)'):
        registry("twin")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("hmca",), 'my.toml: plugins: found "hmca", which is not installed, did you mean "hmac"; allowed: '),
        (("hmac", "hmac"), 'my.toml: plugins: "hmac" stands there twice'),
    ],
)
def test_wrong_lists(install: Install, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(OperatorError) as caught:
        registry(*names)
    assert str(caught.value).startswith(message)


def test_two_plugins_that_offer_the_same(install: Install) -> None:
    install("a", enricher("same"))
    install("b", enricher("same"))
    with pytest.raises(OperatorError, match='plugins: "b" and "a" both offer the enricher "same"; turn one off'):
        registry("b", "a")


def test_formats_on_the_same_path(install: Install) -> None:
    for name in "ab":
        code = f"made = Named('{name}')\nmade.endpoints = (Endpoint('/e', 'hmac'),)\n"
        install(name, code + "@hookimpl\ndef wire_formats(config):\n    return [made]\n")
    with pytest.raises(OperatorError, match='the formats "a" and "b" both answer at /e; turn one off'):
        registry("hmac", "a", "b")


def test_bindings(install: Install) -> None:
    endpoint = '[[endpoint]]\npath = "{}"\nscheme = "bearer"\nformat = "saastracker"\n'
    found = registry("bearer", "hmac", "events", more=endpoint.format("/collect"))
    assert {path: (bound.scheme.name, bound.format.name) for path, bound in found.bindings.items()} == {
        "/v1/events": ("hmac", "saastracker"),
        "/collect": ("bearer", "saastracker"),
    }
    replaced = registry("bearer", "hmac", "events", more=endpoint.format("/v1/events"))
    assert replaced.bindings["/v1/events"].scheme.name == "bearer"
    assert registry("events").bindings == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"bearer"', '"baerer"', r'endpoint\[0\].scheme: found "baerer", did you mean "bearer"; allowed: bearer'),
        ('"saastracker"', '"sastracker"', r'endpoint\[0\].format: found "sastracker", did you mean "saastracker"'),
    ],
)
def test_wrong_bindings(install: Install, old: str, new: str, message: str) -> None:
    more = '[[endpoint]]\npath = "/e"\nscheme = "bearer"\nformat = "saastracker"\n'
    with pytest.raises(OperatorError, match=message):
        registry("bearer", "events", more=more.replace(old, new))
    with pytest.raises(OperatorError, match=r"endpoint\[1\]\.path: /e stands there twice"):
        registry("bearer", "events", more=more * 2)


@pytest.mark.parametrize("slug", OWN_PAGES)
def test_a_report_where_the_core_has_a_page(install: Install, slug: str) -> None:
    page = f"ReportPage(slug={slug!r}, title='', section='Web', load=None)"
    code = f"from saastracker import ReportPage\n@hookimpl\ndef reports(config):\n    return [{page}]\n"
    install("own", code)
    with pytest.raises(OperatorError, match=f'a report has the slug "{slug}", where the core has a page of its own'):
        registry("own")


def test_storage(install: Install) -> None:
    with pytest.raises(OperatorError, match=r'storage\.backend: found "sqlit".*, did you mean "sqlite"'):
        Plugins(config("sqlite", more='[storage]\nbackend = "sqlit"')).check_storage()
    with pytest.raises(OperatorError, match=r'storage\.backend: found "sqlite".*; add "sqlite" to plugins'):
        Plugins(config("hmac")).check_storage()
    with pytest.raises(OperatorError, match=r'storage\.records: found "x".*allowed: sqlite'):
        Plugins(config("sqlite", more='[storage]\nrecords = "x"')).check_storage()


def test_a_table_of_a_plugin_that_is_off(install: Install) -> None:
    with pytest.raises(OperatorError, match=r"plugin\.sqlite: no enabled plugin reads this table"):
        registry("hmac", more="[plugin.sqlite]")
