"""The settings: pages about a workspace, its projects and one's own account, as forms that work without script."""

from litestar import Response

from saastracker.web.answers import redirect
from saastracker.web.settings import keys, projects
from saastracker.web.settings.frame import opened
from saastracker.web.site import WebRequest, get


@get("/settings", sync_to_thread=False)
def home(request: WebRequest) -> Response[bytes]:
    """To the projects; to the account of somebody who belongs to no workspace."""
    frame = opened(request, "projects", None)
    return redirect(frame.path("projects" if frame.workspace else "account"))


ROUTES = (
    home,
    projects.list_projects,
    projects.add_project,
    projects.project_form,
    projects.save_project,
    keys.new_key,
    keys.revoke_key,
)
