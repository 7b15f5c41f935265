"""ClickHouse's HTTP interface in front of its engine, chDB, in a process of its own.

python -m tests.clickhouse_http FOLDER PORT

As much of it as clickhouse-connect's ordinary client asks for: settings and parameters in the address, statements and
data in the body, packed or in pieces, blocks of the protocol version that the client knows, statuses and codes of
errors, users; and faults on demand, at `/faults`. Not: sessions, external data, results while they are made, TLS, and
the end of a query whose client went away. Prints its port when it is ready.
"""

import base64
import gzip
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
from lz4 import frame as lz4

USER = "tracker"
PASSWORD = "p@ss/w:rd%41 é"  # every character that an address has to escape

_VERSION = "26.9.2.1"
_SUMMARY = json.dumps({"read_rows": "0", "written_rows": "0", "elapsed_ns": "1"})
_PROGRESS = "X-ClickHouse-Progress"  # sent ahead of all other headers, as long as a statement runs
_BLOCK_INFO = bytes.fromhex("010002ffffffff00")  # before each block, for clients that named a protocol version
_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s.+?)\sFORMAT\s+(\w+)[ \t]*\r?\n", re.DOTALL | re.IGNORECASE)
_NATIVE = re.compile(r"\bFORMAT\s+Native\s*$", re.IGNORECASE)
_ANSWERS = re.compile(r"\s*(SELECT|WITH|SHOW|DESC|EXPLAIN|EXISTS|KILL|BACKUP|RESTORE)\b", re.IGNORECASE)
# What the interface itself reads; all else are settings.
_OWN = frozenset({"query", "database", "query_id", "wait_end_of_query", "buffer_size", "client_protocol_version"})
_STATUS = {159: 408, 62: 400, 36: 400, 53: 400, 60: 404, 81: 404, 47: 404, 115: 404, 48: 501, 516: 403, 497: 403}
_PACK: Mapping[str, Callable[[bytes], bytes]] = {"lz4": lz4.compress, "gzip": gzip.compress}
_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {"lz4": lz4.decompress, "gzip": gzip.decompress}


class Refused(Exception):
    """A statement that fails, with ClickHouse's text, which begins with its code."""

    @property
    def code(self) -> int:
        found = re.search(r"Code: (\d+)", str(self))
        return int(found[1]) if found else 1001  # STD_EXCEPTION


@dataclass
class Fault:
    """What goes wrong with the next statements that have a text in them.

    `refused`: the connection ends before anything is done. `begun`: so it does, and the status was sent already, as
    after a long wait. `lost`: all is done, and the connection ends. `cut`: it ends within the result. `late`: the
    answer takes a while longer. `busy`: a proxy answers 503.
    """

    how: str
    of: str = ""
    times: int = 1
    seconds: float = 0.0


class Engine(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        config = Path(f"{folder}.xml")
        config.write_text(f"<clickhouse><backups><allowed_path>{folder}.backups</allowed_path></backups></clickhouse>")
        self._place = f"{folder}?config-file={config}"
        self._alive = self._connect()  # the engine ends with the last connection
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def _connect(self) -> Any:
        return chdb.connect(self._place)  # type: ignore[no-untyped-call]

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def fault(self, text: bytes) -> Fault:
        """The one that befalls a statement, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.times and fault.of.encode() in text:
                    fault.times -= 1
                    return fault
        return Fault("none")

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def result(self, parameters: Mapping[str, str], body: bytes) -> Iterator[bytes]:
        """What a statement gives. Raises Refused."""
        text = b"\n".join(filter(None, (parameters.get("query", "").encode(), body)))
        settings = {key: each for key, each in parameters.items() if key not in _OWN and not key.startswith("param_")}
        try:
            with closing(self._connect()) as connection:
                if settings:
                    connection.query(f"SET {', '.join(f'{_name(key)} = {_text(settings[key])}' for key in settings)}")
                if database := parameters.get("database"):
                    connection.query(f"USE `{_name(database)}`")
                if insert := _INSERT.match(text):
                    _insert(connection, insert[1].decode(), insert[2].decode(), text[insert.end() :])
                else:
                    named = {key[6:]: each for key, each in parameters.items() if key.startswith("param_")}
                    info = _BLOCK_INFO if "client_protocol_version" in parameters else b""
                    yield from _select(connection, text.decode(), named, info)
        except RuntimeError as error:  # chDB's own are some
            raise Refused(str(error)[max(0, str(error).find("Code: ")) :]) from error


def _insert(connection: Any, statement: str, form: str, data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        connection.query(f"{statement} FROM INFILE '{file.name}' FORMAT {form}")


def _select(connection: Any, statement: str, parameters: Mapping[str, str], info: bytes) -> Iterator[bytes]:
    if _NATIVE.search(statement):
        for block in connection.send_query(statement, "Native", params=parameters):
            yield info + block.bytes()
    else:
        yield connection.query(statement, "TabSeparated", params=parameters).bytes()


def _name(name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise Refused(f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)")
    return name


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 2**16
    server: Engine

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/ping" else 501, b"Ok.\n")

    def do_POST(self) -> None:
        try:
            body = _UNPACK.get(self.headers.get("Content-Encoding", ""), bytes)(self._body())
            if self.path == "/faults":
                self.server.add(Fault(**json.loads(body)))
                self._answer(200)
                return
            self._allow()
            self._statement(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)), body)
        except Refused as error:
            told = f"{error} (version {_VERSION})\n".encode()
            self._answer(_STATUS.get(error.code, 500), told, {"X-ClickHouse-Exception-Code": str(error.code)})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return b"".join(self._chunks())
        return self._exactly(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline() or "-1", 16):
            yield self._exactly(size)
            self._exactly(2)
        self._exactly(2)

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size) if size >= 0 else b""
        if len(data) != size:
            raise ConnectionError("the client went away")
        return data

    def _allow(self) -> None:
        """Who asks is told by a header, and by nothing that proxies write into their logs."""
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic" or base64.b64decode(given).decode() != f"{USER}:{PASSWORD}":
            raise Refused(
                f"Code: 516. DB::Exception: {USER}: Authentication failed: password is incorrect, or there is no user "
                "with such name. (AUTHENTICATION_FAILED)"
            )

    def _statement(self, parameters: Mapping[str, str], body: bytes) -> None:
        forms = self.headers.get("Content-Type", "").startswith("multipart")
        if forms or {"session_id", "user", "password"} & parameters.keys():
            raise Refused("Code: 48. DB::Exception: Not in this interface. (NOT_IMPLEMENTED)")
        fault = self.server.fault(parameters.get("query", "").encode() + body)
        if fault.how in {"refused", "begun"}:
            self._break(b"HTTP/1.1 200 OK\r\n%s: {}\r\n" % _PROGRESS.encode() if fault.how == "begun" else b"")
        if fault.how == "busy":
            self._answer(503, b"no server is available")
            return
        result = b"".join(self.server.result(parameters, body))
        if fault.how == "lost":
            self._break()
        if fault.how == "late":
            time.sleep(fault.seconds)
        headers = {
            "X-ClickHouse-Summary": _SUMMARY,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Query-Id": parameters.get("query_id", ""),
        }
        if _ANSWERS.match(parameters.get("query", "") or body[:100].decode(errors="replace")):
            native = _NATIVE.search(body[-40:].decode(errors="replace"))
            headers["X-ClickHouse-Format"] = "Native" if native else "TabSeparated"
        wanted = self.headers.get("Accept-Encoding", "") if parameters.get("enable_http_compression") == "1" else ""
        packing = next((each for each in _PACK if each in wanted), None)
        if packing:
            headers["Content-Encoding"] = packing
            result = _PACK[packing](result)
        self._answer(200, result, headers, whole=fault.how != "cut")

    def _answer(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, whole: bool = True
    ) -> None:
        """In chunks, as a server that does not know the length at first."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        part = body if whole else body[: len(body) // 2]
        if part:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        if not whole:
            self._break()
        self.wfile.write(b"0\r\n\r\n")

    def _break(self, text: bytes = b"") -> None:
        self.wfile.write(text)
        self.wfile.flush()
        self.close_connection = True
        raise ConnectionAbortedError


def main() -> None:
    with Engine(sys.argv[1], int(sys.argv[2])) as server:
        print(server.server_port, flush=True)  # noqa: T201  # whoever started it reads it
        server.serve_forever()


if __name__ == "__main__":
    main()
