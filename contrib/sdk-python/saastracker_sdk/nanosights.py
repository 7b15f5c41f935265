"""The client of the format `nanosights`: events of pages, under a public project key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack

from saastracker_sdk.client import Client
from saastracker_sdk.encoding import iso
from saastracker_sdk.failure import Failure
from saastracker_sdk.options import Options
from saastracker_sdk.wire import Wire

EVENTS = "/api/tags/custom"
INSIGHTS = "/api/tags/insights"


class Nanosights(Client):
    """The format has one event a request: with one connection as many events a second as round trips.

    Where the project lists allowed origins, an event needs a `url` of one of them.
    """

    def __init__(self, url: str, *, project_key: str, **options: Unpack[Options]) -> None:
        """The key of the auth scheme `project-key`."""
        if not project_key:
            raise ValueError("project_key: the key that was shown for the project")
        self._key = project_key
        super().__init__(url, Wire(), **options)

    def track(
        self,
        event: str,
        *,
        user: str | int | None = None,
        session: str | None = None,
        url: str | None = None,
        title: str | None = None,
        path: str | None = None,
        referrer: str | None = None,
        user_agent: str | None = None,
        data: Mapping[str, Any] | None = None,
        time: datetime | None = None,
    ) -> None:
        """`session` is the visitor's own id where there is no `user`; `data` may have a `category`, `label`, `value`.

        `url`, `title`, `path` and `referrer` are the page's; `time` is now unless given.
        """
        fields = {"event_name": event, "event_data": data, "page_title": title, "referrer": referrer}
        self._put(EVENTS, lambda: fields | self._common(user, session, url, path, user_agent, time))

    def track_metric(
        self,
        name: str,
        value: float,
        *,
        unit: str | None = None,
        kind: str = "web_vital",
        user: str | int | None = None,
        session: str | None = None,
        url: str | None = None,
        path: str | None = None,
        user_agent: str | None = None,
        time: datetime | None = None,
    ) -> None:
        """A measurement of a page, such as LCP in ms; `kind` is "web_vital" or "navigation_timing"."""
        fields = {"metric_type": kind, "metric_name": name, "metric_value": value, "metric_unit": unit}
        self._put(INSIGHTS, lambda: fields | self._common(user, session, url, path, user_agent, time))

    def track_error(
        self,
        error: Failure | BaseException,
        *,
        user: str | int | None = None,
        session: str | None = None,
        url: str | None = None,
        path: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.track("error", user=user, session=session, url=url, path=path, data=Failure.of(error).properties(data))

    def _common(
        self,
        user: str | int | None,
        session: str | None,
        url: str | None,
        path: str | None,
        user_agent: str | None,
        time: datetime | None,
    ) -> dict[str, Any]:
        return {
            "projectKey": self._key,
            "userId": user,
            "sessionId": session,
            "url": url,
            "page_path": path,
            "userAgent": user_agent,
            "timestamp": iso(time),
        }
