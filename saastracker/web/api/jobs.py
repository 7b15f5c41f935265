"""Jobs over the API: how they went, when they run next, and running one now. They work for all workspaces."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker import audit
from saastracker.job_runs import Result, Run
from saastracker.schedule import Running, State
from saastracker.web.api.fields import Time
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso

TAG = "Jobs"


class RunningShown(msgspec.Struct, frozen=True, kw_only=True):
    """A run that goes on."""

    started_at: Time
    done: Annotated[int, Meta(ge=0, description="How far it is, of `total`.")]
    total: Annotated[int, Meta(ge=0, description="0: it does not say.")]


class RunShown(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended."""

    started_at: Time
    seconds: Annotated[float, Meta(ge=0)]
    result: Result
    error: str | None
    notices: Annotated[int, Meta(ge=0, description="Mails and notes that it queued.")]


class JobShown(msgspec.Struct, frozen=True, kw_only=True):
    """A job."""

    name: Annotated[str, Meta(examples=["errors"])]
    title: str
    running: RunningShown | None
    next_run: Annotated[Time, Meta(description="Null: only when asked.")] | None
    runs: Annotated[list[RunShown], Meta(description="The last ones, newest first.")]


@operation(TAG, "GET", "/jobs", needed="admin", answer=JobShown, listed=lambda each: each.name)
def list_jobs(call: Call) -> list[JobShown]:
    """Jobs with their last runs, by name."""
    return [_shown(state) for state in call.site.scheduler.states()]


@operation(TAG, "POST", "/jobs/{job}/run", needed="admin", answer=JobShown, status=202, refusals=(409,))
def run_job(call: Call) -> JobShown:
    """Run a job now; 409 while a run goes on."""
    state = call.site.scheduler.run_now(call.path["job"])
    token = call.caller.token
    _tell(call, state.name, call.workspace.id if call.found else token.workspace if token else "")
    return _shown(state)


def _tell(call: Call, job: str, workspace: str) -> None:
    """Into the audit trail of the workspace that one asks from: jobs themselves belong to none."""
    entry = audit.Entry(
        at=call.now, who=call.who, project="", workspace=workspace, action="run", kind="job", record=job, version=1
    )
    call.site.records.write([audit.record(entry)])


def _shown(state: State) -> JobShown:
    return JobShown(
        name=state.name,
        title=state.title,
        running=_running(state.running) if state.running else None,
        next_run=None if state.next_run is None else iso(state.next_run),
        runs=[_run(each) for each in state.runs],
    )


def _running(running: Running) -> RunningShown:
    return RunningShown(started_at=iso(running.started_at), done=running.done, total=running.total)


def _run(run: Run) -> RunShown:
    return RunShown(
        started_at=iso(run.started_at), seconds=run.seconds, result=run.result, error=run.error, notices=run.notices
    )
