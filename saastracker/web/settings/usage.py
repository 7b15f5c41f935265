"""Usage: what the month's budget is used for, how it goes on, the months before, and setting budget and policy."""

import asyncio
from typing import Any, NamedTuple

import msgspec
from litestar import Response, post

from saastracker.errors import Conflict
from saastracker.fact_rules import WrongField
from saastracker.web.answers import cookie, local_path, redirect
from saastracker.web.api import usage
from saastracker.web.api.fields import BUDGET_MAX
from saastracker.web.api.usage import BudgetChange, UsageAsked
from saastracker.web.banner import COOKIE_SECONDS, cookie_name, said
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.site import WebRequest, get
from saastracker.wire import Outcome, Policy

POLICIES: dict[str, Policy | None] = {"": None, "accept": "accept", "drop": "drop"}


class Habit(NamedTuple):
    """What some formats do over budget."""

    formats: list[str]
    policy: Policy  # where the workspace has none
    dropped: str  # the answer to a request that is dropped


@get("/settings/usage")
async def usage_page(request: WebRequest) -> Response[bytes]:
    return await _show(opened(request, "usage"))


@post("/settings/usage")
async def save_budget(request: WebRequest) -> Response[bytes]:
    """303, or the page again with what is wrong."""
    frame = opened(request, "usage", "admin")
    form = await read_form(request, frame.site)
    policy = form.get("policy", "")
    try:
        wanted = BudgetChange(budget=_budget(form.get("budget", "")), policy=POLICIES.get(policy))
        if policy not in POLICIES:
            raise WrongField("policy", "Choose one of these.")
        await asyncio.to_thread(usage.change_budget, frame.call(frame.place), wanted)
    except WrongField as wrong:
        return await _show(frame, 400, wrong={wrong.field: str(wrong)}, typed=form)
    except Conflict as wrong:
        return await _show(frame, wrong.status, wrong={"budget": wrong.detail}, typed=form)
    return frame.done("saved")


@post("/settings/usage/dismiss")
async def dismiss(request: WebRequest) -> Response[bytes]:
    """303 to where one was; what the bar above the pages says is not said again this month."""
    frame = opened(request, "usage")
    form = await read_form(request, frame.site)
    answer = redirect(local_path(form.get("next", "/")))
    spent = frame.site.meter.spent(frame.place)
    if spent is not None:
        name = cookie_name(frame.place)
        answer.cookies.append(cookie(name, said(spent), secure=frame.site.secure, max_age=COOKIE_SECONDS))
    return answer


async def _show(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    call = frame.call(frame.place)
    months = msgspec.structs.replace(call, parameters=UsageAsked())
    budget, used = await asyncio.to_thread(lambda: (usage.read_budget(call), usage.usage(months)))
    while len(used) > 1 and not (used[-1].events or used[-1].dropped):
        used.pop()
    names = {each.slug: each for each in frame.own_projects}
    return frame.show(
        "settings_usage.html", status, budget=budget, months=used, names=names, habits=_habits(frame), **values
    )


def _habits(frame: Frame) -> list[Habit]:
    """What each format does over budget, by what is the same."""
    found: dict[tuple[Policy, str], list[str]] = {}
    for name, wire in frame.site.registry.wire_formats.items():
        answer = wire.reply(Outcome(0, (), 1))
        found.setdefault((wire.over_budget, f"{answer.status} {answer.body.decode()}"), []).append(name)
    return [Habit(names, policy, dropped) for (policy, dropped), names in found.items()]


def _budget(text: str) -> int | None:
    """Events; none where the field is left blank. Raises WrongField."""
    plain = "".join(text.split()).replace(",", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > 16 or int(plain) > BUDGET_MAX:
        raise WrongField("budget", f"Give a whole number of events, up to {BUDGET_MAX:,}, or nothing: no limit.")
    return int(plain)
