"""Funnels as the API takes them."""

from typing import Any

import msgspec

from saastracker_funnels.definition import Funnel, check

SIGN_UP: dict[str, Any] = {"name": "Sign up", "steps": [{"name": "open"}, {"name": "save"}, {"name": "export"}]}


def funnel(**fields: Any) -> Funnel:
    """Three steps, with other fields. Raises ValidationError or Invalid."""
    value = msgspec.json.decode(msgspec.json.encode({**SIGN_UP, **fields}), type=Funnel)
    check(value)
    return value
