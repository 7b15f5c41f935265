"""Plugins: those that are installed, which are turned on, and what they offer."""

from litestar import Response

from saastracker.web.settings.frame import opened
from saastracker.web.site import WebRequest, get


@get("/settings/plugins", sync_to_thread=False)
def list_plugins(request: WebRequest) -> Response[bytes]:
    frame = opened(request, "plugins")
    plugins = sorted(frame.site.registry.plugins, key=lambda each: not each.enabled)
    return frame.show("settings_plugins.html", plugins=plugins)
