"""The composition root: from a configuration to the ASGI application that uvicorn, tests and benchmarks run."""

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

from saastracker import logs, server
from saastracker.config import Config
from saastracker.contracts import Submission
from saastracker.control import Append, Appended, ControlServer
from saastracker.errors import Invalid, OperatorError, RequestTimeout, Unavailable
from saastracker.event import Event
from saastracker.ingest import Ingest, Limits, Route
from saastracker.live import Live
from saastracker.metrics import Metrics
from saastracker.plugins import Registry, open_registry
from saastracker.quota import Usage
from saastracker.sessions import INACTIVITY_MS, Sessions
from saastracker.web.app import Site, build_web
from saastracker.writer import Writer

log = logging.getLogger("saastracker")

REFRESH_SECONDS = 1.0
WEB_BODY_SECONDS = 30.0
DISK_FREE_MIN = 500 * 1024 * 1024  # bytes; below this the log warns
QUEUE_BYTES = 64 * 1024 * 1024
