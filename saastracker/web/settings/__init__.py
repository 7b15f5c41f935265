"""The settings: pages about a workspace, its projects and one's own account, as forms that work without script."""

from litestar import Response

from saastracker.web.answers import redirect
from saastracker.web.settings import (
    account,
    audit_log,
    jobs,
    keeping,
    keys,
    members,
    notifications,
    plugin_list,
    projects,
    shares,
    status,
    tokens,
    topics,
    usage,
    workspace,
)
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
    projects.delete_project,
    projects.restore_project,
    keeping.keeping_form,
    keeping.save_keeping,
    keeping.erase_form,
    keeping.erase,
    keys.new_key,
    keys.limit_key,
    keys.revoke_key,
    workspace.workspace_form,
    workspace.rename_workspace,
    workspace.add_workspace,
    usage.usage_page,
    usage.save_budget,
    usage.dismiss,
    members.list_members,
    members.change_role,
    members.remove_member,
    members.invite,
    members.withdraw,
    account.account,
    account.rename,
    account.change_password,
    account.factor_form,
    account.add_factor,
    account.remove_factor,
    account.new_codes,
    account.end_session,
    account.end_others,
    topics.list_topics,
    topics.choose_topics,
    notifications.list_notifications,
    notifications.add_destination,
    notifications.remove_destination,
    notifications.test_destination,
    notifications.test_channel,
    notifications.send_again,
    tokens.list_tokens,
    tokens.new_token,
    tokens.revoke_token,
    shares.list_shares,
    shares.new_share,
    shares.revoke_share,
    status.status,
    jobs.list_jobs,
    jobs.run_job,
    audit_log.list_entries,
    plugin_list.list_plugins,
)
