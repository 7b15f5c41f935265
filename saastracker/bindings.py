"""Which wire format and auth scheme serve a path."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from saastracker.config import Config, suggest
from saastracker.errors import OperatorError
from saastracker.wire import AuthScheme, WireFormat


class Bound(msgspec.Struct, frozen=True):
    """A path on which a format is offered, and what guards it."""

    path: str
    scheme: AuthScheme
    format: WireFormat


def bind(config: Config, schemes: Mapping[str, AuthScheme], formats: Mapping[str, WireFormat]) -> Mapping[str, Bound]:
    """Which format and scheme serve a path: the formats' own paths, then, stronger, those of the configuration.

    A default path whose scheme is turned off is left out.
    """
    bound: dict[str, Bound] = {}
    for form in formats.values():
        for endpoint in form.endpoints:
            if endpoint.path in bound:
                raise OperatorError(
                    f'{config.file}: plugins: the formats "{bound[endpoint.path].format.name}" and "{form.name}" '
                    f"both answer at {endpoint.path}; turn one off"
                )
            if endpoint.scheme in schemes:
                bound[endpoint.path] = Bound(endpoint.path, schemes[endpoint.scheme], form)
    own: set[str] = set()
    for index, binding in enumerate(config.endpoints):
        at = f"{config.file}: endpoint[{index}]"
        if binding.path in own:
            raise OperatorError(f"{at}.path: {binding.path} stands there twice")
        if binding.scheme not in schemes:
            raise OperatorError(f'{at}.scheme: found "{binding.scheme}"{suggest(binding.scheme, schemes)}')
        if binding.format not in formats:
            raise OperatorError(f'{at}.format: found "{binding.format}"{suggest(binding.format, formats)}')
        own.add(binding.path)
        bound[binding.path] = Bound(binding.path, schemes[binding.scheme], formats[binding.format])
    return MappingProxyType(bound)
