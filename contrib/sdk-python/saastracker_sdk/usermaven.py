"""The client of the format `usermaven`: people and companies, from servers or with the public key alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import uuid4

from saastracker_sdk.client import Client
from saastracker_sdk.encoding import epoch
from saastracker_sdk.failure import Failure
from saastracker_sdk.options import Options
from saastracker_sdk.wire import NotStored, Wire, rejections

SERVER = "/api/v1/s2s/events"
PUBLIC = "/api/v1/event"


class User(TypedDict, total=False):
    """A person: at least one of `id`, `anonymous_id` and `email`."""

    id: str | int
    anonymous_id: str
    email: str
    created_at: datetime | str
    first_name: str
    last_name: str
    custom: Mapping[str, Any]


class Company(TypedDict, total=False):
    """The customer that a person belongs to."""

    id: str | int
    name: str
    created_at: datetime | str
    custom: Mapping[str, Any]


class _Array(Wire):
    batch_max = 100

    def __init__(self, bearer: str | None) -> None:
        self._bearer = bearer

    def body(self, events: Sequence[bytes]) -> bytes:
        return b"[" + b",".join(events) + b"]"

    def headers(self, body: bytes) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._bearer}"} if self._bearer else {}

    def not_stored(self, answer: Mapping[str, Any], count: int) -> Iterator[NotStored]:
        return rejections(answer.get("rejected"), count)


class Usermaven(Client):
    """Where the project lists allowed origins, an event under the public key alone needs a `url` of one of them."""

    def __init__(self, url: str, *, api_key: str, server_token: str | None = None, **options: Unpack[Options]) -> None:
        """The keys of the auth scheme `query-token`; without a server token, as programs that are handed out must be,
        events go where browsers send theirs."""
        if not api_key.isalnum():
            raise ValueError("api_key: the public half of the key, letters and digits")
        self._path = SERVER if server_token else f"{PUBLIC}?token={api_key}"
        super().__init__(url, _Array(f"{api_key}.{server_token}" if server_token else None), **options)

    def track(
        self,
        event: str,
        *,
        user: User | str | int,
        company: Company | str | int | None = None,
        attributes: Mapping[str, Any] | None = None,
        url: str | None = None,
        title: str | None = None,
        referer: str | None = None,
        user_agent: str | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> None:
        """`user` and `company` may be their ids alone; `url`, `title` and `referer` are the page's, `user_agent` the
        visitor's. An event with the same `event_id`, user and `time` is stored once; `time` is now unless given."""
        self._put(
            self._path,
            lambda: {
                "event_type": event,
                "event_id": event_id or uuid4().hex,
                "_timestamp": int(epoch(time) * 1000),
                "user": user if isinstance(user, dict) else {"id": user},
                "company": {"id": company} if isinstance(company, str | int) else company,
                "event_attributes": attributes,
                "url": url,
                "page_title": title,
                "referer": referer,
                "user_agent": user_agent,
            },
        )

    def identify(self, user: User, company: Company | str | int | None = None, *, time: datetime | None = None) -> None:
        """Tells what is known of a person, and joins the events of its `anonymous_id` to its `id`."""
        self.track("user_identify", user=user, company=company, time=time)

    def track_error(
        self,
        error: Failure | BaseException,
        *,
        user: User | str | int,
        company: Company | str | int | None = None,
        attributes: Mapping[str, Any] | None = None,
        url: str | None = None,
    ) -> None:
        self.track("error", user=user, company=company, attributes=Failure.of(error).properties(attributes), url=url)
