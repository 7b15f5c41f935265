"""The web application: everything that is not ingest."""

import asyncio

from litestar import Litestar
from litestar.datastructures import State

from saastracker.web import assets, checks, exporting, login, pages, search, settings, shared, sign_in, unsubscribe
from saastracker.web.answers import add_headers, refused
from saastracker.web.api import ROUTES as API
from saastracker.web.forms import routes as forms
from saastracker.web.site import Site

__all__ = ["Site", "build_web"]

BODY_MAX = 64 * 1024  # bytes; forms are small


def build_web(site: Site) -> Litestar:
    """The ASGI application for pages, their twins and monitors."""
    return Litestar(
        route_handlers=[
            pages.home,
            pages.project_home,
            search.search_page,
            search.search,
            shared.shared,
            exporting.everything,
            pages.report,
            pages.detail,
            login.login_form,
            login.login,
            login.logout,
            login.choose_theme,
            sign_in.sign_in_form,
            sign_in.sign_in,
            sign_in.sign_in_code,
            sign_in.sign_up_form,
            sign_in.sign_up,
            sign_in.password_form,
            sign_in.set_password,
            unsubscribe.unsubscribe_form,
            unsubscribe.unsubscribe,
            *forms.ROUTES,
            *settings.ROUTES,
            checks.healthz,
            checks.readyz,
            checks.metrics,
            assets.static,
            assets.favicon,
            assets.robots,
            *API,
        ],
        state=state_of(site),
        exception_handlers={Exception: refused},
        before_send=[add_headers],
        openapi_config=None,  # web/api describes itself
        logging_config=None,
        request_max_body_size=BODY_MAX,
    )


def state_of(site: Site) -> State:
    """What the handlers find at `request.app.state`."""
    return State({"site": site, "tries": login.Tries(), "shared_gate": asyncio.Semaphore(shared.AT_ONCE)})
