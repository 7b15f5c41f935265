"""Runs jobs when they are due or asked for, one run of each at a time, and records how each run went."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC

import msgspec
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from saastracker.alarms import Alarms
from saastracker.contracts import Reader, RecordStore, Store
from saastracker.daily import last_time
from saastracker.definition import Definitions
from saastracker.errors import Conflict, NotFound, OperatorError, Unavailable
from saastracker.facts import Facts
from saastracker.job import Daily, Every, Job, JobContext
from saastracker.job_requests import JobRequests
from saastracker.job_runs import JobRuns, Result, Run
from saastracker.metrics import Metrics
from saastracker.notify import Notices
from saastracker.records import now_ms
from saastracker.timing import first_time, moment, timer
from saastracker.wire import Project

log = logging.getLogger("saastracker.schedule")
logging.getLogger("apscheduler").setLevel("WARNING")  # it tells of every start and every run

ERROR_MAX = 500  # characters
WAIT_SECONDS = 1.0  # between two looks at whether the index is complete
STOP_SECONDS = 3.0  # for all runs to see that they are cancelled


class Running(msgspec.Struct, kw_only=True):
    """One run that goes on."""

    started_at: int
    done: int = 0
    total: int = 0
    cancelled: bool = False  # and it knows


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A job as people see it."""

    name: str
    title: str
    running: Running | None
    next_run: int | None  # None: only when asked
    runs: tuple[Run, ...]  # the last ones, newest first

    @property
    def failed(self) -> bool:
        """Whether the last run failed."""
        return bool(self.runs) and self.runs[0].result == "failed"


class _Stopped(Exception):
    """The server stops before the index is complete."""


class Scheduler:
    """APScheduler tells the time; each run has a daemon thread, so that none can keep the process from ending.

    Of several servers on one store, the one runs them that has claimed it (`contracts.Store.claim`).
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        enabled: bool,
        timezone: str = "UTC",
        store: Store,
        records: RecordStore,
        facts: Facts,
        definitions: Definitions,
        metrics: Metrics,
    ) -> None:
        """With `enabled` False a job only runs when asked; `timezone` is that of daily ones.

        Raises OperatorError for two jobs of one name.
        """
        self._jobs = {job.name: job for job in jobs}
        if len(self._jobs) < len(jobs):
            names = [job.name for job in jobs]
            twice = next(name for name in names if names.count(name) > 1)
            raise OperatorError(f'Two jobs are named "{twice}"; turn off the plugin that offers one')
        self._enabled = enabled
        self._timezone = timezone
        self._started_at = now_ms()
        self._store = store
        self._facts = facts
        self._definitions = definitions
        self._metrics = metrics
        self._notices = Notices(records)
        self._alarms = Alarms(records, facts)
        self._runs = JobRuns(records)
        self._requests = JobRequests(records)
        self._resting = False  # whether another server runs the jobs
        self._lock = threading.Lock()  # for the two below
        self._running: dict[str, Running] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()
        self._timer = BackgroundScheduler(
            executors={"default": DebugExecutor()},  # calls `_due` on its own thread, which starts another
            job_defaults={"coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin to run jobs by themselves; what was due while no server ran is caught up once."""
        runs = self._runs.all()
        self._resting = False
        for job in self._jobs.values():
            last = runs.get(job.name, ())
            succeeded = max((run.started_at for run in last if run.result == "done"), default=None)
            if succeeded is not None:
                self._metrics.job_success.labels(job.name).set(succeeded / 1000)
            if job.trigger is not None and self._enabled:
                trigger = timer(job.trigger, self._zones(job.trigger))
                cut_short = bool(last) and last[0].result == "cancelled"
                first = first_time(trigger, last[0].started_at if last else None, cut_short=cut_short)
                self._timer.add_job(
                    self._due, trigger, args=(job,), id=job.name, next_run_time=first, replace_existing=True
                )
        if self._enabled and not self._timer.running:
            self._timer.start()

    def rest(self) -> None:
        """Leave jobs to another server, and runs that are asked for here, until the next `start`."""
        self._resting = True
        self._timer.remove_all_jobs()

    def run_asked(self) -> None:
        """Begin the runs that were asked for on servers that rest."""
        for name in self._requests.all():
            job = self._jobs.get(name)
            if job is None:
                self._requests.end(name)
            else:
                self._begin(job, asked=True)

    def stop(self) -> None:
        """Start nothing more, tell what runs, and wait a few seconds for it."""
        self._stopping.set()
        if self._timer.running:
            self._timer.shutdown(wait=False)
        with self._lock:
            threads = list(self._threads.items())
        end = time.monotonic() + STOP_SECONDS
        for name, thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                log.warning("The job %s did not end in time; the server stops without it", name)

    def run_now(self, name: str) -> State:
        """Start a run, its own thread goes on with it. Raises NotFound, Conflict if one goes on, Unavailable."""
        job = self._jobs.get(name)
        if job is None:
            raise NotFound(f"There is no job {name[:64]}.")
        if self._stopping.is_set():
            raise Unavailable("The server is stopping.")
        if self._resting:
            self._requests.add(name, now_ms())
        elif not self._begin(job, asked=True):
            raise Conflict(f"The job {name} runs already.")
        return self._state(job, self._runs.all().get(name, ()))

    def states(self) -> list[State]:
        """All jobs, in the order in which they were offered."""
        runs = self._runs.all()
        return [self._state(job, runs.get(job.name, ())) for job in self._jobs.values()]

    def _state(self, job: Job, runs: tuple[Run, ...]) -> State:
        timed = self._timer.get_job(job.name) if self._timer.running else None
        asked = self._requests.all().get(job.name) if self._resting else None
        with self._lock:
            running = self._running.get(job.name) or (None if asked is None else Running(started_at=asked))
            return State(
                name=job.name,
                title=job.title,
                running=None if running is None else msgspec.structs.replace(running),
                next_run=None if timed is None else int(timed.next_run_time.timestamp() * 1000),
                runs=runs,
            )

    def _due(self, job: Job) -> None:
        if not self._begin(job, asked=False):
            log.warning("The job %s is due, and still runs since last time; this time is left out", job.name)

    def _begin(self, job: Job, *, asked: bool) -> bool:
        """Whether a run was started; not while one goes on or the server stops."""
        with self._lock:
            if job.name in self._running or self._stopping.is_set():
                return False
            running = self._running[job.name] = Running(started_at=now_ms())
            given = (job, running, asked)
            thread = threading.Thread(target=self._run, args=given, name=f"job {job.name}", daemon=True)
            self._threads[job.name] = thread
        thread.start()
        return True

    def _run(self, job: Job, running: Running, asked: bool) -> None:
        begin = time.monotonic()
        result: Result = "done"
        error = None
        queued = 0
        try:
            queued = self._notices.add(job.name, job.run(self._context(job, running, asked)), now_ms())
            if running.cancelled:
                result = "cancelled"
        except _Stopped:
            result = "cancelled"
        except Exception as failure:
            log.exception("The job %s failed", job.name)
            result, error = "failed", f"{type(failure).__name__}: {failure}"[:ERROR_MAX]
        run = Run(
            started_at=running.started_at,
            seconds=round(time.monotonic() - begin, 3),
            result=result,
            error=error,
            notices=queued,
            quiet=isinstance(job.trigger, Every) and not (asked or queued or running.total) and result == "done",
        )
        self._metrics.job_runs.labels(job.name, result).inc()
        if result == "done":
            self._metrics.job_success.labels(job.name).set(run.started_at / 1000)
        try:
            if result == "failed":
                self._tell(job, run)
            self._runs.add(job.name, run)
            self._requests.end(job.name)
        except Exception:
            log.exception("How the job %s went could not be recorded", job.name)
        with self._lock:
            del self._running[job.name], self._threads[job.name]

    def _tell(self, job: Job, run: Run) -> None:
        """Tell of a failure, once until a run succeeds."""
        last = next((each for each in self._runs.all().get(job.name, ()) if each.result != "cancelled"), None)
        if last is not None and last.result == "failed":
            return
        self._alarms.tell(
            f"{job.name}-{run.started_at}",
            f"The job failed: {job.title}",
            f"{run.error}\nYou hear of it again only after it has succeeded.",
            now=run.started_at,
            link="settings/jobs",
        )

    def _context(self, job: Job, running: Running, asked: bool) -> JobContext:
        def progress(done: int, total: int) -> None:
            running.done, running.total = done, total

        def cancelled() -> bool:
            running.cancelled = self._stopping.is_set()
            return running.cancelled

        @contextlib.contextmanager
        def reader() -> Iterator[Reader]:
            # Of half of the events they would tell that customers have left.
            while True:
                with self._store.reader() as found:
                    if found.counted() == 1:
                        yield found
                        return
                if cancelled():
                    raise _Stopped
                self._stopping.wait(WAIT_SECONDS)

        return JobContext(
            now=running.started_at,
            projects=self._active() if asked else self._due_projects(job, running.started_at),
            definitions=self._definitions,
            reader=reader,
            progress=progress,
            cancelled=cancelled,
        )

    def _zones(self, trigger: Every | Daily) -> Callable[[], set[str]]:
        own = self._active if isinstance(trigger, Daily) and trigger.each_project else tuple
        return lambda: {each.timezone for each in own()} or {self._timezone}

    def _active(self) -> list[Project]:
        return [project for project in self._facts.snapshot.projects.values() if project.active]

    def _due_projects(self, job: Job, now: int) -> list[Project]:
        """Those whose time of day has come since the last run; all, for a job to which their clocks are all one."""
        daily, projects = job.trigger, self._active()
        if not isinstance(daily, Daily) or not daily.each_project:
            return projects
        runs = self._runs.all().get(job.name, ())
        ended = (run.started_at for run in runs if run.result != "cancelled")
        since = moment(next(ended, 0 if runs else self._started_at))
        return [each for each in projects if last_time(daily, each.timezone, moment(now)) > since]
