"""The outbox: finds who is to be told of each notice, and hands messages to the channels, each at most once.

A delivery is written down as being sent before it is. If the server ends in between, nobody knows
whether the message arrived; it is then shown as uncertain and not sent again by itself, since two
warnings for one thing are what people stop reading. Everything before that moment is tried again.
"""

import logging
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from saastracker.accounts import Accounts
from saastracker.accounts.subscriptions import destinations, hears
from saastracker.alarms import FAILURE_TOPIC, FAILURES
from saastracker.channel import Channel, Message
from saastracker.contracts import Change, RecordStore
from saastracker.deliveries import KIND, Deliveries, Delivery, Kept, Stream, change, new_id
from saastracker.errors import NotFound, Refusal, Unavailable
from saastracker.facts import Facts
from saastracker.job import Every, Job, JobContext, Notice, Topic
from saastracker.metrics import Metrics
from saastracker.notify import Noted, Notices, Queued, routed
from saastracker.records import HOUR_MS, Workspace
from saastracker.wire import Project

log = logging.getLogger("saastracker.outbox")

MINUTE_MS = 60_000
GROUPING_MS = MINUTE_MS  # how long a notice of a grouped topic waits for others
HOURLY_MAX = 10  # messages of one grouped topic to one recipient; what is more waits and goes out together
BACK_OFF = tuple(minutes * MINUTE_MS for minutes in (1, 5, 15, 60, 240, 720, 1440))  # after each failed try
UNCERTAIN_MS = 15 * MINUTE_MS  # no channel takes as long to send a message
ERROR_MAX = 500  # characters
TEST = "test"  # the topic of messages that are sent to see whether they arrive; nobody follows it
TEST_TOPIC = Topic(title="Test messages")
_UNCERTAIN = "The server ended while it was sent, so it may have arrived. Send it again if it did not."
_GONE = "Nobody to tell any more: they left the workspace, or chose not to hear of it."


class Recipient(NamedTuple):
    """Somebody who is told."""

    id: str  # of a user or a destination
    address: str


# The message that holds notices of one topic of a workspace.
Compose = Callable[[Workspace, str, Topic, Sequence[Queued], Recipient], Message]


def topics(jobs: Iterable[Job]) -> dict[str, Topic]:
    """What people can choose to hear of, by the name that notices are handed in under."""
    return {**{job.name: job.topic for job in jobs if job.topic is not None}, FAILURES: FAILURE_TOPIC}


class Outbox:
    """Routes and sends. One run at a time in a process; with several processes each delivery has one sender."""

    def __init__(
        self,
        records: RecordStore,
        *,
        facts: Facts,
        accounts: Accounts,
        channels: Mapping[str, Channel],
        topics: Mapping[str, Topic],
        compose: Compose,
        metrics: Metrics,
    ) -> None:
        """`topics` by name of the job that hands the notices in."""
        self._notices = Notices(records)
        self.deliveries = Deliveries(records)
        self._facts = facts
        self._accounts = accounts
        self.channels = channels
        self.topics = topics
        self._compose = compose
        self._metrics = metrics

    def job(self) -> Job:
        """The job that does it all."""

        def run(context: JobContext) -> Sequence[Notice]:
            self._accounts.refresh()
            self.route(context.now)
            sent = self.send(context.now, context.cancelled)
            context.progress(sent, sent)
            return ()

        return Job(name="messages", title="Send messages: mail and webhooks", trigger=Every(10), run=run)

    def send_test(self, workspace: Workspace, channel: str, recipient: str, now: int) -> None:
        """Send a message to a user or destination at once, so that people see whether it arrives.

        Raises NotFound, and what the channel raises. Nothing of it is kept.
        """
        found = self.channels.get(channel)
        to = self._addressed(found, workspace, recipient) if found else None
        if found is None or to is None:
            raise NotFound("There is no such destination here.")
        notice = Notice(
            workspace=workspace.id,
            key=TEST,
            title="This is a test message",
            text=f"What happens in the workspace {workspace.name} will reach you here.",
        )
        message = self._compose(workspace, TEST, TEST_TOPIC, [Queued(now, TEST, notice)], to[0])
        found.send(msgspec.structs.replace(message, secret=to[1]))

    # --- Who is told ---

    def route(self, now: int) -> None:
        """Find who is to be told of new notices, and write both down at once."""
        for noted in self._notices.unrouted():
            changes: list[Change] = [routed(noted)]
            changes += [
                Change(KIND, delivery.id, 0, msgspec.json.encode(delivery)) for delivery in self._recipients(noted, now)
            ]
            self.deliveries.write(changes)  # if another process was faster, it has written the same

    def _recipients(self, noted: Noted, now: int) -> Iterable[Delivery]:
        notice, name = noted.queued.notice, noted.queued.job
        topic = self.topics.get(name)
        workspace = self._workspace(notice)
        if topic is None or workspace is None:
            return
        for channel_name, recipient in self._followers(workspace, notice.project, name, topic):
            yield Delivery(
                id=new_id(noted.id, channel_name, recipient),
                notice=noted.id,
                title=notice.title,
                topic=name,
                workspace=workspace,
                channel=channel_name,
                recipient=recipient,
                due_at=now + (GROUPING_MS if topic.grouped else 0),
                changed_at=now,
            )

    def follows(self, name: str, project: Project) -> bool:
        """Whether anybody would be told of a notice about a project."""
        topic = self.topics.get(name)
        return topic is not None and bool(self._followers(project.workspace, project.id, name, topic))

    def _followers(self, workspace: str, project: str, name: str, topic: Topic) -> list[tuple[str, str]]:
        """Names of channels and ids of those whom each tells; `project` is empty where there is none."""
        snapshot = self._accounts.snapshot
        told: list[tuple[str, str]] = []
        for channel in self.channels.values():
            if channel.personal:
                users = snapshot.of_workspace(workspace)
                told += [(channel.name, user) for user in users if hears(snapshot, user, workspace, name, topic)]
        told += [
            (each.channel, each.id)
            for each in destinations(snapshot, workspace)
            if each.channel in self.channels and name in each.topics and each.project in {None, project}
        ]
        return told

    def _workspace(self, notice: Notice) -> str | None:
        """The id of the workspace that a notice is about; None if that is gone."""
        snapshot = self._facts.snapshot
        if notice.project:
            project = snapshot.projects.get(notice.project)
            return project.workspace if project is not None and project.active else None
        return notice.workspace if notice.workspace in snapshot.workspaces else None

    # --- Sending ---

    def send(self, now: int, cancelled: Callable[[], bool]) -> int:
        """Send what is due, how many messages that was; what is being sent since long is uncertain."""
        kept = self.deliveries.all()
        stuck = [each for each in kept if each.delivery.state == "sending"]
        for each in stuck:
            if abs(now - each.delivery.changed_at) > UNCERTAIN_MS:
                self.deliveries.write([change(each, state="uncertain", changed_at=now, error=_UNCERTAIN)])
        messages = self._messages(kept, now)
        notices = {noted.id: noted.queued for noted in self._notices.all()} if messages else {}
        for number, group in enumerate(messages):
            if cancelled():
                return number
            self._send(group, notices, now)
        return len(messages)

    def _messages(self, kept: Sequence[Kept], now: int) -> list[list[Kept]]:
        """What is due, by message: all of a grouped topic for one recipient that was tried as often, if one may go."""
        recent: dict[Stream, set[str]] = {}
        for each in kept:
            delivery = each.delivery
            if delivery.message and abs(now - delivery.changed_at) < HOUR_MS:
                recent.setdefault(delivery.stream, set()).add(delivery.message)
        due = [each for each in kept if each.delivery.state == "waiting" and _is_due(each.delivery, now)]
        messages: list[list[Kept]] = []
        for (stream, _), found in groupby(sorted(due, key=_together), key=_together):
            topic = self.topics.get(stream.topic)
            if topic is None or not topic.grouped:
                messages += [[each] for each in found]
            elif len(recent.get(stream, ())) < HOURLY_MAX:
                messages.append(list(found))
        return messages

    def _send(self, group: Sequence[Kept], notices: Mapping[str, Queued], now: int) -> None:
        first = group[0].delivery
        found = [notices[each.delivery.notice] for each in group if each.delivery.notice in notices]
        made = self._message(first, found)
        if made is None:
            self._end(group, state="withdrawn", changed_at=now, error=_GONE)
            return
        channel, message = made
        attempts = first.attempts + 1
        claim = [change(each, state="sending", message=message.id, attempts=attempts, changed_at=now) for each in group]
        if not self.deliveries.write(claim):
            return  # another process sends them
        group = [Kept(each.delivery, each.version + 1) for each in group]
        sent = {"message": message.id, "attempts": attempts, "changed_at": now}
        try:
            channel.send(message)
        except Unavailable as error:
            log.warning("A message by %s could not be sent: %s", channel.name, _told(error))
            if attempts <= len(BACK_OFF):
                self._count(channel, "retried")
                self._end(group, **sent, state="waiting", due_at=now + BACK_OFF[attempts - 1], error=_cut(error))
            else:
                self._count(channel, "failed")
                self._end(group, **sent, state="failed", error=_cut(error))
        except Refusal as error:
            log.warning("A message by %s cannot be sent: %s", channel.name, _told(error))
            self._count(channel, "failed")
            self._end(group, **sent, state="failed", error=_cut(error))
        except Exception as error:
            log.exception("The channel %s failed", channel.name)
            self._count(channel, "failed")
            self._end(group, **sent, state="failed", error=f"The channel failed: {type(error).__name__}"[:ERROR_MAX])
        else:
            self._count(channel, "sent")
            self._end(group, **sent, state="sent", error="")

    def _count(self, channel: Channel, result: str) -> None:
        self._metrics.messages.labels(channel.name, result).inc()

    def _end(self, group: Sequence[Kept], **new: object) -> None:
        if not self.deliveries.write([change(each, **new) for each in group]):
            log.warning("Another process changed a message while it was sent: %s", group[0].delivery.id)

    def _message(self, delivery: Delivery, notices: Sequence[Queued]) -> tuple[Channel, Message] | None:
        """What is sent, and by what; None if there is nobody to tell any more."""
        channel, topic = self.channels.get(delivery.channel), self.topics.get(delivery.topic)
        workspace = self._facts.snapshot.workspaces.get(delivery.workspace)
        if channel is None or topic is None or workspace is None or not notices:
            return None
        if channel.personal and not hears(
            self._accounts.snapshot, delivery.recipient, workspace.id, delivery.topic, topic
        ):
            return None
        to = self._addressed(channel, workspace, delivery.recipient)
        if to is None:
            return None
        # Tried again, it keeps its id, unless others have joined it.
        message = self._compose(workspace, delivery.topic, topic, notices, to[0])
        return channel, msgspec.structs.replace(message, id=delivery.message or uuid.uuid4().hex, secret=to[1])

    def _addressed(self, channel: Channel, workspace: Workspace, recipient: str) -> tuple[Recipient, bytes] | None:
        """A member or destination of a workspace with its address and secret; None if there is none (any more)."""
        snapshot = self._accounts.snapshot
        if channel.personal:
            user = snapshot.users.get(recipient)
            member = user is not None and user.id in snapshot.of_workspace(workspace.id)
            return (Recipient(recipient, user.email), b"") if user and member else None
        found = snapshot.destinations.get(recipient)
        if found is None or (found.workspace, found.channel) != (workspace.id, channel.name):
            return None
        return Recipient(recipient, found.address), self._accounts.subscriptions.secret(found)


def _together(kept: Kept) -> tuple[Stream, int]:
    """What makes one message: what is new does not share the last tries of what failed."""
    return kept.delivery.stream, kept.delivery.attempts


def _is_due(delivery: Delivery, now: int) -> bool:
    """Also what waits longer than anything may: the clock has been set back since."""
    return not now < delivery.due_at <= now + BACK_OFF[-1]


def _told(error: Refusal) -> str:
    """A reason for the log: mail servers repeat whom they refuse."""
    return re.sub(r"\S*@\S*", "…", error.detail)


def _cut(error: Refusal) -> str:
    return error.detail[:ERROR_MAX]
