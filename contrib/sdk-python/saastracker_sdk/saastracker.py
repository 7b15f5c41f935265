"""The client of the format `saastracker`: organization-scoped events that a server signs."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from saastracker_sdk.client import Client
from saastracker_sdk.encoding import epoch, hashed
from saastracker_sdk.failure import Failure
from saastracker_sdk.options import Options
from saastracker_sdk.wire import Wire

PATH = "/v1/events"


class _Signed(Wire):
    def __init__(self, app_uuid: str, api_secret: str) -> None:
        self._app_uuid = app_uuid
        self._secret = api_secret.encode()

    def headers(self, body: bytes) -> Mapping[str, str]:
        return {"x-app-uuid": self._app_uuid, "x-signature": hmac.digest(self._secret, body, "sha256").hex()}


class Saastracker(Client):
    """The format has one event a request: with one connection as many events a second as round trips."""

    def __init__(
        self,
        url: str,
        *,
        app_uuid: str | UUID,
        api_secret: str,
        environment: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        """The keys of the auth scheme `hmac`; `environment` is "production" unless given."""
        if not api_secret:
            raise ValueError("api_secret: the secret that was shown with the key")
        self._environment = environment
        super().__init__(url, _Signed(str(UUID(str(app_uuid))), api_secret), **options)

    def track(
        self,
        event: str,
        *,
        user: str,
        org: str | int,
        path: str | None = None,
        session: UUID | str | None = None,
        plan: str | None = None,
        properties: Mapping[str, Any] | None = None,
        time: datetime | None = None,
    ) -> None:
        """`user` is hashed before it leaves the program, unless it is a hash of 64 hexadecimal digits already.

        `path` is the page's, such as "/reports", and `org` the customer. `time` is now unless given.
        """
        self._put(
            PATH,
            lambda: {
                "event": event,
                "user_hash": hashed(user),
                "customer_org_id": org,
                "path": path,
                "session_id": session,
                "environment": self._environment,
                "plan": plan,
                "ts_epoch": int(epoch(time)),
                "properties": properties,
            },
        )

    def track_error(
        self,
        error: Failure | BaseException,
        *,
        user: str,
        org: str | int,
        path: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        self.track("error", user=user, org=org, path=path, properties=Failure.of(error).properties(properties))
