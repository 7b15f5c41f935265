"""Plugins over the API: those that are installed, which are turned on, and what they offer."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.web.api.operation import Call, operation

TAG = "Plugins"


class PluginShown(msgspec.Struct, frozen=True, kw_only=True):
    """An installed plugin. Whoever runs the server turns it on and off in the configuration."""

    name: Annotated[str, Meta(examples=["errors"])]
    distribution: Annotated[str, Meta(description="The Python package it came with.")]
    version: str
    enabled: bool
    offers: Annotated[list[str], Meta(description="Kind and name of each thing.", examples=[["report errors"]])]


@operation(TAG, "GET", "/plugins", needed="viewer", answer=PluginShown, listed=lambda each: each.name)
def list_plugins(call: Call) -> list[PluginShown]:
    """Plugins that are installed, by name."""
    return [
        PluginShown(
            name=each.name,
            distribution=each.distribution,
            version=each.version,
            enabled=each.enabled,
            offers=list(each.offers),
        )
        for each in call.site.registry.plugins
    ]
