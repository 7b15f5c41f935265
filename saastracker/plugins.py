"""Loads the plugins that are turned on and freezes what they offer into a Registry."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec
import pluggy

from saastracker import hookspecs
from saastracker.annotations import ANNOTATION
from saastracker.bindings import Bound, bind
from saastracker.channel import Channel
from saastracker.config import Config, suggest
from saastracker.contracts import RecordStore, RecordStoreFactory, ReportPage, Setup, Setups, Store, StoreFactory
from saastracker.definition import Definition, Definitions
from saastracker.environments import ENVIRONMENTS
from saastracker.errors import OperatorError
from saastracker.job import Job
from saastracker.merging import ORGANIZATION
from saastracker.resting import Database, DatabaseFactory
from saastracker.tagger import NAMESPACES, Tagger
from saastracker.told import Memory
from saastracker.views import VIEW
from saastracker.wire import AuthScheme, Enricher, Projects, WireFormat

GROUP = "saastracker"  # of entry points; also the distribution whose plugins are on by default
DEFAULT_RECORDS = "sqlite"
OWN_KINDS = (VIEW, ANNOTATION, ORGANIZATION, ENVIRONMENTS)  # definitions of the core
OWN_PAGES = ("define", "detail", "everything", "search", "share")  # of projects, where a report would not be reached

T = TypeVar("T")


class Installed(NamedTuple):
    """An entry point, and what installed it."""

    entry: EntryPoint
    distribution: str
    version: str


class PluginInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An installed plugin, for listings."""

    name: str
    distribution: str
    version: str
    enabled: bool
    offers: tuple[str, ...] = ()  # such as "auth scheme hmac"


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the plugins offer, in the order of the configuration."""

    auth_schemes: Mapping[str, AuthScheme]
    wire_formats: Mapping[str, WireFormat]
    bindings: Mapping[str, Bound]  # by path
    enrichers: tuple[Enricher, ...]
    stores: Mapping[str, StoreFactory]
    record_stores: Mapping[str, RecordStoreFactory]
    reports: Mapping[str, ReportPage]  # by slug
    taggers: tuple[Tagger, ...]
    definitions: Mapping[str, Definition]  # by kind
    jobs: Mapping[str, Job]  # by name
    channels: Mapping[str, Channel]  # by name
    memory: Memory  # that reports share
    plugins: tuple[PluginInfo, ...]


class Plugins:
    """The plugins that are turned on. Every hook is called once, in the order of the configuration.

    In two steps, because others are given projects and definitions, which a record store keeps: first the
    stores and the kinds of definitions, here, then all else, in `registry`. Raises OperatorError for every
    mistake, naming the plugin.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._installed = _installed()
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._names = config.plugins if config.plugins is not None else _default(self._installed, config)
        self._offers: dict[str, list[str]] = {}  # by plugin
        for name in self._names:
            self._load(name)
        items = Mapping.items
        self._stores: Mapping[str, StoreFactory] = self._named("stores", "store", items, config=config)
        self._record_stores: Mapping[str, RecordStoreFactory] = self._named(
            "record_stores", "record store", items, config=config
        )
        self._databases: Mapping[str, DatabaseFactory] = self._named("databases", "database", items, config=config)
        kinds = self._named(
            "definitions", "definition", lambda offered: [(each.kind, each) for each in offered], config=config
        )
        own = {each.kind: each for each in OWN_KINDS}
        for kind in own.keys() & kinds.keys():
            self._fail(f'plugins: one offers the definition "{kind}", which the core itself has; rename it')
        self.kinds: Mapping[str, Definition] = MappingProxyType({**own, **kinds})

    def open_records(self) -> RecordStore:
        """The store of small facts that `[storage]` names."""
        return self._record_store()()

    def open_store(self, records: RecordStore) -> Store:
        """The store of events that `[storage]` names."""
        return self._store()(records)

    def database(self) -> Database:
        """What looks after the database while nothing has it open; of two that of small facts, which has the tables.

        Raises OperatorError where nothing does.
        """
        name = self._record_store_name()
        if name not in self._databases:
            raise OperatorError(f"The store {name} is looked after by its own tools, such as those for its backups")
        return self._databases[name]()

    def check_storage(self) -> None:
        """Raises OperatorError unless the stores that `[storage]` names are offered; opens neither."""
        self._store()
        self._record_store()

    def _store(self) -> StoreFactory:
        return self._choose("backend", self._config.storage.backend, self._stores)

    def _record_store(self) -> RecordStoreFactory:
        return self._choose("records", self._record_store_name(), self._record_stores)

    def _record_store_name(self) -> str:
        storage = self._config.storage
        return storage.records or (storage.backend if storage.backend in self._record_stores else DEFAULT_RECORDS)

    def registry(self, projects: Projects, definitions: Definitions, setups: Setups = lambda _: Setup()) -> Registry:
        """All that the plugins offer. What it is given are live views; without `setups` no report is asked."""
        config, memory = self._config, Memory()
        schemes = self._named("auth_schemes", "auth scheme", _by_name, config=config, projects=projects)
        formats = self._named("wire_formats", "wire format", _by_name, config=config)
        enrichers = self._named("enrichers", "enricher", _by_name, config=config, definitions=definitions)
        reports = self._named(
            "reports",
            "report",
            lambda pages: [(page.slug, page) for page in pages],
            config=config,
            definitions=definitions,
            setups=setups,
            memory=memory,
        )
        for slug in reports.keys() & {*OWN_PAGES}:
            self._fail(f'plugins: a report has the slug "{slug}", where the core has a page of its own; rename it')
        taggers = self._named(
            "taggers", "tagger", lambda offered: [(each.namespace, each) for each in offered], config=config
        )
        self._check_taggers(taggers.values())
        jobs = self._named("jobs", "job", _by_name, config=config)
        channels = self._named("channels", "channel", _by_name, config=config)
        config.check_read()
        return Registry(
            auth_schemes=schemes,
            wire_formats=formats,
            bindings=bind(config, schemes, formats),
            enrichers=tuple(enrichers.values()),
            stores=self._stores,
            record_stores=self._record_stores,
            reports=reports,
            taggers=tuple(taggers.values()),
            definitions=self.kinds,
            jobs=jobs,
            channels=channels,
            memory=memory,
            plugins=tuple(self._listing()),
        )

    def _check_taggers(self, taggers: Iterable[Tagger]) -> None:
        for tagger in taggers:
            if tagger.namespace in NAMESPACES:
                self._fail(f'plugins: a tagger offers "{tagger.namespace}", which the core itself counts; rename it')
            if tagger.kind is not None and tagger.kind not in self.kinds:
                self._fail(
                    f'plugins: the tagger "{tagger.namespace}" follows definitions of the kind "{tagger.kind}", '
                    f"which no enabled plugin offers{suggest(tagger.kind, self.kinds)}"
                )

    def _load(self, name: str) -> None:
        if name not in self._installed:
            self._fail(f'plugins: found "{name}", which is not installed{suggest(name, self._installed)}')
        if name in self._offers:
            self._fail(f'plugins: "{name}" stands there twice')
        (entry, distribution, _), *others = self._installed[name]
        if others:
            owners = " and ".join(each.distribution for each in self._installed[name])
            self._fail(f'plugins: "{name}" is installed by {owners}; uninstall one')
        try:
            plugin = entry.load()
        except ImportError as error:
            extra = entry.extras[0] if entry.extras else None
            remedy = f"type: pip install '{distribution}[{extra}]'" if extra else "install what it needs"
            self._fail(f'plugins: "{name}" cannot be imported ({error}); {remedy}')
        except Exception as error:
            self._fail(f'plugins: "{name}" fails while it is imported: {_reason(error)}')
        self._offers[name] = []
        try:
            self._manager.register(plugin, name=name)
        except (pluggy.PluginValidationError, ValueError) as error:
            self._fail(f'plugins: "{name}": {_reason(error)}')
        for caller in self._manager.get_hookcallers(plugin) or ():
            if not caller.has_spec():
                known = suggest(
                    caller.name, (key for key, value in vars(hookspecs).items() if hasattr(value, f"{GROUP}_spec"))
                )
                self._fail(f'plugins: "{name}" implements the hook "{caller.name}", which does not exist{known}')

    def _named(
        self, hook: str, kind: str, pairs: Callable[[Any], Iterable[tuple[str, T]]], **given: Any
    ) -> Mapping[str, T]:
        """What all plugins answer to a hook, by name; two answers of one name are refused."""
        found: dict[str, T] = {}
        owner: dict[str, str] = {}
        for plugin, answer in self._answers(hook, given):
            for name, value in pairs(answer):
                if name in found:
                    self._fail(f'plugins: "{owner[name]}" and "{plugin}" both offer the {kind} "{name}"; turn one off')
                found[name], owner[name] = value, plugin
                self._offers[plugin].append(f"{kind} {name}")
        return MappingProxyType(found)

    def _answers(self, hook: str, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Plugin and answer, in the order of the configuration; pluggy itself would call the last first."""
        implementations = {each.plugin_name: each for each in getattr(self._manager.hook, hook).get_hookimpls()}
        for name in self._names:
            if name not in implementations:
                continue
            implementation = implementations[name]
            try:
                answer = implementation.function(*(given[argument] for argument in implementation.argnames))
            except OperatorError:
                raise
            except Exception as error:
                raise OperatorError(f'Plugin "{name}" fails in its hook {hook}: {_reason(error)}') from error
            if answer:
                yield name, answer

    def _choose(self, key: str, name: str, offered: Mapping[str, T]) -> T:
        if name not in offered:
            hint = f'; add "{name}" to plugins' if name in self._installed else suggest(name, offered)
            self._fail(f'storage.{key}: found "{name}", which no enabled plugin offers{hint}')
        return offered[name]

    def _fail(self, text: str) -> NoReturn:
        raise OperatorError(f"{self._config.file}: {text}") from None

    def _listing(self) -> Iterator[PluginInfo]:
        for name in (*self._names, *sorted(self._installed.keys() - self._offers.keys())):
            for _, distribution, version in self._installed[name]:
                yield PluginInfo(
                    name=name,
                    distribution=distribution,
                    version=version,
                    enabled=name in self._offers,
                    offers=tuple(self._offers.get(name, ())),
                )


def _installed() -> dict[str, list[Installed]]:
    @cache  # a distribution parses its metadata whenever it is asked
    def owner(distribution: Distribution | None) -> tuple[str, str]:
        return (distribution.name, distribution.version) if distribution else ("?", "")

    found: dict[str, list[Installed]] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(Installed(entry, *owner(entry.dist)))
    return found


def _default(installed: Mapping[str, Sequence[Installed]], config: Config) -> tuple[str, ...]:
    """First-party plugins. One whose entry point asks for an extra is on only if `[storage]` names it."""
    named = {config.storage.backend, config.storage.records}
    own = (each.entry for found in installed.values() for each in found if each.distribution == GROUP)
    return tuple(entry.name for entry in own if not entry.extras or entry.name in named)


def _by_name(values: Sequence[T]) -> Iterator[tuple[str, T]]:
    return ((value.name, value) for value in values)  # type: ignore[attr-defined]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[-1] if str(error).strip() else 'no message'}"
