"""The composition root: from a configuration to the application that uvicorn, tests and benchmarks run."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from saastracker import keeping, logs, server
from saastracker.accounts import Accounts
from saastracker.alarms import Alarms
from saastracker.bindings import Bound
from saastracker.bodies import Bodies
from saastracker.budgets import warn
from saastracker.commanded import Commanded
from saastracker.config import Config
from saastracker.contracts import Submission
from saastracker.control import ControlServer
from saastracker.definitions import Definitions
from saastracker.disk import DiskWatch
from saastracker.erasures import Erasures
from saastracker.errors import OperatorError, Unavailable
from saastracker.facts import Facts
from saastracker.following import Following
from saastracker.index_watch import IndexWatch
from saastracker.ingest import Ingest
from saastracker.leading import Leading
from saastracker.live import Live
from saastracker.merging import merging
from saastracker.meter import Meter
from saastracker.metrics import VERSION, Metrics
from saastracker.outbox import Outbox, topics
from saastracker.plugins import Plugins
from saastracker.quota import Usage
from saastracker.relaying import Relaying
from saastracker.runtime import give_back
from saastracker.schedule import Scheduler
from saastracker.secrets import Secrets
from saastracker.sessions import Sessions
from saastracker.setups import setups
from saastracker.upkeep import expire
from saastracker.watch import Watch
from saastracker.web import digest
from saastracker.web.app import Site, build_web
from saastracker.web.messages import Messages
from saastracker.writer import Writer

log = logging.getLogger("saastracker")

REFRESH_SECONDS = 1.0
PAUSE_SECONDS = 0.2
QUEUE_BYTES = 64 * 1024 * 1024


class App:
    """One server on one configuration: an ASGI application with its stores open."""

    def __init__(self, config: Config) -> None:
        """Raises OperatorError, with nothing left open, if it cannot start."""
        self._config = config
        self._metrics = Metrics(config.log.slow_seconds)
        with contextlib.ExitStack() as opened:
            plugins = Plugins(config)
            records = plugins.open_records()
            opened.callback(records.close)
            self._store = plugins.open_store(records)
            opened.callback(self._store.close)
            if not self._store.shared:
                self._store.claim()
            secrets = Secrets.open(config.data)
            self.facts = Facts(records, secrets)
            self._accounts = Accounts(records, secrets)
            self.definitions = Definitions(records, plugins.kinds)
            self.registry = plugins.registry(self.facts, self.definitions, setups(self.facts, self._accounts))
            now = _now()
            sessions = Sessions()
            with self._store.reader() as reader:
                sessions.refill(reader, now)
            self._meter = Meter(records, self.facts)
            self._usage = Usage(records, lambda: self.facts.snapshot, now)
            messages = Messages(self.facts, secrets, config.server.url)
            jobs = (warn(records, self.facts), *self.registry.jobs.values())
            outbox = Outbox(
                records,
                facts=self.facts,
                accounts=self._accounts,
                channels=self.registry.channels,
                topics={**topics(jobs), digest.NAME: digest.TOPIC},
                compose=messages.compose,
                metrics=self._metrics,
            )
            known, erasures = merging(self._store, self.definitions), Erasures(records, secrets)
            self._scheduler = Scheduler(
                (
                    outbox.job(),
                    expire(records),
                    *keeping.jobs(self.facts, records, erasures, known, self._between_groups, _pause).values(),
                    digest.weekly(records, self.registry.reports, outbox.follows, config.server.url),
                    *jobs,
                ),
                enabled=config.scheduler.enabled,
                timezone=config.scheduler.timezone,
                store=known,
                records=records,
                facts=self.facts,
                definitions=self.definitions,
                metrics=self._metrics,
            )
            self._opened = opened.pop_all()
        self._live = Live()
        self._writer = Writer(
            self._store,
            sessions,
            self._usage,
            self._metrics,
            max_events=config.ingest.queue_events,
            max_bytes=QUEUE_BYTES,
            committed=self._committed,
        )
        self._ingest = Ingest(
            self._writer,
            self._store,
            enrichers=self.registry.enrichers,
            metrics=self._metrics,
            bodies=Bodies(config.server.max_body, config.server.max_body_decompressed),
            trusted_proxies=config.server.trusted_proxies,
            used=self.facts.uses.note,
        )
        self._following = Following(self._store, self._writer, self._zones, self.registry.taggers, self.definitions)
        alarms = Alarms(records, self.facts)
        self._disk = DiskWatch(config.data, alarms)
        self._index_watch = IndexWatch(self._following.progress, alarms)
        self._watch = Watch(
            metrics=self._metrics,
            writer=self._writer,
            store=self._store,
            records=records,
            following=self._following,
            live=self._live,
            disk=self._disk,
            alarms=alarms,
            facts=self.facts,
            queue_max=config.ingest.queue_events,
        )
        self._bindings = dict(self.registry.bindings)
        self._web = build_web(
            Site(
                facts=self.facts,
                records=records,
                accounts=self._accounts,
                store=known,
                registry=self.registry,
                reports=self.registry.reports,
                definitions=self.definitions,
                erasures=erasures,
                scheduler=self._scheduler,
                meter=self._meter,
                outbox=outbox,
                messages=messages,
                live=self._live,
                ready=self._watch.ready,
                status=self._watch.status,
                metrics=self._metrics.text,
                reading=self._metrics.reading,
                address_of=lambda scope: self._ingest.address(scope, dict(scope["headers"])),
                public_url=config.server.url,
            )
        )
        self._leading = Leading(self._store, self._scheduler, self._following.run)
        commanded = Commanded(self.facts, self._writer, self._following, self._scheduler, self.registry.enrichers)
        self._control = ControlServer(config.data, commanded)
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            bound = self._bindings.get(path) or self._find(path)
            if bound is not None:
                await self._ingest(bound, scope, receive, send)
            else:
                await self._web(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    def _find(self, path: str) -> Bound | None:
        """Doubled leading slashes become one, one trailing slash goes, `/api.<random>` is `/api.*`."""
        path = "/" + path.lstrip("/").removesuffix("/")
        found = self._bindings.get(path)
        head, dot, tail = path.rpartition(".")
        if found is None and dot and 0 < len(tail) <= 16 and tail.isascii() and tail.isalnum():
            found = self._bindings.get(f"{head}.*")
        return found

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        await self._control.start()
        await self._leading.look()
        relaying = Relaying(self._store, self._live)
        watching = self._disk.run(), self._index_watch.run()
        works = (self._refresh(), *watching, self._leading.run(), relaying.run(), give_back())
        self._tasks = [asyncio.create_task(work) for work in works]
        log.info("saastracker %s takes events, with the store %s", VERSION, self._config.storage.backend)

    def stopping(self) -> None:
        """End live streams: uvicorn waits for open answers before it stops the application."""
        self._loop.call_soon_threadsafe(self._live.close)
        self._loop.call_soon_threadsafe(self._writer.stopping)

    async def stop(self) -> None:
        """Commit what is queued and close everything."""
        self._live.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._scheduler.stop)
        await self._leading.stop()
        await self._control.close()
        await self._writer.close()
        self._opened.close()
        log.info("The server has stopped; all that was taken is stored")

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            log.exception("The server could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _zones(self) -> Mapping[str, str]:
        return {project.id: project.timezone for project in self.facts.snapshot.projects.values()}

    def _between_groups(self, work: Callable[[], None]) -> None:
        self._writer.run(work)

    def _committed(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions if not self._store.shared else ():  # else `Relaying` does it
            self._live.publish(submission.project.id, submission.events)

    async def _refresh(self) -> None:
        """Follow changes of small facts that other processes make."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await asyncio.to_thread(self.facts.refresh)
                await asyncio.to_thread(self.facts.uses.refresh)
                await asyncio.to_thread(self._meter.refresh)
                if self._store.shared:
                    await asyncio.to_thread(self._usage.refresh, _now(), self._writer.run)
                await asyncio.to_thread(self._accounts.refresh)
                await asyncio.to_thread(self.definitions.refresh)
            except (Unavailable, OperatorError) as error:
                log.warning("Projects, keys, accounts and definitions could not be read again: %s", error)


def build(config: Config) -> App:
    """The application for a configuration. Raises OperatorError."""
    return App(config)


def run(config: Config) -> None:
    """Serve until a signal ends it. Raises OperatorError if it cannot start."""
    logs.configure(config.log.format, config.log.level)
    app = build(config)
    if not server.serve(app, config.server.host, config.server.port, app.stopping):
        raise OperatorError("The server could not start; the lines above say why.")


def _pause() -> None:
    """While the index, which follows by itself, comes closer to the events."""
    time.sleep(PAUSE_SECONDS)


def _now() -> int:
    return time.time_ns() // 1_000_000
