"""The configuration: TOML into typed settings, with errors that say what to type."""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from saastracker.config_keys import File, Storage
from saastracker.contracts import Settings
from saastracker.errors import OperatorError

NO_FILE = "the configuration"  # how errors call a configuration without a file


class Config:
    """What the operator set, typed. Implements `contracts.Config`."""

    def __init__(self, keys: File, data: Path, file: str) -> None:
        self.server = keys.server
        self.storage = keys.storage
        self.log = keys.log
        self.ingest = keys.ingest
        self.scheduler = keys.scheduler
        self.endpoints = keys.endpoint
        self.plugins = keys.plugins
        self.file = file  # for errors
        self.data_path = data  # may not exist yet
        self.read: dict[str, type[msgspec.Struct]] = {}  # plugin tables asked for, with their settings
        self._tables = keys.plugin

    @cached_property
    def data(self) -> Path:
        """The data folder, made on first use."""
        try:
            self.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OperatorError(f"--data {self.data_path}: cannot make this folder: {error.strerror}") from None
        return self.data_path

    def plugin(self, name: str, settings: type[Settings]) -> Settings:
        """The table `[plugin.<name>]` as `settings`. Raises OperatorError naming the key."""
        self.read[name] = settings
        return _table(settings, self._tables.get(name, {}), f"plugin.{name}", self.file)

    def check_read(self) -> None:
        """Raises OperatorError if a `[plugin.…]` table was read by no plugin. Call after all hooks."""
        for name in self._tables:
            if name not in self.read:
                known = suggest(name, self.read)
                raise OperatorError(f"{self.file}: plugin.{name}: no enabled plugin reads this table{known}")


def load_config(
    path: Path | None,
    data: Path,
    server: Mapping[str, Any] | None = None,
    store: tuple[str, Mapping[str, str]] | None = None,
) -> Config:
    """The configuration from `path`, else $SAASTRACKER_CONFIG, else ./config.toml, else the defaults.

    `server` holds keys of `[server]` that the command line sets, `store` the backend that it names and keys of that
    one's table. Raises OperatorError.
    """
    file = _find(path)
    document = _parse(file) if file else {}
    if store is not None:
        document = _with_store(document, *store)
    plugin = document.get("plugin", {})
    name = str(file) if file else NO_FILE
    if not isinstance(plugin, dict):
        raise OperatorError(f"{name}: plugin: write the plugin's table as [plugin.NAME]")
    keys = _table(File, {**document, "plugin": {}}, "", name)
    listen = msgspec.structs.replace(keys.server, **(server or {}))
    storage = _storage(keys.storage, plugin.get(keys.storage.backend), name)
    return Config(msgspec.structs.replace(keys, server=listen, storage=storage, plugin=plugin), data, name)


def _storage(storage: Storage, table: Any, file: str) -> Storage:
    """With the store of small facts that the backend's own table names as `records`, where it has such a key."""
    named = table.get("records", "") if isinstance(table, dict) else ""
    if not isinstance(named, str) or named in {"", storage.records}:
        return storage
    if storage.records:
        raise OperatorError(
            f"{file}: plugin.{storage.backend}.records: found {named!r}, but storage.records says "
            f"{storage.records!r}; leave one of them out"
        )
    return msgspec.structs.replace(storage, records=named)


def _with_store(document: dict[str, Any], backend: str, table: Mapping[str, str]) -> dict[str, Any]:
    """With another store in place of the one that it names."""
    named = {value for value in document.get("storage", {}).values() if isinstance(value, str)}
    plugins, tables = document.get("plugins"), document.get("plugin", {})
    others = {name: each for name, each in tables.items() if name not in named} if plugins is None else tables
    changed = {**document, "storage": {"backend": backend}, "plugin": {**others, backend: dict(table)}}
    if plugins is not None and backend not in plugins:
        changed["plugins"] = [*plugins, backend]
    return changed


def suggest(name: str, allowed: Iterable[str]) -> str:
    """The end of an error about an unknown name: the nearest allowed one, and all of them."""
    names = sorted(allowed)
    near = difflib.get_close_matches(name, names, n=1)
    question = f', did you mean "{near[0]}"' if near else ""
    return f"{question}; allowed: {', '.join(names) or 'none'}"


def _find(path: Path | None) -> Path | None:
    if path is not None:
        return path
    if named := os.environ.get("SAASTRACKER_CONFIG"):
        return Path(named)
    here = Path("config.toml")
    return here if here.exists() else None


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise OperatorError(f"{file}: cannot read the configuration: {error.strerror}") from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise OperatorError(f"{file}: not valid TOML: {error}") from None


def _table(settings: type[Settings], table: Any, path: str, file: str) -> Settings:
    """A TOML table as `settings`, field by field, so that an error can name its key."""
    if not isinstance(table, dict):
        raise OperatorError(f"{file}: {path}: write it as a table [{path}]")
    fields = {field.encode_name: field for field in msgspec.structs.fields(settings)}
    values = {}
    for key, found in table.items():
        at = f"{path}.{key}" if path else key
        if key not in fields:
            raise OperatorError(f"{file}: {at}: unknown key{suggest(key, fields)}")
        values[fields[key].name] = _value(fields[key].type, found, at, file)
    for key, field in fields.items():
        if field.required and field.name not in values:
            raise OperatorError(f"{file}: {path}: the key {key} is missing")
    try:
        return settings(**values)
    except ValueError as error:  # what a `__post_init__` refuses
        raise OperatorError(f"{file}: {path}: {error}") from None


def _value(kind: Any, found: Any, at: str, file: str) -> Any:
    element = next(iter(get_args(kind)), None)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _table(kind, found, at, file)
    if get_origin(kind) is tuple and isinstance(element, type) and issubclass(element, msgspec.Struct):
        if not isinstance(found, list):
            raise OperatorError(f"{file}: {at}: write it as [[{at}]]")
        return tuple(_table(element, item, f"{at}[{index}]", file) for index, item in enumerate(found))
    value = _environment(found, at, file)
    from_file = value == found
    try:
        return msgspec.convert(value, kind, strict=from_file)  # the environment only holds text
    except msgspec.ValidationError as error:
        raise OperatorError(f"{file}: {at}: {_complaint(kind, value, from_file, str(error))}") from None


def _complaint(kind: Any, value: Any, from_file: bool, message: str) -> str:
    """What was found and what is allowed. Free text may be a secret, so it is never repeated."""
    info = msgspec.inspect.type_info(kind)
    info = info.type if isinstance(info, msgspec.inspect.Metadata) else info  # of a type with a description
    plain = isinstance(value, str | int | float) and not isinstance(info, msgspec.inspect.StrType)
    found = f"found {value!r}, " if plain and from_file else ""
    if isinstance(info, msgspec.inspect.LiteralType):
        return f"{found}allowed: {', '.join(map(repr, info.values))}"
    return f"{found}{message[0].lower()}{message[1:]}"


def _environment(value: Any, at: str, file: str) -> Any:
    """`value` with every `{ env = "NAME" }` replaced by that variable's text."""
    if isinstance(value, list):
        return [_environment(item, f"{at}[{index}]", file) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"env"} and isinstance(value["env"], str):
        name = value["env"]
        if name not in os.environ:
            raise OperatorError(f"{file}: {at}: the environment variable {name} is not set")
        return os.environ[name]
    return {key: _environment(item, f"{at}.{key}", file) for key, item in value.items()}
